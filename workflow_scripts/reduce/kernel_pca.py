"""Kernel principal component analysis of features."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce.maps import check_pairs
from workflow_scripts.reduce.scaling import Scaled, finite


def embed(X: np.ndarray, *, n_components: int, kernel: str = "rbf", gamma: float | None = None) -> np.ndarray:
    """Return the first kernel principal components (Schölkopf, Smola & Müller 1998) by scikit-learn, (N, C) float64.

    One thread computes all eigenvectors, so that they are the same each time. Components without variance are left out.

    Parameters
    ----------
    X : (N, d) float64.
    n_components : the largest number of components.
    kernel : `rbf`, `poly`, `sigmoid` or `cosine`.
    gamma : of the kernel; None takes one over the sum of the variances of the columns.

    Raises `UserError` if features are NaN or infinite.
    """
    from sklearn.decomposition import KernelPCA

    total = float(finite(X, "kernel_pca").var(axis=0).sum())
    width = gamma if gamma is not None else 1 / total if total > 0 else 1.0
    kept = min(n_components, len(X))
    pca = KernelPCA(kept, kernel=kernel, gamma=width, eigen_solver="dense", remove_zero_eig=True)
    with threadpool_limits(1):
        return pca.fit_transform(X)


def decompose(
    source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
) -> None:
    """Write the kernel principal components of the feature store `source` to the store `path` as `scores` (N, C).

    `settings` are those of `settings.KernelPca`. Raises `UserError` if there are too many images, or if all are alike.
    """
    with store.reading(source) as features:
        check_pairs(len(features["features"]), settings["method"])
        X = np.asarray(Scaled(features["features"], settings["scale"])[:], dtype=np.float64)
        scores = embed(X, n_components=settings["n_components"], kernel=settings["kernel"], gamma=settings["gamma"])
        if not scores.shape[1]:
            raise UserError(f"{source}: all images have the same features, so there is nothing to decompose")
        with store.writing(path, store.provenance(code, store.text(features, "manifest"), settings)) as file:
            store.write_row_facts(file, store.row_facts(features))
            store.put(file, "scores", scores)
    progress(len(X), len(X))
