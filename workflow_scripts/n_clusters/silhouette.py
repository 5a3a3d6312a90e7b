"""The mean silhouette of k-means partitions (Rousseeuw 1987)."""

import numpy as np


def recommend(ks: np.ndarray, silhouettes: np.ndarray, high_by_chance: float) -> int | None:
    """Return the k of the highest of `silhouettes` (K,) for `ks` (K,); None if it is the last or not above
    `high_by_chance`."""
    if np.isnan(silhouettes).all():
        return None
    best = int(np.nanargmax(silhouettes))
    return int(ks[best]) if best < len(ks) - 1 and silhouettes[best] > high_by_chance else None
