"""Compute the mean of every cluster of a partition."""

import numpy as np

from workflow_scripts.io.points import Matrix

BLOCK_BYTES = 1 << 25
"""Size of the block of points that is in memory at once; it does not change the result."""


def cluster_means(points: Matrix, labels: np.ndarray) -> np.ndarray:
    """Return the means (K, d) float64 of clusters 0..K-1.

    `points` (N, d) may be an HDF5 dataset; it is read in blocks. `labels` (N,) are integers; points with a negative
    label are noise and left out. The mean of an empty cluster is NaN. The points of a cluster are added one by one in
    the order of their rows, so the last bits equal those of `points[labels == cluster].mean(axis=0)`.
    """
    from scipy.sparse import csr_array

    n_points, d = points.shape
    clusters = labels.astype(np.intp)
    sizes = np.bincount(clusters[clusters >= 0])
    sums, every = np.zeros((len(sizes), d)), np.arange(len(sizes))
    step = max(256, BLOCK_BYTES // (8 * d))
    for start in range(0, n_points, step):
        block = np.concatenate([sums, points[start : start + step]])  # earlier sums are added first
        own = clusters[start : start + step]
        members = np.flatnonzero(own >= 0)
        row, column = np.concatenate([every, own[members]]), np.concatenate([every, len(sizes) + members])
        sums = csr_array((np.ones(len(row)), (row, column)), shape=(len(sizes), len(block))) @ block
    with np.errstate(invalid="ignore"):
        return sums / sizes[:, None]
