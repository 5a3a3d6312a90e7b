"""Independent component analysis of features."""

import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce.pca import fit_pca, placing, read_tensors, tensor_shapes
from workflow_scripts.reduce.scaling import Scaled

__all__ = ["decompose", "placing", "read_tensors", "tensor_shapes", "unmixing"]  # the PCA's functions place new images
log = logging.getLogger(__name__)


def unmixing(whitened: np.ndarray, *, max_iter: int = 500, seed: int = 0) -> np.ndarray:
    """Return the rotation (C, C) float64 that makes whitened components (N, C) most independent of each other.

    scikit-learn's `FastICA` (Hyvärinen & Oja 2000) computes it on one thread, so that every run has the same result. A
    warning is logged if it does not converge in `max_iter` iterations.
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    ica = FastICA(whiten=False, max_iter=max_iter, random_state=seed)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        ica.fit(whitened)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        log.warning("FastICA did not converge in %d iterations; a larger max_iter may help", max_iter)
    return ica.components_


def decompose(
    source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
) -> None:
    """Write the independent components of the feature store `source` to the store `path`.

    `settings` are those of `settings.Ica`. The first principal components are scaled to unit variance and rotated. The
    store has `scores` (N, C) and `mean` (d,) float64, `components` (C, d) float32, and the fitted arrays of a scaling
    (`scaling.FITTED`). A new image is scaled, centred by `mean` and projected on `components`. Raises `UserError` if
    all images have the same features.
    """
    with store.reading(source) as features:
        X = Scaled(features["features"], settings["scale"])
        fitted = fit_pca(X, max_components=settings["n_components"])
        if not fitted.rank:
            raise UserError(f"{source}: all images have the same features, so there is nothing to decompose")
        deviations = np.sqrt(fitted.explained_variance)
        whitened = np.concatenate([chunk for _, chunk in fitted.transform(X)]) / deviations
        rotation = unmixing(whitened, max_iter=settings["max_iter"], seed=settings["seed"])
        axes = rotation @ (fitted.components / deviations[:, None])
        with store.writing(path, store.provenance(code, store.text(features, "manifest"), settings)) as file:
            store.write_row_facts(file, store.row_facts(features))
            store.put(file, "mean", fitted.mean)
            store.put(file, "components", axes.astype(np.float32))
            for name, values in X.fitted.items():
                store.put(file, name, values)
            store.put(file, "scores", whitened @ rotation.T)
    progress(len(whitened), len(whitened))
