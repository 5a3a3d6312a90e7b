"""The Bayesian information criterion (BIC) of Gaussian mixtures (Schwarz 1978; Fraley & Raftery 2002)."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from workflow_scripts.clusterers.means import cluster_means


def bic(X: np.ndarray, labels: np.ndarray, covariance_type: str) -> float:
    """Return the BIC of a Gaussian mixture with as many components as a partition has clusters; lower is better.

    Expectation maximisation starts from the partition. X is (N, d), and `labels` (N,) are 0..k-1; no cluster is empty.
    1e-6 of the mean variance is added to the diagonal of the covariances. Return NaN if a covariance is still singular.
    """
    sizes = np.bincount(labels)
    model = GaussianMixture(
        len(sizes),
        covariance_type=covariance_type,
        means_init=cluster_means(X, labels),
        weights_init=sizes / sizes.sum(),
        reg_covar=1e-6 * X.var(axis=0).mean(),
        init_params="random_from_data",
        max_iter=200,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return float(model.fit(X).bic(X))
        except ValueError:
            return np.nan


def recommend(ks: np.ndarray, values: np.ndarray) -> int | None:
    """Return the k with the lowest BIC. Return None if this is the last k, because the BIC may fall further, or if all
    values are NaN.

    `values` (K,) are the BIC for each of `ks` (K,). NaN values are ignored.
    """
    if np.isnan(values).all():
        return None
    best = int(np.nanargmin(values))
    return int(ks[best]) if best < len(ks) - 1 else None
