"""Cluster with scikit-learn's `MiniBatchKMeans`, which is fast enough for hundreds of thousands of images."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import fit_each, runs_with_centers
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.MiniBatchKMeans`; yields (k, the runs).

    As in scikit-learn, `n_init` initialisations are compared on a sample, and only the best one runs to the end.
    """

    def estimator(k: int, random_state: int) -> MiniBatchKMeans:
        return MiniBatchKMeans(
            n_clusters=k,
            n_init=settings["n_init"],
            max_iter=settings["max_iter"],
            batch_size=settings["batch_size"],
            random_state=random_state,
        )

    for k, fits, seeds in fit_each(points, settings, base_seed, progress, estimator):
        n_iter = np.array([fit.n_iter_ for fit in fits])
        yield k, replace(runs_with_centers(fits, seeds), n_iter=n_iter, converged=n_iter < settings["max_iter"])
