"""Reproducible t-SNE maps of the images in two or three dimensions."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.initialization import pca
from openTSNE.nearest_neighbors import Annoy, Sklearn
from threadpoolctl import threadpool_limits

from workflow_scripts.reduce.maps import points_to_map, write_map
from workflow_scripts.runlog import NOTICE

log = logging.getLogger(__name__)
MAX_EXACT_NEIGHBOURS = 20_000
"""Largest number of points whose neighbours are searched exactly."""


def embed(
    X: npt.ArrayLike,
    *,
    perplexity: float = 30.0,
    dimensions: int = 2,
    seed: int = 0,
    n_iter: int = 500,
    threads: int = 1,
) -> np.ndarray:
    """Return a t-SNE map (van der Maaten & Hinton 2008) by openTSNE, initialised by PCA (Kobak & Berens 2019).

    The bytes are the same for every run and any number of threads: the initialisation and the affinities are computed
    by one thread, and the gradient does not depend on the number of threads.

    Parameters
    ----------
    X : (N, d) points, such as components; N must be at least 4.
    perplexity : about the number of neighbours that count; a value above (N - 1) / 3 is lowered to it.
    dimensions : 2 or 3, at most d. With 3 the gradient is that of Barnes and Hut, which takes longer.
    seed :
        seed of the noise of the initialisation and, for more than `MAX_EXACT_NEIGHBOURS` points, of the search for
        approximate neighbours (Annoy).
    n_iter : number of iterations after the 250 of early exaggeration.
    threads : number of threads that compute the gradient.

    Returns
    -------
    (N, dimensions) float64.
    """
    points = np.asarray(X, dtype=np.float64)
    perplexity = usable(perplexity, len(points))
    # A class and not a name, because openTSNE imports pynndescent to look a name up, and that import takes seconds.
    index = Sklearn if len(points) <= MAX_EXACT_NEIGHBOURS else Annoy
    neighbours = index(points, min(len(points) - 1, int(3 * perplexity)), n_jobs=1, random_state=seed)
    with threadpool_limits(1, user_api="blas"):
        start = pca(points, n_components=dimensions, svd_solver="full", random_state=seed)
        affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=neighbours, n_jobs=1)
        gradient = "auto" if dimensions == 2 else "bh"
        tsne = TSNE(dimensions, negative_gradient_method=gradient, n_iter=n_iter, random_state=seed, n_jobs=threads)
        return np.array(tsne.fit(affinities=affinities, initialization=start), dtype=np.float64)


def usable(perplexity: float, n: int) -> float:
    """Return the perplexity to use with n points: `perplexity`, but at most (n - 1) / 3."""
    return min(perplexity, (n - 1) / 3)


def decompose(
    source: str,
    path: str,
    settings: Mapping[str, Any],
    code: str,
    progress: Callable[[int, int], None],
) -> None:
    """Write the t-SNE map of the decomposition `source` to the store `path`.

    `settings` are those of `settings.Tsne`. The store's attribute `perplexity` is the one that was used; if there are
    few images, it is lower than in the settings, and a notice in the log says so. Raises `UserError` if there are too
    few images.
    """
    X = points_to_map(source, settings)
    perplexity = usable(settings["perplexity"], len(X))
    if perplexity < settings["perplexity"]:
        notice = "the perplexity %g of t-SNE is lowered to %.4g, because there are only %d images"
        log.log(NOTICE, notice, settings["perplexity"], perplexity, len(X))
    embedding = embed(X, perplexity=settings["perplexity"], dimensions=settings["dimensions"], seed=settings["seed"])
    write_map(source, path, embedding, code, settings, perplexity=perplexity)
    progress(len(X), len(X))
