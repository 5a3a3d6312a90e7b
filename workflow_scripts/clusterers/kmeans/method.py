"""The clusterer k-means: run every k, repeat and restart that its settings ask for."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.kmeans.restarts import path_on, run_restarts
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.KMeans`; yields (k, the runs).

    The seed of a repeat is computed from the base seed, k and the number of the repeat. So the result of a repeat does
    not change if other k or repeats are added. Raises `UserError` if the device is a GPU that is missing.
    """
    choose_device(settings["device"], "config: clusterers: device", "cpu")
    total = len(settings["k"]) * settings["repeats"] * settings["n_init"]
    done = 0

    def count(finished: int) -> None:
        nonlocal done
        done += finished
        progress(done, total)

    for k in settings["k"]:
        seeds = [seed(base_seed, "kmeans", k, repeat) for repeat in range(settings["repeats"])]
        restarts = run_restarts(
            points,
            k,
            settings["n_init"],
            seeds,
            init=settings["init"],
            max_iter=settings["max_iter"],
            device=settings["device"],
            n_threads=n_threads,
            keep=settings["keep"],
            progress=count,
        )
        yield k, _rows(restarts, seeds, settings["keep"])


def kmeans_path(settings: Mapping[str, Any]) -> str:
    """Return which code runs k-means on this machine: the instruction set of the compiled kernel, or "torch"."""
    return path_on(settings["device"])


def _rows(restarts: Any, seeds: list[int], keep: str) -> Runs:
    """Return the runs to store: all restarts if `keep` is "all", otherwise the best restart of each repeat.

    `restarts` are the results of `run_restarts` for `seeds`, one seed for each repeat. So the first axis of all arrays
    in `restarts` is that of the repeats.
    """
    repeats, n_init = restarts.inertia.shape
    rows = np.arange(repeats)[:, None], np.arange(n_init)[None, :] if keep == "all" else restarts.best[:, None]
    repeat, restart = (index.ravel() for index in np.broadcast_arrays(*rows))
    labels = restarts.labels.reshape(len(repeat), -1)
    return Runs(
        labels=labels,
        inertia=restarts.inertia[repeat, restart],
        n_iter=restarts.n_iter[repeat, restart],
        converged=restarts.converged[repeat, restart],
        repeat=repeat,
        restart=restart,
        seed=np.array(seeds, dtype=np.uint32)[repeat],
        centers=restarts.best_centers,
    )
