"""The protocol that the module of every clusterer follows, and those of what only some modules have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from workflow_scripts.clusterers import Progress
from workflow_scripts.io.runs import Runs


class Clusterer(Protocol):
    """A module of this folder with the name of a model in `settings.clusterers`."""

    def cluster(
        self, points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
    ) -> Iterator[tuple[int, Runs]] | Iterator[tuple[None, Runs]]:
        """Cluster `points` (N, d) float64 and yield (k, runs) for each k of `settings`; k is None if the method finds
        it."""


@runtime_checkable
class Resuming(Protocol):
    """A clusterer that goes on where it was killed."""

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
        """Do what `Clusterer.cluster` does, from the state that an earlier call left in the folder `checkpoints`."""


@runtime_checkable
class UsesKMeans(Protocol):
    """A clusterer whose store says what ran its k-means."""

    def kmeans_path(self, settings: Mapping[str, Any]) -> str:
        """Return the instruction set of a compiled kernel, or "torch"."""
