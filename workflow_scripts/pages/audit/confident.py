"""Estimate the number of wrong labels by confident learning (Northcutt, Jiang & Chuang 2021)."""

import numpy as np

TOLERANCE = 1e-6
"""Tolerance in comparisons of probabilities: an image whose probability equals a threshold (a mean) must reach it."""


def count_errors(probability: np.ndarray, codes: np.ndarray) -> int:
    """Return the estimated number of wrong labels: the sum of the confident joint outside its diagonal.

    For each class, the threshold is the mean probability of the class among the images with this label. An image is
    confidently of a class if its probability reaches the threshold (eq. 2); of several such classes the most probable
    one counts (eq. 1). A label is wrong if the image is confidently of another class. As in the authors' library
    cleanlab, a label that is the most probable of all classes is never counted as wrong.

    Parameters
    ----------
    probability : (N, C) probability of each class, out of sample; rows sum to 1.
    codes : (N,) labels as integers below C; each class occurs.
    """
    labelled = np.eye(probability.shape[1], dtype=bool)[codes]
    thresholds = (probability * labelled).sum(axis=0) / labelled.sum(axis=0)
    confident = probability >= thresholds - TOLERANCE
    guess = np.where(confident, probability, -1).argmax(axis=1)
    doubted = probability.max(axis=1) > probability[labelled] + TOLERANCE
    return int(np.count_nonzero(confident.any(axis=1) & (guess != codes) & doubted))
