"""Scores that need no labels: how compact and how well separated the clusters of many partitions are."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.metrics.contingency import as_partitions
from workflow_scripts.metrics.pairs import distance_blocks

MAX_POINTS = 20_000
"""Largest number of points for which all pairwise distances are computed; above it a sample gives an estimate."""
NORMAL_95 = 1.96
_BLOCK_BYTES = 1 << 28  # size of a block of distances; fixed, so that sums are formed in the same order everywhere


class Estimates(NamedTuple):
    """A metric of every partition, (R,) float64, and its 95 % interval, which is NaN where the value is exact."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def exact(cls, values: npt.ArrayLike) -> Self:
        """Return estimates of exact `values` (R,), without an interval."""
        exact = np.array(values, dtype=float)
        return cls(exact, *np.full((2, len(exact)), np.nan))

    @classmethod
    def sampled(cls, values_and_errors: npt.ArrayLike, quantile: float) -> Self:
        """Return estimates from R pairs of a value and its standard error, of which the interval has `quantile`."""
        value, error = np.array(values_and_errors).reshape(-1, 2).T
        return cls(value, value - quantile * error, value + quantile * error)


def compact(partition: np.ndarray) -> np.ndarray:
    """Return the clusters of a partition (N,) renumbered 0..K-1 in their order; noise becomes -1."""
    values, inverse = np.unique(partition, return_inverse=True)
    return np.maximum(inverse - np.count_nonzero(values < 0), -1)


def silhouettes(X: npt.ArrayLike, labels: npt.ArrayLike, *, max_points: int = MAX_POINTS, seed: int = 0) -> Estimates:
    """Return the mean silhouette (Rousseeuw 1987), Euclidean, of every partition of the same points.

    Noise (a negative number) is left out: it is not a cluster and never a neighbour. A point alone in its cluster has
    the silhouette 0. Distances are computed once for all partitions. With more than `max_points` points each partition
    is scored on a sample of that many of its clustered points, stratified by cluster. The interval is that of the
    linearised estimator (infinitesimal jackknife, Särndal et al. 1992, section 5.5): a sampled point counts with its
    own silhouette and with its contribution to the distances of the others.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, one partition per row; negative is noise.
    max_points : largest N for which all distances are computed.
    seed : seed of the sample, the same for every partition.

    Returns
    -------
    Estimates in [-1, 1]; NaN for a partition with fewer than two clusters.
    """
    points = np.asarray(X, dtype=np.float64)
    partitions = as_partitions(labels, len(points))
    if len(points) <= max_points:
        values = _silhouettes(points, [compact(partition) for partition in partitions])
        return Estimates.exact(values)
    sampled = [_sampled_silhouette(points, compact(row), max_points, seed) for row in partitions]
    return Estimates.sampled(sampled, NORMAL_95)


def silhouette_samples(points: np.ndarray, clusters: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the silhouette of each clustered point of one partition, or of the points of a sample.

    With more than `MAX_POINTS` points the sample is that of `silhouettes`. Noise is left out.

    Returns
    -------
    rows : (S,) ascending rows of the points.
    silhouettes : (S,) float64, NaN for fewer than two clusters.
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
    """Return the silhouette of a sample stratified by cluster, drawn without replacement, and its standard error."""
    sample = stratified_sample(clusters, n_points, np.random.default_rng(seed))
    drawn, sizes = clusters[sample], np.bincount(clusters[clusters >= 0])
    influence = np.zeros(len(sample))
    (value,) = _silhouettes(points[sample], [drawn], influence)
    counts = np.bincount(drawn, minlength=len(sizes))
    means = np.bincount(drawn, influence, len(sizes)) / np.maximum(counts, 1)
    variances = np.bincount(drawn, (influence - means[drawn]) ** 2, len(sizes)) / np.maximum(counts - 1, 1)
    return value, np.sqrt((counts * (1 - counts / sizes) * variances).sum()) / len(sample)


def stratified_sample(labels: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return the indices of at most `n_points` clustered points, drawn without replacement, stratified by `labels`
    (N,).

    Each cluster gets its proportion to within one point, by systematic sampling along the shuffled points sorted by
    cluster.
    """
    shuffled = rng.permutation(np.flatnonzero(labels >= 0))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    n_points = min(n_points, len(by_cluster))
    return by_cluster[np.arange(n_points) * len(by_cluster) // max(n_points, 1)]


def _silhouettes(points: np.ndarray, partitions: list[np.ndarray], influence: np.ndarray | None = None) -> np.ndarray:
    """Return the mean silhouette of every compact partition; distances are computed in blocks of rows.

    If `influence` (N,) is given, the influence of each point of the only partition on the sum is added to it, up to a
    constant for each cluster.
    """
    sums = np.zeros(len(partitions))
    start = 0
    # the points are centred because |x|² - 2xy + |y|² loses digits far from the origin
    for distances in distance_blocks(points - points.mean(axis=0), _BLOCK_BYTES):
        rows = slice(start, start + len(distances))
        from_all = np.ascontiguousarray(distances.T)  # copied once; products with sparse matrices would copy each time
        sums += [_silhouette_sum(from_all, clusters, rows, influence) for clusters in partitions]
        start = rows.stop
    return sums / [max(np.count_nonzero(clusters >= 0), 1) for clusters in partitions]


def _silhouette_sum(from_all: np.ndarray, clusters: np.ndarray, rows: slice, influence: np.ndarray | None) -> float:
    """Return the sum of the silhouettes of the clustered points among `rows`; NaN for fewer than two clusters.

    `from_all` (N, n) holds the distances of all N points to the n points of `rows`. `clusters` (N,) are 0..K-1 without
    gaps; negative is noise.
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
        slopes = np.zeros(
            (len(own), n_clusters)
        )  # derivatives of the score by the distance to a member of each cluster
        slopes[here, own] = -np.where(scored, nearest / safe**2, 0) / np.maximum(sizes[own] - 1, 1)
        slopes[here, other] = np.where(scored, within / safe**2, 0) / sizes[other]
        influence[rows][clustered] += scores
        influence += (from_all[:, clustered] @ slopes)[np.arange(len(clusters)), clusters]
    return float(scores.sum())


def compactness(X: npt.ArrayLike, labels: npt.ArrayLike) -> dict[str, np.ndarray]:
    """Return the variance ratio and the Davies-Bouldin index of every partition of the same points, for any N.

    Noise (a negative number) is left out of both, and of the common centre.

    - `calinski_harabasz`: variance between clusters divided by variance within them (Calinski & Harabasz 1974); larger
      is better, without a limit.
    - `davies_bouldin`: mean over the clusters of the largest ratio of two clusters' widths to the distance of their
      centres (Davies & Bouldin 1979); smaller is better, 0 is best.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, one partition per row; negative is noise.

    Returns
    -------
    Both by name, (R,) each; NaN for fewer than two clusters, or if every clustered point is a cluster.
    """
    points = np.asarray(X, dtype=np.float64)
    points = points - points.mean(axis=0)
    partitions = as_partitions(labels, len(points))
    rows = np.array([_compactness(points, compact(partition)) for partition in partitions]).reshape(-1, 2)
    return {"calinski_harabasz": rows[:, 0], "davies_bouldin": rows[:, 1]}


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
    """Return sizes (K,), means (K, d) of clusters 0..K-1, and the distance (N,) of each point to its cluster's mean."""
    sizes, centres = np.bincount(clusters), cluster_means(points, clusters)
    return sizes, centres, np.linalg.norm(points - centres[clusters], axis=1)
