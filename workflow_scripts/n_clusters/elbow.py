"""The elbow criterion: the k at which the curve of the inertia over k bends most.

Both axes are scaled to 0..1. The sag of the curve is then how far it lies below the straight line between its ends.
"""

import numpy as np

MINIMUM = 3
"""Smallest number of values of k for which the curve can bend."""


def sag(ks: np.ndarray, inertia: np.ndarray) -> np.ndarray:
    """Return the sag of one or more curves at each k, (..., K) float64.

    This is the difference curve of Kneedle (Satopää et al. 2011). Its maximum is 0 for a straight line and nearly 1 for
    a right angle. `ks` (K,) are ascending, `inertia` is (..., K).
    """
    x = (ks - ks[0]) / max(ks[-1] - ks[0], 1)
    height = inertia[..., :1] - inertia[..., -1:]
    return (inertia[..., :1] - inertia) / np.where(height > 0, height, 1) - x


def recommend(ks: np.ndarray, inertia: np.ndarray, sharp_by_chance: float) -> int | None:
    """Return the k at which the sag is largest, or None if there are fewer than `MINIMUM` values of k or if the sag is
    not above `sharp_by_chance`.

    The sag is how far the curve of the inertia lies below the straight line between its ends.
    `ks` (K,) are the values of k, and `inertia` (K,) is the inertia for each. `sharp_by_chance` is the sag that points
    without groups can reach, because their inertia also falls fast at first and then slowly.
    """
    sags = sag(ks, inertia)
    return int(ks[sags.argmax()]) if len(ks) >= MINIMUM and sags.max() > sharp_by_chance else None
