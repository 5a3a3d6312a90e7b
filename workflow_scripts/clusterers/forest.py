"""Forests of points, cut into clusters: what linkage and Density Peaks have in common."""

import numpy as np


def roots(parents: np.ndarray) -> np.ndarray:
    """Return the root of every node of a forest.

    Parameters
    ----------
    parents : (M,) integers, each node's parent; a root is its own.

    Returns
    -------
    (M,) integers. Each step doubles the length of the paths that are followed, so that a chain of M nodes takes
    log2(M) of them.
    """
    above = parents
    while True:
        further = above[above]
        if (further == above).all():
            return above
        above = further
