"""The stability criterion: prediction strength (Tibshirani & Walther 2005).

The images are split into halves and both are clustered. The centres of one half predict the clusters of the other half.
"""

import numpy as np
from scipy.spatial.distance import cdist

ENOUGH = 0.8
"""Smallest strength for which k clusters count as well predicted; the paper gives 0.8 to 0.9."""


def prediction_strength(points: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> float:
    """Return the prediction strength of a clustering (equation 2 of the paper), 0 to 1.

    For each cluster, this is the share of its pairs of points that have the same nearest centre among `centers`. The
    lowest share of all clusters is returned. Clusters of one point have no pairs and are ignored.

    `labels` (N,) are the clusters of `points` (N, d). `centers` (k, d) are the centres of a clustering of other points.
    """
    predicted = cdist(points, centers).argmin(axis=1)
    counts = np.zeros((int(labels.max()) + 1, len(centers)))
    np.add.at(counts, (labels, predicted), 1)
    sizes = counts.sum(axis=1)
    together, pairs = (counts * (counts - 1)).sum(axis=1), sizes * (sizes - 1)
    return float((together[pairs > 0] / pairs[pairs > 0]).min(initial=1.0))


def recommend(ks: np.ndarray, strength: np.ndarray, error: np.ndarray) -> int | None:
    """Return the largest k whose strength plus standard error is at least `ENOUGH`, or None if there is none.

    `strength` (K,) and `error` (K,) are the prediction strength and its standard error for each of `ks` (K,).
    """
    enough = np.flatnonzero(strength + error >= ENOUGH)
    return int(ks[enough[-1]]) if len(enough) else None
