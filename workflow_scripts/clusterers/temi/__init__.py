"""TEMI: train heads on fixed features that put an image and its neighbours into one cluster."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.temi.heads import KEY, train_heads
from workflow_scripts.clusterers.temi.neighbours import nearest
from workflow_scripts.clusterers.trained import each_k, scaled, train_each
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs
from workflow_scripts.reduce.training import one_thread

RESUMES = True
"""Whether `cluster` takes a folder for checkpoints."""


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Temi`, as `trained.train_each` does.

    The labels are those of the teacher of the head with the lowest loss. The diagnostic `loss` is this loss, the mean
    of the last epoch. Raises `UserError` if the GPU is missing, all points are equal, there are fewer images than
    neighbours, or the loss is infinite.
    """
    if (n_neighbors := settings["n_neighbors"]) >= len(points):
        allowed = f"less than the number of images, {len(points)}"
        raise UserError(f"{KEY}: n_neighbors: found {n_neighbors}, allowed: {allowed}")
    X = scaled(points, settings)
    with one_thread():
        neighbours = nearest(X, n_neighbors)
    training = partial(each_k, partial(train_heads, X, neighbours, settings), settings["k"])
    return train_each(training, X, settings, base_seed, n_threads, progress, checkpoints)
