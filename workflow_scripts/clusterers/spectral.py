"""Cluster with scikit-learn's `SpectralClustering`: k-means on eigenvectors of the graph of nearest neighbours."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import SpectralClustering

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import fit_each
from workflow_scripts.clusterers.memory import need_time
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Spectral`; yields (k, the runs).

    Raises `UserError` if k is not lower than the number of images, or if the clustering would take too long.
    """
    if (largest := max(settings["k"])) >= len(points):
        allowed = f"fewer than the number of images, {len(points)}"
        raise UserError(f"config: clusterers: spectral: k: found {largest}, allowed: {allowed}")
    need_time("spectral clustering", points, 0.1, "try fewer images or components")

    def estimator(k: int, random_state: int) -> SpectralClustering:
        n_neighbors = min(settings["n_neighbors"], len(points))
        return SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=n_neighbors, random_state=random_state)

    for k, fits, seeds in fit_each(points, settings, base_seed, progress, estimator):
        yield k, Runs.single(np.stack([fit.labels_ for fit in fits]), seeds)
