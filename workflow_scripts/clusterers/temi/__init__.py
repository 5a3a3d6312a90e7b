"""TEMI: train small networks on fixed features so that an image and its neighbours are in one cluster.

Such a network is called a head. The teacher is a moving average of the trained heads, the students.
"""

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

    Of all heads, the one with the lowest loss is taken. Its teacher gives the labels. The diagnostic `loss` is the mean
    loss of this head in the last epoch. Raises `UserError` if the GPU is missing, if all points are equal, if
    `n_neighbors` is not lower than the number of images, or if the loss becomes infinite.
    """
    if (n_neighbors := settings["n_neighbors"]) >= len(points):
        allowed = f"less than the number of images, {len(points)}"
        raise UserError(f"{KEY}: n_neighbors: found {n_neighbors}, allowed: {allowed}")
    X = scaled(points, settings)
    with one_thread():
        neighbours = nearest(X, n_neighbors)
    training = partial(each_k, partial(train_heads, X, neighbours, settings), settings["k"])
    return train_each(training, X, settings, base_seed, n_threads, progress, checkpoints)
