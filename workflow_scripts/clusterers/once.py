"""Run any clusterer once, with one k and one repeat, for figures that cluster points themselves."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from workflow_scripts.io.runs import Runs


def once(settings: Mapping[str, Any], k: int | None, n_init: int | None = None) -> dict[str, Any]:
    """Return a copy of a clusterer's settings with one k, one repeat, and at most `n_init` restarts.

    Keys that the settings do not have are not added. `k` is None for a clusterer that finds k itself. If `n_init` is
    None, the number of restarts stays.
    """
    single = {"k": [k], "repeats": 1, "keep": "best"}
    changes = {name: value for name, value in single.items() if name in settings}
    if n_init is not None and "n_init" in settings:
        changes["n_init"] = min(n_init, settings["n_init"])
    return {**settings, **changes}


def runs_of(settings: Mapping[str, Any], points: np.ndarray, seed: int = 0) -> Runs:
    """Cluster points (N, d) with settings that `once` returned, and return the runs of the only k in the settings."""
    cluster = import_module(f"workflow_scripts.clusterers.{settings['method']}").cluster
    runs: Runs
    ((_, runs),) = cluster(points, settings, seed, 1, lambda done, total: None)
    return runs


def clusters_of(settings: Mapping[str, Any], points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Cluster points (N, d) with settings that `once` returned; return the labels (N,) int64, negative for noise."""
    runs = runs_of(settings, points, seed)
    return runs.labels[runs.best_of_repeats[0]].astype(np.int64)
