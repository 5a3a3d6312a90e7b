"""The elbow: where the curve of the inertia bends most."""

import numpy as np

MINIMUM = 3
"""Numbers of clusters, without which nothing bends."""


def sag(ks: np.ndarray, inertia: np.ndarray) -> np.ndarray:
    """Return how far the curve lies below its chord in the unit square: Kneedle's difference curve (Satopää et al.
    2011).

    `ks` (K,) rising, `inertia` (..., K); 0 for a straight line, nearly 1 for a right angle.
    """
    x = (ks - ks[0]) / max(ks[-1] - ks[0], 1)
    height = inertia[..., :1] - inertia[..., -1:]
    return (inertia[..., :1] - inertia) / np.where(height > 0, height, 1) - x


def recommend(ks: np.ndarray, inertia: np.ndarray, sharp_by_chance: float) -> int | None:
    """Return the k of the knee; None if the curve bends no more than `sharp_by_chance`.

    A knee there always is: also data without groups have a curve that falls fast and then slowly. So its sag is held
    against that of points without groups.
    """
    sags = sag(ks, inertia)
    return int(ks[sags.argmax()]) if len(ks) >= MINIMUM and sags.max() > sharp_by_chance else None
