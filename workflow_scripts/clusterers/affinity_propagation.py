"""Cluster with scikit-learn's `AffinityPropagation`, which finds the number of clusters itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import AffinityPropagation
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import single_run
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed

MATRICES = 5
"""Number of N x N float64 matrices in memory: similarities, responsibilities, availabilities and two temporary ones."""


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.AffinityPropagation`.

    Yields (None, the runs) once. The centre of a cluster is one of its points (the exemplar). If the iteration does not
    converge, every image is noise. Raises `UserError` if the matrices do not fit into memory.
    """
    n = len(points)
    need_memory(f"affinity propagation of {n} images", 8 * MATRICES * n * n, "allowed: fewer images")
    with threadpool_limits(1):
        fit = AffinityPropagation(
            damping=settings["damping"],
            preference=settings["preference"],
            max_iter=settings["max_iter"],
            random_state=seed(base_seed, "affinity_propagation"),
        ).fit(points)
    progress(1, 1)
    yield single_run(fit.labels_, fit.cluster_centers_)
