"""Agglomerative clustering by single, complete, average, centroid and Ward linkage (fastcluster): any k of one tree."""

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
    """Cluster `points` (N, d) for each k of the settings (those of `settings.Linkage`): one tree, cut once for each k.

    Nothing is random. Raises `UserError` with the bytes needed if the distances of all pairs do not fit into memory.
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
    (N - 1, 4) float64 in the order of merging, as `scipy.cluster.hierarchy.linkage` has them: the two clusters (the
    points are 0..N-1, the i-th merge makes N + i), the height (for centroid linkage it may fall), and the size.
    """
    if needs_matrix(linkage, *points.shape):
        return from_matrix(points, linkage)
    return fastcluster.linkage_vector(points, linkage)


def from_matrix(points: np.ndarray, linkage: str) -> np.ndarray:
    """Return `tree` from the distances of all pairs; raises `UserError` with the bytes needed if they do not fit."""
    n = len(points)
    instead = f"allowed: fewer images, or linkage: {', '.join(FROM_POINTS)}, which do without the matrix of distances"
    need_memory(f"{linkage} linkage of {n} images", matrix_bytes(n), instead)
    return fastcluster.linkage(pdist(points), linkage, preserve_input=False)


def cut(merges: np.ndarray, k: int) -> np.ndarray:
    """Return the k clusters that there are after the first N - k merges.

    Cut by the order of the merges and not by height: centroid linkage inverts (a merge may lie below an earlier one),
    and no height then gives certain k.

    Parameters
    ----------
    merges : (N - 1, 4), as from `tree`.
    k : 1 to N.

    Returns
    -------
    (N,) unsigned labels 0..k-1, every one of which has points.
    """
    n = len(merges) + 1
    parents = np.arange(2 * n - 1)
    parents[merges[: n - k, :2].astype(np.intp)] = n + np.arange(n - k)[:, None]
    labels = np.unique(roots(parents)[:n], return_inverse=True)[1]
    return labels.astype(np.min_scalar_type(k - 1))
