"""Reproducible UMAP maps of the images in two or three dimensions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workflow_scripts.reduce.maps import points_to_map, possible_neighbors, write_map


def embed(
    X: npt.ArrayLike, *, n_neighbors: int = 15, min_dist: float = 0.1, dimensions: int = 2, seed: int = 0
) -> np.ndarray:
    """Return a UMAP map (McInnes, Healy & Melville 2018) by umap-learn.

    One thread computes it, so that every run has the same result.

    Parameters
    ----------
    X : (N, d) points; N must be at least 4.
    n_neighbors : number of neighbours of each point in the graph; less than N.
    min_dist : the smallest distance of points on the map.
    dimensions : 2 or 3.
    seed : seed of the initialisation, of the search for approximate neighbours and of the sampling of edges.

    Returns
    -------
    (N, dimensions) float64.
    """
    from umap import UMAP  # compiles for seconds when it is imported

    points = np.asarray(X, dtype=np.float64)
    start = "spectral" if len(points) > dimensions + 1 else "random"  # the first needs more eigenvectors than axes
    chosen = {"n_neighbors": n_neighbors, "n_components": dimensions, "min_dist": min_dist, "init": start}
    umap = UMAP(**chosen, random_state=seed, n_jobs=1)
    return np.asarray(umap.fit_transform(points), dtype=np.float64)


def decompose(
    source: str,
    path: str,
    settings: Mapping[str, Any],
    code: str,
    progress: Callable[[int, int], None],
) -> None:
    """Write the UMAP map of the decomposition `source` to the store `path`.

    `settings` are those of `settings.Umap`. The store's attribute `n_neighbors` is the number that was used; if there
    are few images, it is lower than in the settings, and a notice in the log says so. Raises `UserError` if there are
    too few images.
    """
    X = points_to_map(source, settings)
    n_neighbors = possible_neighbors(settings["n_neighbors"], len(X), "UMAP")
    chosen = {name: settings[name] for name in ("min_dist", "dimensions", "seed")}
    embedding = embed(X, n_neighbors=n_neighbors, **chosen)
    write_map(source, path, embedding, code, settings, n_neighbors=n_neighbors)
    progress(len(X), len(X))
