"""Choose evenly spaced elements of a sequence."""

import numpy as np


def evenly(n: int, count: int) -> np.ndarray:
    """Return at most `count` of the indices 0..n-1, evenly spaced from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(int))
