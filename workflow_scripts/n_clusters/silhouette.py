"""The silhouette criterion: the k whose k-means partition has the highest mean silhouette (Rousseeuw 1987)."""

import numpy as np


def recommend(ks: np.ndarray, silhouettes: np.ndarray, high_by_chance: float) -> int | None:
    """Return the k with the highest mean silhouette; None if it is the last k, or if the silhouette is too low.

    `silhouettes` (K,) are the mean silhouettes for each of `ks` (K,). The highest must be above `high_by_chance`, which
    points without groups reach. NaN values are ignored.
    """
    if np.isnan(silhouettes).all():
        return None
    best = int(np.nanargmax(silhouettes))
    return int(ks[best]) if best < len(ks) - 1 and silhouettes[best] > high_by_chance else None
