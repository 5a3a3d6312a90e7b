"""Cluster with scikit-learn's `Birch`, which builds a tree of subclusters and merges their centres by Ward linkage."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import Birch
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Birch`; yields (k, the runs).

    The tree is built once and used for every k. The method is not random, but its result depends on the order of the
    points, which is that of the manifest.
    """
    with threadpool_limits(1):
        threshold = settings["threshold"] or typical_distance(points)
        birch = Birch(threshold=threshold, branching_factor=settings["branching_factor"], n_clusters=None).fit(points)
        for done, k in enumerate(settings["k"], 1):
            labels = birch.set_params(n_clusters=k).partial_fit().predict(points)
            yield k, Runs.single(labels[None])
            progress(done, len(settings["k"]))


def typical_distance(points: np.ndarray) -> float:
    """Return the median distance of the points (N, d) to their nearest neighbours.

    If the median is 0, because more than half of the points have copies, it is computed again without the copies.
    """
    return _median_nearest(points) or _median_nearest(np.unique(points, axis=0))


def _median_nearest(points: np.ndarray) -> float:
    return float(np.median(NearestNeighbors(n_neighbors=1).fit(points).kneighbors()[0]))
