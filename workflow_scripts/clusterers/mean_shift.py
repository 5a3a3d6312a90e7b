"""Cluster with scikit-learn's `MeanShift`: its clusters are the peaks of a density estimate, and it finds k itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import MeanShift, estimate_bandwidth
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import single_run
from workflow_scripts.clusterers.memory import need_time
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed

BANDWIDTH_SAMPLE = 2000
"""Largest number of points that the bandwidth is estimated from."""


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.MeanShift`; yields (None, the runs) once.

    The diagnostic `bandwidth` is the bandwidth that was used, given or estimated. Raises `UserError` if the clustering
    would take too long, or if the estimated bandwidth is 0.
    """
    need_time("mean shift", points, 6, "try fewer images or components")
    with threadpool_limits(1):
        bandwidth = settings["bandwidth"] or estimate_bandwidth(
            points,
            quantile=settings["quantile"],
            n_samples=min(len(points), BANDWIDTH_SAMPLE),
            random_state=seed(base_seed, "mean_shift"),
        )
        if not bandwidth:
            problem = "the estimated bandwidth is 0, for too many images have the same features"
            raise UserError(f"config: clusterers: mean shift: {problem}; give a bandwidth, or a larger quantile")
        fit = MeanShift(bandwidth=bandwidth, cluster_all=settings["cluster_all"]).fit(points)
    progress(1, 1)
    yield single_run(fit.labels_, fit.cluster_centers_, bandwidth=bandwidth)
