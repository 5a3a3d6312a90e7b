"""A reproducible map of the images in two dimensions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.initialization import pca
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store

MAX_EXACT_NEIGHBOURS = 20_000
FEWEST = 4


def embed(
    X: npt.ArrayLike, *, perplexity: float = 30.0, seed: int = 0, n_iter: int = 500, threads: int = 1
) -> np.ndarray:
    """t-SNE (van der Maaten & Hinton 2008) by openTSNE, from its PCA initialisation (Kobak & Berens 2019).

    The same bytes from run to run and for any number of threads: initialisation and affinities are computed by one
    thread (Annoy's index depends on theirs), and the gradient does not depend on how the points are shared out.

    Parameters
    ----------
    X : (N, d) points, such as the unwhitened components; N >= `FEWEST`.
    perplexity : at most (N - 1) / 3, to which it is lowered.
    seed : of the jitter of the initialisation and, above `MAX_EXACT_NEIGHBOURS` points, of the approximate neighbours
        (Annoy).
    n_iter : iterations after the 250 of early exaggeration.
    threads : of the gradient.

    Returns
    -------
    (N, 2) float64.
    """
    points = np.asarray(X, dtype=np.float64)
    with threadpool_limits(1, user_api="blas"):
        start = pca(points, svd_solver="full", random_state=seed)
        affinities = PerplexityBasedNN(
            points,
            perplexity=min(perplexity, (len(points) - 1) / 3),
            method="exact" if len(points) <= MAX_EXACT_NEIGHBOURS else "annoy",
            random_state=seed,
            n_jobs=1,
        )
        tsne = TSNE(n_iter=n_iter, random_state=seed, n_jobs=threads)
        return np.array(tsne.fit(affinities=affinities, initialization=start), dtype=np.float64)


def decompose(
    source: str,
    path: str,
    settings: Mapping[str, Any],
    code: str,
    progress: Callable[[int, int], None],
) -> None:
    """Map a decomposed store (settings of `settings.Tsne`) to a store of `scores` (N, 2) float64.

    Raises `UserError` for fewer than `FEWEST` images.
    """
    with store.reading(source) as components:
        X = components["scores"][:, : settings["n_components"]]
        rows, manifest = store.row_facts(components), store.text(components, "manifest")
    if len(X) < FEWEST:
        raise UserError(f"t-SNE: found {len(X)} images, at least {FEWEST} are needed")
    with store.writing(path, store.provenance(code, manifest, settings)) as file:
        store.write_row_facts(file, rows)
        store.put(file, "scores", embed(X, perplexity=settings["perplexity"], seed=settings["seed"]))
    progress(len(X), len(X))
