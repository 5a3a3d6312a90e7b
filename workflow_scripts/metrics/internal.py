"""Mean silhouette of many partitions of the same points, from one set of distances."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import pairwise_distances_chunked

from workflow_scripts.metrics.contingency import as_partitions

_CHUNK_MIB = 256  # of distances at once; fixed, so that the sums are formed in the same order everywhere


def silhouettes(X: npt.ArrayLike, labels: npt.ArrayLike, *, max_points: int = 20_000, seed: int = 0) -> np.ndarray:
    """Mean silhouette (Rousseeuw 1987), Euclidean, of every partition of the same points.

    Noise (a negative number) is left out: it is no cluster and nobody's neighbour. A point alone in its cluster
    scores 0. The distances are computed once for all partitions. Above `max_points` every partition is scored on a
    sample of that many of its clustered points instead, which holds each cluster in proportion.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, a row per partition; negative is noise.
    max_points : the largest N of which all distances are computed.
    seed : of the sample; the same for every partition.

    Returns
    -------
    (R,) float64 in [-1, 1]; NaN for a partition with fewer than two clusters.
    """
    points = np.asarray(X, dtype=np.float64)
    partitions = as_partitions(labels, len(points))
    if len(points) <= max_points:
        return _silhouettes(points, partitions)
    samples = [_stratified_sample(partition, max_points, np.random.default_rng(seed)) for partition in partitions]
    return np.array(
        [_silhouettes(points[sample], partitions[r : r + 1, sample])[0] for r, sample in enumerate(samples)]
    )


def _stratified_sample(labels: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of at most `n_points` clustered points without replacement, each cluster in proportion to within one.

    Systematic sampling at equal steps along the shuffled points, sorted by cluster.
    """
    shuffled = rng.permutation(np.flatnonzero(labels >= 0))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    n_points = min(n_points, len(by_cluster))
    return by_cluster[np.arange(n_points) * len(by_cluster) // max(n_points, 1)]


def _silhouettes(points: np.ndarray, partitions: np.ndarray) -> np.ndarray:
    """Mean silhouette of every row of `partitions`, the distances computed in chunks of rows."""
    codes = [np.unique(partition, return_inverse=True) for partition in partitions]
    clusters = [inverse - np.count_nonzero(values < 0) for values, inverse in codes]
    sums = np.zeros(len(partitions))
    start = 0
    # the centre as origin: distances come from |x|² - 2xy + |y|², which loses digits far from it
    for distances in pairwise_distances_chunked(points - points.mean(axis=0), working_memory=_CHUNK_MIB):
        rows = slice(start, start + len(distances))
        sums += [_silhouette_sum(distances, cluster, rows) for cluster in clusters]
        start = rows.stop
    return sums / [max(np.count_nonzero(cluster >= 0), 1) for cluster in clusters]


def _silhouette_sum(distances: np.ndarray, clusters: np.ndarray, rows: slice) -> float:
    """Sum of the silhouettes of the clustered points among `rows`, from their distances to all N points.

    `clusters` (N,) numbers the clusters 0..K-1 without a gap; negative is noise. NaN if K < 2.
    """
    members = (clusters[:, None] == np.arange(clusters.max() + 1)).astype(np.float64)
    n_clusters = members.shape[1]
    if n_clusters < 2:
        return np.nan
    clustered = np.flatnonzero(clusters[rows] >= 0)
    own = clusters[rows][clustered]
    here = np.arange(len(own))
    distance_sums = (distances @ members)[clustered]
    sizes = members.sum(axis=0)
    within = distance_sums[here, own] / np.maximum(sizes[own] - 1, 1)
    between = distance_sums / sizes
    between[here, own] = np.inf
    nearest = between.min(axis=1)
    widest = np.maximum(within, nearest)
    scores = np.where((sizes[own] > 1) & (widest > 0), (nearest - within) / np.where(widest > 0, widest, 1), 0.0)
    return float(scores.sum())
