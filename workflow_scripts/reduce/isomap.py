"""Reproducible Isomap maps of the images in two or three dimensions."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.reduce.maps import check_pairs, points_to_map, possible_neighbors, write_map


def embed(X: np.ndarray, *, n_neighbors: int = 15, dimensions: int = 2) -> np.ndarray:
    """Return an Isomap map (Tenenbaum, de Silva & Langford 2000) by scikit-learn, (N, dimensions) float64.

    If the graph of neighbours falls into parts without a connection, the shortest edges between the parts are added.
    One thread computes the map, so that every run has the same result.

    Parameters
    ----------
    X : (N, d) float64.
    n_neighbors : number of neighbours of each point in the graph; less than N.
    dimensions : number of axes of the map, at most d.
    """
    from sklearn.manifold import Isomap

    isomap = Isomap(n_neighbors=n_neighbors, n_components=dimensions, eigen_solver="dense")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's and SciPy's notes about parts that are not connected
        return isomap.fit_transform(X)


def decompose(
    source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
) -> None:
    """Write the Isomap map of the decomposition `source` to the store `path`.

    `settings` are those of `settings.Isomap`. The store's attribute `n_neighbors` is the number that was used; if there
    are few images, it is lower than in the settings, and a notice in the log says so. Raises `UserError` if there are
    too few or too many images.
    """
    X = points_to_map(source, settings)
    check_pairs(len(X), settings["method"])
    n_neighbors = possible_neighbors(settings["n_neighbors"], len(X), "Isomap")
    embedding = embed(X, n_neighbors=n_neighbors, dimensions=settings["dimensions"])
    write_map(source, path, embedding, code, settings, n_neighbors=n_neighbors)
    progress(len(X), len(X))
