"""Cluster with scikit-learn's `HDBSCAN`. It keeps the clusters that exist over many densities, and finds k itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import HDBSCAN
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import single_run
from workflow_scripts.clusterers.memory import need_images, need_time
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.Hdbscan`; yields (None, the runs) once.

    The method is not random. The diagnostic `probability` (N,), 0 to 1, is scikit-learn's strength of an image's
    membership in its cluster; it is 0 for noise. Raises `UserError` if there are too few images, or if the clustering
    would take too long.
    """
    need_images("hdbscan: min_samples", settings["min_samples"] or settings["min_cluster_size"], points)
    need_time("HDBSCAN", points, 0.2, "try fewer images or components")
    with threadpool_limits(1):
        fit = HDBSCAN(
            min_cluster_size=settings["min_cluster_size"],
            min_samples=settings["min_samples"],
            cluster_selection_method=settings["cluster_selection_method"],
            n_jobs=1,
            copy=True,
        ).fit(points)
    progress(1, 1)
    yield single_run(fit.labels_, probability=fit.probabilities_)
