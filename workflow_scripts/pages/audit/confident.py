"""Estimate the number of wrong labels by confident learning (Northcutt, Jiang & Chuang 2021)."""

import numpy as np

TOLERANCE = 1e-6
"""Tolerance in comparisons of probabilities: thresholds are means, and an image at its class's mean must reach it."""


def count_errors(probability: np.ndarray, codes: np.ndarray) -> int:
    """Return the estimated number of wrong labels: the off-diagonal sum of the confident joint.

    An image is confidently of a class if its probability reaches the mean probability of that class among the images
    with this label (eq. 2); of several such classes the most probable one counts (eq. 1). As in the authors' cleanlab,
    a label that is the most probable of all classes is never an error.

    Parameters
    ----------
    probability : (N, C), out of sample; rows sum to 1.
    codes : (N,) labels as integers below C; each class occurs.
    """
    labelled = np.eye(probability.shape[1], dtype=bool)[codes]
    thresholds = (probability * labelled).sum(axis=0) / labelled.sum(axis=0)
    confident = probability >= thresholds - TOLERANCE
    guess = np.where(confident, probability, -1).argmax(axis=1)
    doubted = probability.max(axis=1) > probability[labelled] + TOLERANCE
    return int(np.count_nonzero(confident.any(axis=1) & (guess != codes) & doubted))
