"""Estimate the number of wrong labels by confident learning (Northcutt, Jiang & Chuang 2021)."""

import numpy as np

TOLERANCE = 1e-6
"""Tolerance in comparisons of probabilities: an image whose probability equals a threshold (a mean) must reach it."""


def count_errors(probability: np.ndarray, codes: np.ndarray) -> int:
    """Return the estimated number of wrong labels: the images that are confidently in another class than their label.

    In the paper, this is the sum of the entries off the diagonal of the confident joint, which is a table of the labels
    against the confident classes.

    The threshold of a class is the mean probability of this class among the images that have it as their label. An
    image is confidently in a class if its probability of this class reaches the threshold (eq. 2). If there are several
    such classes, the most probable one counts (eq. 1). As in the authors' library cleanlab, a label is never counted as
    wrong if it is the most probable class of the image.

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
