"""The minimum spanning tree of mutual reachability, used by density-based clustering and its validity index."""

from collections.abc import Callable

import numpy as np

Distances = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Type of a function that takes two arrays of indices, (a,) and (b,), and returns distances (a, b)."""


def spanning_tree(distances: Distances, members: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum spanning tree of mutual reachability, max(core_i, core_j, distance_ij), by Prim's algorithm.

    Of equally long edges the one to the member with the lowest index is taken. Ties are common, because a point's core
    distance is often the length of all its edges.

    Parameters
    ----------
    distances : a function for the distances of points.
    members : (M,) integers, the indices of the points that the tree joins.
    core : (M,), the core distance of each of them.

    Returns
    -------
    edges : (M - 1, 2) integers, indices into `members`.
    lengths : (M - 1,) float64.
    """
    n = len(members)
    reach, parent, outside = np.full(n, np.inf), np.zeros(n, dtype=np.intp), np.ones(n, dtype=bool)
    edges, lengths = np.empty((max(n - 1, 0), 2), dtype=np.intp), np.empty(max(n - 1, 0))
    node = 0
    for step in range(n - 1):
        outside[node] = False
        row = np.maximum(np.maximum(distances(members[[node]], members)[0], core), core[node])
        nearer = outside & ((row < reach) | ((row == reach) & (node < parent)))
        reach[nearer], parent[nearer] = row[nearer], node
        node = int(np.where(outside, reach, np.inf).argmin())
        edges[step], lengths[step] = (parent[node], node), reach[node]
    return edges, lengths
