"""The gap statistic (Tibshirani, Walther & Hastie 2001)."""

from collections.abc import Iterator

import numpy as np


def references(X: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield points (N, d) without groups: uniform in a box along the principal axes of `X` (the paper's choice b)."""
    mean = X.mean(axis=0)
    axes = np.linalg.svd(X - mean, full_matrices=False)[2]
    scores = (X - mean) @ axes.T
    low, high = scores.min(axis=0), scores.max(axis=0)
    for random in np.random.default_rng(seed).spawn(count):
        yield random.uniform(low, high, size=scores.shape) @ axes + mean


def gaps(inertia: np.ndarray, reference_inertia: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Gap(k) and its standard error, which includes the simulation error.

    The pooled within-cluster sum W_k of the paper is the inertia of k-means: half the mean squared distance between the
    pairs of a cluster, times its size.

    Parameters
    ----------
    inertia : (K,) of the points.
    reference_inertia : (B, K) of the reference sets.

    Returns
    -------
    gap, s : (K,); s(k) = sd(k) sqrt(1 + 1/B), where sd has B in the denominator, as in the paper.
    """
    logs = np.log(_positive(reference_inertia))
    s = logs.std(axis=0) * np.sqrt(1 + 1 / len(logs))
    return logs.mean(axis=0) - np.log(_positive(inertia)), s


def _positive(inertia: np.ndarray) -> np.ndarray:
    return np.maximum(inertia, np.finfo(float).tiny)


def recommend(ks: np.ndarray, gap: np.ndarray, s: np.ndarray) -> int | None:
    """Return the smallest k of `ks` with Gap(k) >= Gap(next k) - s(next k), or None."""
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - s[1:])
    return int(ks[enough[0]]) if len(enough) else None
