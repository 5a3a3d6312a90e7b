"""The means of the clusters of a partition: the one computation that everything with centres goes back to."""

import numpy as np

from workflow_scripts.io.points import Matrix

BLOCK_BYTES = 1 << 25
"""Of points that are held at once; the result does not depend on it."""


def cluster_means(points: Matrix, labels: np.ndarray) -> np.ndarray:
    """Return the means (K, d) float64 of the members of clusters 0..K-1.

    `points` (N, d) may be an HDF5 dataset, which is read in blocks; `labels` (N,) integers, negative is noise, which
    is left out. A cluster without a member has NaN. Members are added in the order of their rows, one by one: the last
    bits are those of `points[labels == cluster].mean(axis=0)`.
    """
    from scipy.sparse import csr_array

    n_points, d = points.shape
    clusters = labels.astype(np.intp)
    sizes = np.bincount(clusters[clusters >= 0])
    sums, every = np.zeros((len(sizes), d)), np.arange(len(sizes))
    step = max(256, BLOCK_BYTES // (8 * d))
    for start in range(0, n_points, step):
        block = np.concatenate([sums, points[start : start + step]])  # the sums so far come first in each row's sum
        own = clusters[start : start + step]
        members = np.flatnonzero(own >= 0)
        row, column = np.concatenate([every, own[members]]), np.concatenate([every, len(sizes) + members])
        sums = csr_array((np.ones(len(row)), (row, column)), shape=(len(sizes), len(block))) @ block
    with np.errstate(invalid="ignore"):
        return sums / sizes[:, None]
