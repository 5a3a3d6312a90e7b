"""Partitions that the tests share."""

import numpy as np
import pandas as pd


def noisy_copies(truth: np.ndarray, moved: list[float], k: int, seed: int = 0) -> np.ndarray:
    """A partition (N,) for each share of `moved`, in which that share of the images is dealt anew; (C, N)."""
    rng = np.random.default_rng(seed)
    rows = [np.where(rng.random(len(truth)) < share, rng.integers(0, k, len(truth)), truth) for share in moved]
    return np.stack([rng.permutation(k)[row] for row in rows])


def product_of(**levels: list[object]) -> pd.DataFrame:
    """All combinations of levels, a row each."""
    return pd.MultiIndex.from_product(levels.values(), names=levels).to_frame(index=False)


MOVED = [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9]
CHOICES = product_of(preprocess=["plain", "clahe"], layer=["a", "b", "c", "d"])
TRUTH = np.repeat(np.arange(5), 60)
