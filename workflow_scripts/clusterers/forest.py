"""Roots of a forest of points; used by linkage and Density Peaks."""

import numpy as np


def roots(parents: np.ndarray) -> np.ndarray:
    """Return the root of every node of a forest.

    Each step doubles the length of the paths that are followed, so a chain of M nodes takes log2(M) steps.

    Parameters
    ----------
    parents : (M,) integers, the parent of each node; a root is its own parent.

    Returns
    -------
    (M,) integers
    """
    above = parents
    while True:
        further = above[above]
        if (further == above).all():
            return above
        above = further
