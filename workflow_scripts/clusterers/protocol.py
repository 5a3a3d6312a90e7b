"""Define the functions that the module of every clusterer must have, and those that only some have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workflow_scripts.clusterers import Progress
from workflow_scripts.io.runs import Runs


class Clusterer(Protocol):
    """The interface of a clusterer's module. The module's name is the setting `method` of the clusterer."""

    def cluster(
        self, points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
    ) -> Iterator[tuple[int, Runs]] | Iterator[tuple[None, Runs]]:
        """Cluster `points` (N, d) float64 and yield (k, the runs) for each k of the settings.

        A method that finds k itself yields once, with None for k. `settings` are the settings of the clusterer, by
        name. The seed of each repeat is computed from `base_seed`. `progress` is called during the work (`Progress`).
        """


@runtime_checkable
class Resuming(Protocol):
    """The interface of a clusterer's module that can continue from a checkpoint after its job was killed."""

    RESUMES: bool

    def cluster(
        self,
        points: np.ndarray,
        settings: Mapping[str, Any],
        base_seed: int,
        n_threads: int,
        progress: Progress,
        checkpoints: Path | None = None,
    ) -> Iterator[tuple[int, Runs]]:
        """Cluster as `Clusterer.cluster` does, and keep the state in the folder `checkpoints`.

        If an earlier call was killed, this call continues from the state in that folder. None keeps no state.
        """


@runtime_checkable
class UsesKMeans(Protocol):
    """The interface of a clusterer's module that runs k-means. The store of the clusters names the code that ran it."""

    def kmeans_path(self, settings: Mapping[str, Any]) -> str:
        """Return which code runs k-means: the name of the compiled kernel's instruction set, or "torch"."""
