"""How compact and how separate the clusters of many partitions of the same points are, whatever the labels say."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.metrics.contingency import as_partitions
from workflow_scripts.metrics.pairs import distance_blocks

MAX_POINTS = 20_000
"""Above, what needs the distances of all pairs is estimated from a sample, with an interval."""
NORMAL_95 = 1.96
_BLOCK_BYTES = 1 << 28  # of distances at once; fixed, so that the sums are formed in the same order everywhere


class Estimates(NamedTuple):
    """A metric of every partition, (R,) float64, and its 95 % interval: NaN where the value is exact."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def compact(partition: np.ndarray) -> np.ndarray:
    """Return the clusters numbered 0..K-1 without a gap, in their order; all noise is -1."""
    values, inverse = np.unique(partition, return_inverse=True)
    return np.maximum(inverse - np.count_nonzero(values < 0), -1)


def silhouettes(X: npt.ArrayLike, labels: npt.ArrayLike, *, max_points: int = MAX_POINTS, seed: int = 0) -> Estimates:
    """Return mean silhouette (Rousseeuw 1987), Euclidean, of every partition of the same points.

    Noise (a negative number) is left out: it is no cluster and nobody's neighbour. A point alone in its cluster
    scores 0. The distances are computed once for all partitions. Above `max_points` every partition is scored on a
    sample of that many of its clustered points instead, which holds each cluster in proportion. The interval is that
    of the linearised estimator (infinitesimal jackknife, Särndal et al. 1992, 5.5): a sampled point counts with its own
    silhouette and with what it adds to the distances of the others.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, a row per partition; negative is noise.
    max_points : the largest N of which all distances are computed.
    seed : of the sample; the same for every partition.

    Returns
    -------
    Estimates in [-1, 1]; NaN for a partition with fewer than two clusters.
    """
    points = np.asarray(X, dtype=np.float64)
    partitions = as_partitions(labels, len(points))
    if len(points) <= max_points:
        values = _silhouettes(points, [compact(partition) for partition in partitions])
        return Estimates(values, *np.full((2, len(values)), np.nan))
    estimates = np.array([_sampled_silhouette(points, compact(row), max_points, seed) for row in partitions])
    value, error = estimates.reshape(-1, 2).T
    return Estimates(value, value - NORMAL_95 * error, value + NORMAL_95 * error)


def silhouette_samples(points: np.ndarray, clusters: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the silhouette of each clustered point of one partition, among the clustered ones, or of a sample of
    these.

    The sample is that of `silhouettes`, of `MAX_POINTS` and in proportion. Noise is left out.

    Returns
    -------
    The rows of the points (S,), ascending, and their silhouettes (S,): NaN for fewer than two clusters.
    """
    rows = np.flatnonzero(clusters >= 0)
    if len(rows) > MAX_POINTS:
        rows = np.sort(stratified_sample(clusters, MAX_POINTS, np.random.default_rng(seed)))
    n_clusters = len(np.unique(clusters[rows]))
    if n_clusters < 2 or n_clusters == len(rows):
        return rows, np.full(len(rows), np.nan if n_clusters < 2 else 0.0)
    from sklearn.metrics import silhouette_samples as of_samples  # takes a second to import

    return rows, of_samples(points[rows] - points[rows].mean(axis=0), clusters[rows])


def _sampled_silhouette(points: np.ndarray, clusters: np.ndarray, n_points: int, seed: int) -> tuple[float, float]:
    """Return silhouette of a sample, and its standard error: clusters are strata, drawn without replacement."""
    sample = stratified_sample(clusters, n_points, np.random.default_rng(seed))
    drawn, sizes = clusters[sample], np.bincount(clusters[clusters >= 0])
    influence = np.zeros(len(sample))
    (value,) = _silhouettes(points[sample], [drawn], influence)
    strata = pd.Series(influence).groupby(drawn).agg(["size", "var"])
    left_out = 1 - strata["size"] / sizes[strata.index]
    return value, np.sqrt((strata["size"] * left_out * strata["var"].fillna(0)).sum()) / len(sample)


def stratified_sample(labels: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return indices of at most `n_points` clustered points without replacement, each cluster in proportion to within
    one.

    Systematic sampling at equal steps along the shuffled points, sorted by cluster.
    """
    shuffled = rng.permutation(np.flatnonzero(labels >= 0))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    n_points = min(n_points, len(by_cluster))
    return by_cluster[np.arange(n_points) * len(by_cluster) // max(n_points, 1)]


def _silhouettes(points: np.ndarray, partitions: list[np.ndarray], influence: np.ndarray | None = None) -> np.ndarray:
    """Return mean silhouette of every compact partition, the distances computed in chunks of rows.

    `influence` (N,) gets what each point of the only partition adds to the sum, but for a constant in each cluster.
    """
    sums = np.zeros(len(partitions))
    start = 0
    # the centre as origin: distances come from |x|² - 2xy + |y|², which loses digits far from it
    for distances in distance_blocks(points - points.mean(axis=0), _BLOCK_BYTES):
        rows = slice(start, start + len(distances))
        from_all = np.ascontiguousarray(distances.T)  # once, as a product of a sparse with a dense matrix wants it
        sums += [_silhouette_sum(from_all, clusters, rows, influence) for clusters in partitions]
        start = rows.stop
    return sums / [max(np.count_nonzero(clusters >= 0), 1) for clusters in partitions]


def _silhouette_sum(from_all: np.ndarray, clusters: np.ndarray, rows: slice, influence: np.ndarray | None) -> float:
    """Return sum of the silhouettes of the clustered points among `rows`, from the distances of all N points to them.

    `clusters` (N,) numbers the clusters 0..K-1 without a gap; negative is noise. NaN if K < 2.
    """
    from scipy.sparse import csr_array

    everyone = np.flatnonzero(clusters >= 0)
    sizes = np.bincount(clusters[everyone])
    n_clusters = len(sizes)
    if n_clusters < 2:
        return np.nan
    members = csr_array((np.ones(len(everyone)), (clusters[everyone], everyone)), shape=(n_clusters, len(clusters)))
    clustered = np.flatnonzero(clusters[rows] >= 0)
    own = clusters[rows][clustered]
    here = np.arange(len(own))
    distance_sums = (members @ from_all).T[clustered]
    within = distance_sums[here, own] / np.maximum(sizes[own] - 1, 1)
    between = distance_sums / sizes
    between[here, own] = np.inf
    other = between.argmin(axis=1)
    nearest = between[here, other]
    widest = np.maximum(within, nearest)
    scored = (sizes[own] > 1) & (widest > 0)
    safe = np.where(scored, widest, 1)
    scores = np.where(scored, (nearest - within) / safe, 0.0)
    if influence is not None:
        slopes = np.zeros((len(own), n_clusters))  # of the score, by the distance to one more member of each cluster
        slopes[here, own] = -np.where(scored, nearest / safe**2, 0) / np.maximum(sizes[own] - 1, 1)
        slopes[here, other] = np.where(scored, within / safe**2, 0) / sizes[other]
        influence[rows][clustered] += scores
        influence += (from_all[:, clustered] @ slopes)[np.arange(len(clusters)), clusters]
    return float(scores.sum())


def compactness(X: npt.ArrayLike, labels: npt.ArrayLike) -> pd.DataFrame:
    """Return variance ratio and Davies-Bouldin index of every partition of the same points, on all of them at any N.

    Noise (a negative number) is left out of both: the points' common centre is that of the clustered ones.

    - `calinski_harabasz`: variance between the clusters over that within them (Calinski & Harabasz 1974); the larger
      the better, without a limit.
    - `davies_bouldin`: mean over the clusters of the worst ratio of two clusters' widths to the distance of their
      centres (Davies & Bouldin 1979); the smaller the better, 0 at best.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, a row per partition; negative is noise.

    Returns
    -------
    DataFrame with R rows; NaN for fewer than two clusters, or for as many as clustered points.
    """
    points = np.asarray(X, dtype=np.float64)
    points = points - points.mean(axis=0)
    partitions = as_partitions(labels, len(points))
    rows = [_compactness(points, compact(partition)) for partition in partitions]
    return pd.DataFrame(rows, columns=["calinski_harabasz", "davies_bouldin"], dtype=float)


def _compactness(points: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    from scipy.spatial.distance import pdist, squareform

    points, clusters = points[clusters >= 0], clusters[clusters >= 0]
    n, k = len(points), int(clusters.max(initial=-1)) + 1
    if not 2 <= k < n:
        return np.nan, np.nan
    sizes, centres, radii = radii_of(points, clusters)
    within = float((radii**2).sum())
    between = float((sizes * np.square(centres - points.mean(axis=0)).sum(axis=1)).sum())
    ratio = between * (n - k) / (within * (k - 1)) if within else 1.0
    widths = np.bincount(clusters, radii) / sizes
    apart = squareform(pdist(centres))
    if np.allclose(widths, 0) or np.allclose(apart, 0):
        return ratio, 0.0
    apart[apart == 0] = np.inf
    return ratio, float(((widths[:, None] + widths) / apart).max(axis=1).mean())


def radii_of(points: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return size (K,) and mean (K, d) of each cluster 0..K-1, and each point's distance to its cluster's mean (N,)."""
    sizes, centres = np.bincount(clusters), cluster_means(points, clusters)
    return sizes, centres, np.linalg.norm(points - centres[clusters], axis=1)
