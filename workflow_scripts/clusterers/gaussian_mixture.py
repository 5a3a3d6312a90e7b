"""Cluster with scikit-learn's `GaussianMixture`: each image gets its most likely component."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import fit_each
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.GaussianMixture`; yields (k, the runs).

    Each run is the fit with the highest likelihood of `n_init` fits. Its diagnostics are the Bayesian and the Akaike
    information criterion, `bic` and `aic` (lower is better), and `log_likelihood`, the mean over the images in nats.
    Raises `UserError` if the covariances do not fit into memory, or if a covariance matrix is singular.
    """
    if settings["covariance_type"] in ("full", "tied"):
        matrices = 3 * (max(settings["k"]) if settings["covariance_type"] == "full" else 1)
        size = f"{settings['covariance_type']} covariances of {points.shape[1]} components"
        instead = "allowed: fewer components, or covariance_type: diag, spherical"
        need_memory(size, 8 * matrices * points.shape[1] ** 2, instead)

    def estimator(k: int, random_state: int) -> GaussianMixture:
        return GaussianMixture(
            n_components=k,
            covariance_type=settings["covariance_type"],
            n_init=settings["n_init"],
            max_iter=settings["max_iter"],
            reg_covar=settings["reg_covar"],
            random_state=random_state,
        )

    try:
        for k, fits, seeds in fit_each(points, settings, base_seed, progress, estimator):
            criteria = {name: np.array([getattr(fit, name)(points) for fit in fits]) for name in ("bic", "aic")}
            yield (
                k,
                replace(
                    Runs.single(np.stack([fit.predict(points) for fit in fits]), seeds),
                    n_iter=np.array([fit.n_iter_ for fit in fits]),
                    converged=np.array([fit.converged_ for fit in fits]),
                    diagnostics={**criteria, "log_likelihood": np.array([fit.score(points) for fit in fits])},
                ),
            )
    except ValueError as error:  # scikit-learn says here what to do about a singular covariance matrix
        raise UserError(f"config: clusterers: gaussian_mixture: {error}") from None
