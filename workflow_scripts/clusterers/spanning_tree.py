"""The minimum spanning tree of mutual reachability, on which density-based clustering and its validity rest."""

from collections.abc import Callable

import numpy as np

Distances = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""The distances of some points to others, from their indices."""


def spanning_tree(distances: Distances, members: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Prim's minimum spanning tree of the members' mutual reachability, max(core_i, core_j, distance_ij).

    Of equal edges the one to the first member is taken: a point's core distance is often all its edges' length.

    Returns
    -------
    Edges (M - 1, 2) of places in `members`, and their lengths (M - 1,).
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
