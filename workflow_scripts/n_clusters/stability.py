"""Stability under resampling: prediction strength (Tibshirani & Walther 2005)."""

import numpy as np
from scipy.spatial.distance import cdist

ENOUGH = 0.8
"""Strength from which on the paper calls k clusters well predicted (0.8 to 0.9)."""


def prediction_strength(points: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> float:
    """Return how well the centres of other points predict which points belong together (equation 2 of the paper).

    For each cluster of `labels` (N,), it is the share of its pairs of `points` (N, d) that have the same nearest centre
    in `centers` (k, d); the lowest share is returned. A cluster of one point has no pairs and is ignored.
    """
    predicted = cdist(points, centers).argmin(axis=1)
    counts = np.zeros((int(labels.max()) + 1, len(centers)))
    np.add.at(counts, (labels, predicted), 1)
    sizes = counts.sum(axis=1)
    together, pairs = (counts * (counts - 1)).sum(axis=1), sizes * (sizes - 1)
    return float((together[pairs > 0] / pairs[pairs > 0]).min(initial=1.0))


def recommend(ks: np.ndarray, strength: np.ndarray, error: np.ndarray) -> int | None:
    """Return the largest k of `ks` (K,) with `strength` (K,) + standard `error` (K,) >= `ENOUGH`; None if there is
    none."""
    enough = np.flatnonzero(strength + error >= ENOUGH)
    return int(ks[enough[-1]]) if len(enough) else None
