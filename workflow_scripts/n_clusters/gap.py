"""The gap statistic (Tibshirani, Walther & Hastie 2001).

Gap(k) compares the inertia of the points with that of reference points, which have no groups.
"""

from collections.abc import Iterator

import numpy as np


def references(X: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield `count` sets of reference points (N, d), which have no groups.

    They are uniform in a box along the principal axes of X (N, d), which is choice b of the paper.
    """
    mean = X.mean(axis=0)
    axes = np.linalg.svd(X - mean, full_matrices=False)[2]
    scores = (X - mean) @ axes.T
    low, high = scores.min(axis=0), scores.max(axis=0)
    for random in np.random.default_rng(seed).spawn(count):
        yield random.uniform(low, high, size=scores.shape) @ axes + mean


def gaps(inertia: np.ndarray, reference_inertia: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Gap(k) and its standard error s(k).

    The pooled within-cluster sum W_k of the paper is the inertia of k-means.

    Parameters
    ----------
    inertia : (K,), the inertia of the points for each k.
    reference_inertia : (B, K), the inertia of B sets of reference points for each k.

    Returns
    -------
    gap : (K,) float64, the mean logarithm of the reference inertia minus the logarithm of the inertia.
    s :
        (K,) float64, the standard deviation of the logarithm of the reference inertia (with B in the denominator) times
        sqrt(1 + 1/B), as in the paper.
    """
    logs = np.log(_positive(reference_inertia))
    s = logs.std(axis=0) * np.sqrt(1 + 1 / len(logs))
    return logs.mean(axis=0) - np.log(_positive(inertia)), s


def _positive(inertia: np.ndarray) -> np.ndarray:
    return np.maximum(inertia, np.finfo(float).tiny)


def recommend(ks: np.ndarray, gap: np.ndarray, s: np.ndarray) -> int | None:
    """Return the smallest k with Gap(k) >= Gap(next k) - s(next k), or None if there is none.

    `ks`, `gap` and `s` are (K,).
    """
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - s[1:])
    return int(ks[enough[0]]) if len(enough) else None
