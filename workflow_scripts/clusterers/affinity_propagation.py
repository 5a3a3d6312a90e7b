"""scikit-learn's AffinityPropagation: exemplars that the images agree on; finds its number of clusters."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import AffinityPropagation
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import found_k
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed

MATRICES = 5
"""N x N in double precision: similarities, responsibilities, availabilities, and two under way."""


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.AffinityPropagation`; exemplars are the centres.

    Where it does not converge, all images are noise. Raises `UserError` with the bytes needed if the messages between
    all pairs do not fit into memory.
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
    yield found_k(fit.labels_, fit.cluster_centers_)
