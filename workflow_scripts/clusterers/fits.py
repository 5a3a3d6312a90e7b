"""Shared code of the clusterers that wrap estimators of scikit-learn."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed


def fit_each(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    progress: Progress,
    estimator: Callable[[int, int], Any],
) -> Iterator[tuple[int, list[Any], np.ndarray]]:
    """Fit the scikit-learn estimator `estimator(k, seed)` to the points (N, d) for every k and repeat of the settings.

    The seed of a repeat is computed from the base seed, the method, k and the number of the repeat. Fits use one
    thread, because more threads would change the last bits.

    Yields
    ------
    k, the fitted estimators of all repeats, and their seeds (repeats,) uint32.
    """
    total = len(settings["k"]) * settings["repeats"]
    for number, k in enumerate(settings["k"]):
        seeds = [seed(base_seed, settings["method"], k, repeat) for repeat in range(settings["repeats"])]
        fits = []
        for random_state in seeds:
            with threadpool_limits(1):
                fits.append(estimator(k, random_state).fit(points))
            progress(number * settings["repeats"] + len(fits), total)
        yield k, fits, np.array(seeds, dtype=np.uint32)


def runs_with_centers(fits: Sequence[Any], seeds: np.ndarray) -> Runs:
    """Return the runs of fitted k-means estimators, one for each seed, with their labels, inertias and centres."""
    runs = Runs.single(np.stack([fit.labels_ for fit in fits]), seeds, np.array([fit.inertia_ for fit in fits]))
    return replace(runs, centers=np.stack([fit.cluster_centers_ for fit in fits]))


def single_run(labels: np.ndarray, centers: np.ndarray | None = None, **diagnostics: Any) -> tuple[None, Runs]:
    """Return (None, runs) with the single run of a method that finds k itself.

    `labels` (N,) are integers, negative for noise. `centers` (K, d) are optional. `diagnostics` are numbers or arrays
    that describe the clustering.
    """
    arrays = {name: np.atleast_1d(value) for name, value in diagnostics.items()}
    runs = replace(Runs.single(labels[None]), diagnostics=arrays)
    return None, runs if centers is None else replace(runs, centers=centers[None])
