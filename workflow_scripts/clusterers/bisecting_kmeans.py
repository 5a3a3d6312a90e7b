"""Cluster with scikit-learn's `BisectingKMeans`, which splits one cluster after another by k-means with k = 2."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import BisectingKMeans

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import fit_each, runs_with_centers
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.BisectingKMeans`; yields (k, the runs)."""

    def estimator(k: int, random_state: int) -> BisectingKMeans:
        return BisectingKMeans(
            n_clusters=k,
            n_init=settings["n_init"],
            max_iter=settings["max_iter"],
            bisecting_strategy=settings["bisecting_strategy"],
            random_state=random_state,
        )

    for k, fits, seeds in fit_each(points, settings, base_seed, progress, estimator):
        yield k, runs_with_centers(fits, seeds)
