"""k-means with many restarts as a scikit-learn estimator."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.metrics import pairwise_distances_argmin
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from workflow_scripts.clusterers.kmeans.restarts import run_restarts

MANY = 500
"""Number of restarts for `n_init="many"`."""


class ManyRestartKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """K-means that runs many restarts and keeps the best one.

    Parameters
    ----------
    n_clusters : number of clusters k.
    n_init : number of restarts, or "many" for 500.
    init, max_iter, tol, device, n_threads : as in `run_restarts`.
    random_state : an int, for the same result every time; a `RandomState`; or None.

    Attributes
    ----------
    cluster_centers_ : (k, d) floats of the type of X, the centres of the best restart.
    labels_ : (N,) int32, the labels of the best restart.
    inertia_ : float, the inertia of the best restart.
    n_iter_ : int, number of iterations of the best restart.
    restarts_ : `Restarts`, with the inertia and `n_iter` of all restarts and the labels of the best one.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_init: int | str = "many",
        init: str | np.ndarray = "k-means++",
        max_iter: int = 300,
        tol: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
        device: str = "cpu",
        n_threads: int = 1,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster `X` (N, d); `y` is ignored."""
        points = validate_data(self, X, dtype=[np.float64, np.float32])
        state = self.random_state
        self.restarts_ = run_restarts(
            points,
            self.n_clusters,
            MANY if self.n_init == "many" else int(self.n_init),
            int(state) if isinstance(state, int | np.integer) else int(check_random_state(state).randint(2**31)),
            init=self.init,
            max_iter=self.max_iter,
            tol=self.tol,
            device=self.device,
            n_threads=self.n_threads,
            keep="best",
        )
        best = self.restarts_.best
        self.cluster_centers_ = self.restarts_.best_centers.astype(points.dtype)
        self.labels_ = self.restarts_.labels.astype(np.int32)
        self.inertia_ = float(self.restarts_.inertia[best])
        self.n_iter_ = int(self.restarts_.n_iter[best])
        self._n_features_out = self.n_clusters
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the index of the nearest centre for each row of `X` (N, d), (N,) int32."""
        check_is_fitted(self)
        points = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return pairwise_distances_argmin(points, self.cluster_centers_).astype(np.int32)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the distances (N, k) of the rows of `X` (N, d) to the centres."""
        check_is_fitted(self)
        points = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return euclidean_distances(points, self.cluster_centers_)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return minus the sum of the squared distances of `X` (N, d) to the nearest centres; `y` is ignored."""
        return -float((self.transform(X).min(axis=1) ** 2).sum())
