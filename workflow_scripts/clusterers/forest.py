"""Find the root of every node of a forest (a set of trees); used by linkage and Density Peaks."""

import numpy as np


def roots(parents: np.ndarray) -> np.ndarray:
    """Return the root of every node of a forest.

    At first the parent of each node is known. In each step, the known ancestor of a node is replaced by its own known
    ancestor. So a chain of M nodes takes log2(M) steps.

    Parameters
    ----------
    parents : (M,) integers, the parent of each node; a root is its own parent.

    Returns
    -------
    (M,) integers, the root of each node.
    """
    above = parents
    while True:
        further = above[above]
        if (further == above).all():
            return above
        above = further
