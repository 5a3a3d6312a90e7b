"""Scores that need no labels: how compact the clusters of many partitions are, and how well they are separated."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.metrics.contingency import as_partitions
from workflow_scripts.metrics.pairs import distance_blocks

MAX_POINTS = 20_000
"""Largest number of points for which the distances of all pairs are computed; with more points a score is estimated
from a sample."""
NORMAL_95 = 1.96
_BLOCK_BYTES = 1 << 28  # size of a block of distances; fixed, so that sums are formed in the same order everywhere


class Estimates(NamedTuple):
    """A metric of R partitions: the `value` of each, and the ends `low` and `high` of its 95 % interval.

    Each is (R,) float64. The ends are NaN if the value is exact.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def exact(cls, values: npt.ArrayLike) -> Self:
        """Return estimates with these exact `values` (R,); the ends of the intervals are NaN."""
        exact = np.array(values, dtype=float)
        return cls(exact, *np.full((2, len(exact)), np.nan))

    @classmethod
    def sampled(cls, values_and_errors: npt.ArrayLike, quantile: float) -> Self:
        """Return estimates from (R, 2) values and standard errors.

        The interval is the value plus and minus `quantile` times the standard error.
        """
        value, error = np.array(values_and_errors).reshape(-1, 2).T
        return cls(value, value - quantile * error, value + quantile * error)


def renumbered(partition: np.ndarray) -> np.ndarray:
    """Return a partition (N,) with its K clusters renumbered 0..K-1 in the order of their numbers; noise becomes -1."""
    values, inverse = np.unique(partition, return_inverse=True)
    return np.maximum(inverse - np.count_nonzero(values < 0), -1)


def silhouettes(X: npt.ArrayLike, labels: npt.ArrayLike, *, max_points: int = MAX_POINTS, seed: int = 0) -> Estimates:
    """Return the mean silhouette (Rousseeuw 1987) by Euclidean distance of every partition of the same points.

    Noise (a negative number) is left out: it is no cluster. A point alone in its cluster has the silhouette 0.
    Distances are computed once for all partitions. With more than `max_points` points, each partition is scored on a
    sample of that many points. The sample has no noise, and each cluster has the same share in it as in the partition.
    The confidence interval is computed by linearisation (infinitesimal jackknife, Särndal et al. 1992, section 5.5),
    because a sampled point also changes the silhouettes of the other points.

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
        values = _silhouettes(points, [renumbered(partition) for partition in partitions])
        return Estimates.exact(values)
    sampled = [_sampled_silhouette(points, renumbered(row), max_points, seed) for row in partitions]
    return Estimates.sampled(sampled, NORMAL_95)


def silhouette_samples(points: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the silhouettes of the points of one partition, without noise.

    If more than `MAX_POINTS` points are in clusters, only a sample of them is used, which is drawn as in `silhouettes`.
    `points` are (N, d), and `clusters` (N,) are integers, negative for noise.

    Returns
    -------
    rows : (S,) ascending rows of the points that are used.
    silhouettes : (S,) float64, NaN for fewer than two clusters.
    """
    rows = np.flatnonzero(clusters >= 0)
    if len(rows) > MAX_POINTS:
        rows = np.sort(stratified_sample(clusters, MAX_POINTS, np.random.default_rng(0)))
    n_clusters = len(np.unique(clusters[rows]))
    if n_clusters < 2 or n_clusters == len(rows):
        return rows, np.full(len(rows), np.nan if n_clusters < 2 else 0.0)
    from sklearn.metrics import silhouette_samples as of_samples  # takes a second to import

    return rows, of_samples(points[rows] - points[rows].mean(axis=0), clusters[rows])


def _sampled_silhouette(points: np.ndarray, clusters: np.ndarray, n_points: int, seed: int) -> tuple[float, float]:
    """Return the mean silhouette of a stratified sample (`stratified_sample`), and its standard error.

    Both are NaN if there are fewer than two clusters.
    """
    if clusters.max() < 1:
        return np.nan, np.nan
    sample = stratified_sample(clusters, n_points, np.random.default_rng(seed))
    drawn, sizes = clusters[sample], np.bincount(clusters[clusters >= 0])
    influence = np.zeros(len(sample))
    (value,) = _silhouettes(points[sample], [drawn], influence)
    counts = np.bincount(drawn, minlength=len(sizes))
    means = np.bincount(drawn, influence, len(sizes)) / np.maximum(counts, 1)
    variances = np.bincount(drawn, (influence - means[drawn]) ** 2, len(sizes)) / np.maximum(counts - 1, 1)
    return value, np.sqrt((counts * (1 - counts / sizes) * variances).sum()) / len(sample)


def stratified_sample(labels: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return the indices of at most `n_points` points, drawn without replacement in proportion to the clusters' sizes.

    The points are shuffled and sorted by cluster, and then points at equal steps are taken. So the number from each
    cluster differs from its exact proportion by less than one point. `labels` (N,) are integers; noise (negative) is
    not drawn.
    """
    shuffled = rng.permutation(np.flatnonzero(labels >= 0))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    n_points = min(n_points, len(by_cluster))
    return by_cluster[np.arange(n_points) * len(by_cluster) // max(n_points, 1)]


def _silhouettes(points: np.ndarray, partitions: list[np.ndarray], influence: np.ndarray | None = None) -> np.ndarray:
    """Return the mean silhouette of every partition (from `renumbered`); distances are computed in blocks of rows.

    If the array `influence` (N,) is given, there must be one partition. Then the influence of each point on the sum of
    the silhouettes is added to the array, up to a constant for each cluster.
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
    """Return the sum of the silhouettes of those points in `rows` that are not noise; NaN for fewer than two clusters.

    `from_all` (N, n) holds the distances of all N points to the n points in `rows`. `clusters` (N,) are the numbers
    0..K-1, which all occur; negative is noise. `influence` is described in `_silhouettes`.
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
        # the derivatives of a point's score by its distance to a member of each cluster
        slopes = np.zeros((len(own), n_clusters))
        slopes[here, own] = -np.where(scored, nearest / safe**2, 0) / np.maximum(sizes[own] - 1, 1)
        slopes[here, other] = np.where(scored, within / safe**2, 0) / sizes[other]
        influence[rows][clustered] += scores
        influence += (from_all[:, clustered] @ slopes)[np.arange(len(clusters)), clusters]
    return float(scores.sum())


def compactness(X: npt.ArrayLike, labels: npt.ArrayLike) -> dict[str, np.ndarray]:
    """Return the Calinski-Harabasz and the Davies-Bouldin index of every partition of the same points.

    Noise (a negative number) is left out.

    - `calinski_harabasz`: variance between clusters divided by variance within them (Calinski & Harabasz 1974); larger
      is better, without a limit.
    - `davies_bouldin`: for each cluster, the sum of its width and another cluster's width is divided by the distance of
      the two centres; the largest such ratio is taken, and the mean over the clusters (Davies & Bouldin 1979). Smaller
      is better, 0 is best.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, one partition per row; negative is noise.

    Returns
    -------
    Both indices by name, (R,) float64 each; NaN for fewer than two clusters, or if every cluster has one point only.
    """
    points = np.asarray(X, dtype=np.float64)
    points = points - points.mean(axis=0)
    partitions = as_partitions(labels, len(points))
    rows = np.array([_compactness(points, renumbered(partition)) for partition in partitions]).reshape(-1, 2)
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
    """Return the sizes (K,) and means (K, d) of clusters 0..K-1, and each point's distance (N,) to its own mean."""
    sizes, centres = np.bincount(clusters), cluster_means(points, clusters)
    return sizes, centres, np.linalg.norm(points - centres[clusters], axis=1)
