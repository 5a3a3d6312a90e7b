"""Cluster with scikit-learn's `OPTICS`. The clusters are the valleys of the reachability plot; the method finds k
itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import OPTICS
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import single_run
from workflow_scripts.clusterers.memory import need_images, need_time
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.Optics`; yields (None, the runs) once.

    The method is not random. The diagnostics are `ordering` (N,) and `reachability` (N,) as in scikit-learn. Raises
    `UserError` if there are too few images, or if the clustering would take too long.
    """
    need_images("optics: min_samples", max(settings["min_samples"], settings["min_cluster_size"] or 0), points)
    need_time("OPTICS", points, 1.2, "try fewer images or components")
    with threadpool_limits(1):
        fit = OPTICS(
            min_samples=settings["min_samples"], xi=settings["xi"], min_cluster_size=settings["min_cluster_size"]
        ).fit(points)
    progress(1, 1)
    yield single_run(fit.labels_, ordering=fit.ordering_, reachability=fit.reachability_)
