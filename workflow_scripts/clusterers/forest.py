"""Find the root of every node of a forest (a set of trees); used by linkage and Density Peaks."""

import numpy as np


def roots(parents: np.ndarray) -> np.ndarray:
    """Return the root of every node of a forest.

    Every step replaces each node's ancestor by the ancestor of that ancestor: a chain of M nodes takes log2(M) steps.

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
