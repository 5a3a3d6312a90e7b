"""What the clusterers that are estimators of scikit-learn share: a fit for each k and repeat, in one thread."""

from collections.abc import Callable, Iterator, Mapping
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
    """Yield the fitted `estimator(k, seed)` of every repeat, and their seeds, for each k of the settings.

    The seed of a repeat is a function of the base seed, the method, k and the repeat. One thread, since more would
    change the last bits.
    """
    total = len(settings["k"]) * settings["repeats"]
    for number, k in enumerate(settings["k"]):
        seeds = [seed(base_seed, settings["method"], k, repeat) for repeat in range(settings["repeats"])]
        fits = []
        for its_seed in seeds:
            with threadpool_limits(1):
                fits.append(estimator(k, its_seed).fit(points))
            progress(number * settings["repeats"] + len(fits), total)
        yield k, fits, np.array(seeds, dtype=np.uint32)


def found_k(labels: np.ndarray, centers: np.ndarray | None = None, **diagnostics: Any) -> tuple[None, Runs]:
    """Return the one run of a method that finds its number of clusters: labels (N,), centres (K, d) where it has them.

    `diagnostics` are numbers or arrays.
    """
    arrays = {name: np.atleast_1d(value) for name, value in diagnostics.items()}
    runs = replace(Runs.single(labels[None]), diagnostics=arrays)
    return None, runs if centers is None else replace(runs, centers=centers[None])
