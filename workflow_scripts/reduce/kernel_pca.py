"""Kernel principal component analysis of features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce.maps import check_pairs
from workflow_scripts.reduce.protocol import Place
from workflow_scripts.reduce.scaling import DIVISORS, POWERS, Scaled, finite, fitted_shapes, scaled_rows

WEIGHTS, OFFSET, GAMMA = "kernel_weights", "kernel_offset", "kernel_gamma"
"""The names, in stores and models, of the arrays of a `Projection`."""
IMAGES = "kernel_images"
"""The name, in models, of the features (N, d) of all images."""


@dataclass(frozen=True)
class Projection:
    """Compute the kernel principal components of new images.

    The kernel of a new image has one value for each of the N images of the fit. The image's components are its kernel
    (N,) times `weights` (N, C), minus `offset` (C,). Both arrays are float64. Each column of `weights` sums to zero. So
    the kernel needs no centring except by the mean kernel (N,) over the images of the fit: `offset` is this mean times
    `weights`.
    """

    weights: np.ndarray
    offset: np.ndarray
    kernel: str
    gamma: float

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights, the offset and gamma as arrays, by their names in stores and models."""
        return {WEIGHTS: self.weights, OFFSET: self.offset, GAMMA: np.array([self.gamma])}

    def place(self, features: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Return the components (n, C) float64 of the features (n, d) of new images.

        X (N, d) are the features of the N images of the fit.
        """
        return _kernel(features, X, self.kernel, self.gamma) @ self.weights - self.offset


def _kernel(features: np.ndarray, X: np.ndarray, kernel: str, gamma: float) -> np.ndarray:
    """Return the kernel (n, N) of features (n, d) and X (N, d), with the defaults of scikit-learn's `KernelPCA`."""
    from sklearn.metrics.pairwise import pairwise_kernels

    return pairwise_kernels(features, X, metric=kernel, filter_params=True, gamma=gamma, degree=3, coef0=1)


def embed(
    X: np.ndarray, *, n_components: int, kernel: str = "rbf", gamma: float | None = None
) -> tuple[np.ndarray, Projection]:
    """Return the first kernel principal components (N, C) float64, and the `Projection` for new images.

    scikit-learn computes them (Schölkopf, Smola & Müller 1998). One thread computes all eigenvectors, so that every run
    has the same result. Components without variance are left out, and those whose variance is negative, which the
    kernel `sigmoid` has.

    Parameters
    ----------
    X : (N, d) float64.
    n_components : the largest number of components.
    kernel : `rbf`, `poly`, `sigmoid` or `cosine`.
    gamma : factor in the kernel; None takes 1 / (sum of the variances of the columns of X).

    Raises `UserError` if features are NaN or infinite.
    """
    from sklearn.decomposition import KernelPCA

    total = float(finite(X, "kernel_pca").var(axis=0).sum())
    width = gamma if gamma is not None else 1 / total if total > 0 else 1.0
    kept = min(n_components, len(X))
    with threadpool_limits(1):
        if kernel == "sigmoid":
            kept = min(kept, _n_positive(_kernel(X, X, kernel, width)))
        pca = KernelPCA(kept, kernel=kernel, gamma=width, eigen_solver="dense", remove_zero_eig=True)
        scores = pca.fit_transform(X)
        weights = pca.eigenvectors_ / np.sqrt(pca.eigenvalues_)
        return scores, Projection(weights, _kernel(X, X, kernel, width).mean(axis=0) @ weights, kernel, width)


def _n_positive(kernel: np.ndarray) -> int:
    """Return how many eigenvalues of the centred kernel (N, N) are positive, at least 1."""
    from scipy.linalg import eigvalsh
    from sklearn.preprocessing import KernelCenterer

    return max(1, int(np.count_nonzero(eigvalsh(KernelCenterer().fit_transform(kernel)) > 0)))


def decompose(
    source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
) -> None:
    """Write the kernel principal components of the feature store `source` to the store `path` as `scores` (N, C).

    The store also has the arrays that compute the components of new images (`read_tensors`). `settings` are those of
    `settings.KernelPca`. Raises `UserError` if there are too many images, or if all have the same features.
    """
    with store.reading(source) as features:
        check_pairs(len(features["features"]), settings["method"])
        scaled = Scaled(features["features"], settings["scale"])
        X = np.asarray(scaled[:], dtype=np.float64)
        chosen = {name: settings[name] for name in ("n_components", "kernel", "gamma")}
        scores, placing = embed(X, **chosen)
        if not scores.shape[1]:
            raise UserError(f"{source}: all images have the same features, so there is nothing to decompose")
        with store.writing(path, store.provenance(code, store.text(features, "manifest"), settings)) as file:
            store.write_row_facts(file, store.row_facts(features))
            for name, values in {**scaled.fitted, **placing.arrays, "scores": scores}.items():
                store.put(file, name, values)
    progress(len(X), len(X))


def read_tensors(features: str, points: str, n_components: int | None) -> dict[str, np.ndarray]:
    """Return the arrays by name that compute the components of new images (`protocol.Placing`).

    They are `Projection.arrays`, the fitted arrays of a scaling, and the features (N, d) of all images of the fit.
    """
    with store.reading(features) as file, store.reading(points) as decomposed:
        names = (WEIGHTS, OFFSET, GAMMA, POWERS, DIVISORS)
        return {IMAGES: file["features"][:], **{name: decomposed[name][:] for name in names if name in decomposed}}


def tensor_shapes(
    reduction: Mapping[str, Any], width: int, tensors: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the arrays of `read_tensors` must have (`protocol.Placing`).

    `width` is the number of features; the number of images is taken from `tensors`.
    """
    n, n_components = len(tensors.get(IMAGES, ())), reduction["n_components"]
    shapes = fitted_shapes(reduction["settings"].get("scale"), width)
    return shapes | {IMAGES: (n, width), WEIGHTS: (n, n_components), OFFSET: (n_components,), GAMMA: (1,)}


def placing(reduction: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Place:
    """Return the function that computes the components of new images from their features (`protocol.Placing`)."""
    settings = reduction["settings"]

    def scaled(features: np.ndarray) -> np.ndarray:
        return scaled_rows(np.asarray(features, dtype=np.float64), settings["scale"], tensors)

    projection = Projection(tensors[WEIGHTS], tensors[OFFSET], settings["kernel"], float(tensors[GAMMA][0]))
    X = scaled(tensors[IMAGES])
    return lambda features: projection.place(scaled(features), X)
