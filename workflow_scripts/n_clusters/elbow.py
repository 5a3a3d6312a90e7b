"""The elbow criterion: the k at which the inertia curve bends most."""

import numpy as np

MINIMUM = 3
"""Smallest number of k for which a bend exists."""


def sag(ks: np.ndarray, inertia: np.ndarray) -> np.ndarray:
    """Return how far the curve lies below its chord in the unit square, (..., K).

    This is the difference curve of Kneedle (Satopää et al. 2011). `ks` (K,) ascending, `inertia` (..., K); the maximum
    is 0 for a straight line and nearly 1 for a right angle.
    """
    x = (ks - ks[0]) / max(ks[-1] - ks[0], 1)
    height = inertia[..., :1] - inertia[..., -1:]
    return (inertia[..., :1] - inertia) / np.where(height > 0, height, 1) - x


def recommend(ks: np.ndarray, inertia: np.ndarray, sharp_by_chance: float) -> int | None:
    """Return the k of the knee, one of `ks` (K,); None if the curve of `inertia` (K,) bends no more than
    `sharp_by_chance`.

    Every curve has a knee: also without groups the inertia falls fast at first and then slowly. Therefore its sag has
    to exceed that of points without groups.
    """
    sags = sag(ks, inertia)
    return int(ks[sags.argmax()]) if len(ks) >= MINIMUM and sags.max() > sharp_by_chance else None
