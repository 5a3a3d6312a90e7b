"""Agglomerative clustering with fastcluster by single, complete, average, centroid or Ward linkage."""

from collections.abc import Iterator, Mapping
from typing import Any

import fastcluster
import numpy as np
from scipy.spatial.distance import pdist

from workflow_scripts.all_pairs import FROM_POINTS, matrix_bytes, needs_matrix
from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.forest import roots
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Linkage`; yields (k, the runs).

    The tree of merges is computed once and cut for each k. The method is not random. Raises `UserError` if the
    distances of all pairs are needed and do not fit into memory.
    """
    merges = tree(points, settings["linkage"])
    for done, k in enumerate(settings["k"], 1):
        yield k, Runs.single(cut(merges, k)[None])
        progress(done, len(settings["k"]))


def tree(points: np.ndarray, linkage: str) -> np.ndarray:
    """Return the merges of an agglomerative clustering by Euclidean distance.

    Parameters
    ----------
    points : (N, d) float64.
    linkage : `single`, `complete`, `average`, `centroid` or `ward`.

    Returns
    -------
    (N - 1, 4) float64, one row for each merge, in order, as `scipy.cluster.hierarchy.linkage` returns them. The columns
    are the two clusters that are merged, the height of the merge, and the number of points in the new cluster. Clusters
    0 to N - 1 are the points; merge i makes cluster N + i. With centroid linkage a merge may be lower than the one
    before.
    """
    if needs_matrix(linkage, *points.shape):
        return from_matrix(points, linkage)
    return fastcluster.linkage_vector(points, linkage)


def from_matrix(points: np.ndarray, linkage: str) -> np.ndarray:
    """Return the merges as `tree` does, (N - 1, 4), computed from the distances of all pairs of `points` (N, d).

    Raises `UserError` if the distances do not fit into memory.
    """
    n = len(points)
    instead = f"allowed: fewer images, or linkage: {', '.join(FROM_POINTS)}, which need no matrix of distances"
    need_memory(f"{linkage} linkage of {n} images", matrix_bytes(n), instead)
    return fastcluster.linkage(pdist(points), linkage, preserve_input=False)


def cut(merges: np.ndarray, k: int) -> np.ndarray:
    """Return the k clusters that exist after the first N - k merges.

    The tree is cut by the order of the merges and not by height. With centroid linkage a merge may be lower than an
    earlier one, and then there are values of k that no height gives.

    Parameters
    ----------
    merges : (N - 1, 4), from `tree`.
    k : 1 to N.

    Returns
    -------
    (N,) unsigned labels 0..k-1; no cluster is empty.
    """
    n = len(merges) + 1
    parents = np.arange(2 * n - 1)
    parents[merges[: n - k, :2].astype(np.intp)] = n + np.arange(n - k)[:, None]
    labels = np.unique(roots(parents)[:n], return_inverse=True)[1]
    return labels.astype(np.min_scalar_type(k - 1))
