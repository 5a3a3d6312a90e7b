"""Compute the minimum spanning tree of mutual reachability, which DBSCAN's knee and the validity index DBCV need.

The mutual reachability of two points is the largest of three numbers: their distance, and the core distance of each
point. The caller says what the core distance of a point is.
"""

from collections.abc import Callable

import numpy as np

Distances = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""The type of functions that take two arrays of point indices, (a,) and (b,), and return their distances (a, b)."""


def spanning_tree(distances: Distances, members: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum spanning tree of mutual reachability, max(core_i, core_j, distance_ij), by Prim's algorithm.

    If several edges are equally long, the one to the member with the lowest index is taken. This is common, because
    many edges of a point can be as long as its core distance.

    Parameters
    ----------
    distances : a function that returns distances of points (`Distances`).
    members : (M,) integers, the indices of the points that the tree connects.
    core : (M,) floats, the core distance of each of these points.

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
