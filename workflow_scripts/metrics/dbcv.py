"""Density-based cluster validity of partitions (DBCV, Moulavi et al. 2014), which also works in many dimensions."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from workflow_scripts.clusterers.spanning_tree import Distances, spanning_tree
from workflow_scripts.metrics.contingency import as_partitions
from workflow_scripts.metrics.internal import MAX_POINTS, Estimates, renumbered, stratified_sample

KEPT_POINTS = 5000
"""Largest number of points for which the distances of all pairs are kept in memory (200 MB); for more points they are
computed when they are needed."""
CHUNK_CELLS = 1 << 22
"""Largest number of distances that are computed at once."""
SAMPLES = 5
"""Number of samples if there are too many points; the value is then the mean over the samples."""
POINTS_OF_SAMPLE = 4000
"""Number of points in each sample."""
STUDENT_95 = 2.776
"""The 97.5 % quantile of Student's t with SAMPLES - 1 degrees of freedom."""


def dbcv(X: npt.ArrayLike, labels: npt.ArrayLike, *, max_points: int = MAX_POINTS, seed: int = 0) -> Estimates:
    """Return the density-based cluster validity of every partition (Moulavi et al. 2014, definitions 1 to 8).

    The validity of a cluster compares the widest gap inside it with the narrowest gap to another cluster. Gaps are
    measured by mutual reachability, which is computed from Euclidean distances; the widest gap inside a cluster is an
    edge of its minimum spanning tree. The value of the partition is the mean validity of the clusters, weighted by
    size. **Noise** (a negative number) counts in the total of the weights but in no cluster, so a partition with more
    noise has a value nearer to 0.

    The core distance of a point is a mean of distances to the power -d. In many dimensions such powers are too large or
    too small for a float, so they are computed with logarithms. As in hdbscan's `validity_index`, a pair at distance 0
    adds nothing to the density, and a tree without an edge between inner nodes uses its longest edge. If several edges
    are equally long, the one to the point with the lowest index is taken. A cluster of one point has the validity 0.

    If there are more than `max_points` points, the value is the mean over SAMPLES disjoint samples of POINTS_OF_SAMPLE
    points, with Student's interval. Every cluster, and the noise, has the same share of each sample as of all points.
    Density depends on the number of points, so the value is that of clusters with fewer points.

    Parameters
    ----------
    X : (N, d) points.
    labels : (R, N) integers, one partition per row; negative is noise.
    max_points : largest N for which all distances are computed.
    seed : seed of the samples, the same for every partition.

    Returns
    -------
    Estimates in [-1, 1]; NaN for a partition with fewer than two clusters.
    """
    points = np.asarray(X, dtype=np.float64)
    partitions = as_partitions(labels, len(points))
    if len(points) > max_points:
        return Estimates.sampled([_sampled(points, renumbered(row), seed) for row in partitions], STUDENT_95)
    distances = _distances(points)
    return Estimates.exact([_index(distances, points.shape[1], renumbered(row)) for row in partitions])


def validities(X: npt.ArrayLike, labels: npt.ArrayLike) -> np.ndarray:
    """Return the validity of each cluster of one partition (definition 7), (K,) float64 in [-1, 1].

    X (N, d) are the points. `labels` (N,) are integers, negative for noise. The result is in the order of the clusters'
    numbers; `dbcv` is its weighted mean.
    """
    points = np.asarray(X, dtype=np.float64)
    return _validities(_distances(points), points.shape[1], renumbered(np.asarray(labels)))


def _distances(points: np.ndarray) -> Distances:
    if len(points) > KEPT_POINTS:
        return lambda rows, columns: cdist(points[rows], points[columns])
    kept = cdist(points, points)
    return lambda rows, columns: kept[rows[:, None], columns]


def _index(distances: Distances, dimension: int, clusters: np.ndarray) -> float:
    if clusters.max() < 1:
        return np.nan
    sizes = np.bincount(clusters[clusters >= 0])
    return float(sizes @ _validities(distances, dimension, clusters) / len(clusters))


def _sampled(points: np.ndarray, clusters: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the mean of DBCV over the samples, and the standard error of this mean."""
    drawn = stratified_sample(clusters + 1, SAMPLES * POINTS_OF_SAMPLE, np.random.default_rng(seed))
    samples = [drawn[start::SAMPLES] for start in range(SAMPLES)]  # sorted by cluster, so each gets a share of all
    values = [_index(_distances(points[rows]), points.shape[1], renumbered(clusters[rows])) for rows in samples]
    return float(np.mean(values)), float(np.std(values, ddof=1)) / np.sqrt(SAMPLES)


def _validities(distances: Distances, dimension: int, clusters: np.ndarray) -> np.ndarray:
    members = [np.flatnonzero(clusters == cluster) for cluster in range(clusters.max() + 1)]
    cores = [_core_distances(distances, rows, dimension) for rows in members]
    trees = [spanning_tree(distances, rows, core) for rows, core in zip(members, cores, strict=True)]
    inner = [np.bincount(tree.ravel(), minlength=len(rows)) > 1 for (tree, _), rows in zip(trees, members, strict=True)]
    sparseness = np.array([_longest(*tree, rows) for tree, rows in zip(trees, inner, strict=True)])
    inner = [rows if rows.any() else np.arange(len(rows)) == 0 for rows in inner]
    skeletons = [(rows[node], core[node]) for rows, core, node in zip(members, cores, inner, strict=True)]
    separation = np.full(len(members), np.inf)
    for i, j in combinations(range(len(members)), 2):
        gap = _narrowest(distances, skeletons[i], skeletons[j])
        separation[[i, j]] = np.minimum(separation[[i, j]], gap)
    alone = np.array([len(rows) == 1 for rows in members])
    wider = np.maximum(separation, sparseness)
    return np.where(alone | (wider == 0), 0.0, (separation - sparseness) / np.where(wider > 0, wider, 1))


def _core_distances(distances: Distances, members: np.ndarray, dimension: int) -> np.ndarray:
    """Return the all-points core distance of each member of a cluster (definition 1), (M,) float64.

    `members` (M,) are the rows of the cluster's points, `dimension` is d. If all points are equal, the distances are 0.
    """
    log_sums = np.full(len(members), -np.inf)
    for rows in _chunks(len(members), len(members)):
        with np.errstate(divide="ignore"):
            log_distance = np.log(distances(members[rows], members))
        log_power = np.where(np.isneginf(log_distance), -np.inf, -dimension * log_distance)
        log_sums[rows] = logsumexp(log_power, axis=1)
    core = np.exp((np.log(max(len(members) - 1, 1)) - log_sums) / dimension)
    return np.where(np.isneginf(log_sums), 0.0, core)


def _longest(edges: np.ndarray, lengths: np.ndarray, inner: np.ndarray) -> float:
    """Return the longest edge between two inner nodes of a tree (definition 5).

    An inner node has more than one edge; `inner` (M,) bool marks these nodes. If no edge is between inner nodes, the
    longest of all edges is returned, and 0 for a tree without edges.
    """
    between = inner[edges].all(axis=1)
    return float(lengths[between if between.any() else slice(None)].max(initial=0.0))


def _narrowest(distances: Distances, a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the smallest mutual reachability between inner nodes of two clusters (definition 6).

    `a` and `b` are the clusters: the rows of their inner nodes, and the core distances of these.
    """
    (nodes, core), (others, other_core) = a, b
    return min(
        float(np.maximum(np.maximum(distances(nodes[rows], others), core[rows, None]), other_core).min())
        for rows in _chunks(len(nodes), len(others))
    )


def _chunks(n_rows: int, n_columns: int) -> list[slice]:
    step = max(1, CHUNK_CELLS // max(n_columns, 1))
    return [slice(start, start + step) for start in range(0, n_rows, step)]
