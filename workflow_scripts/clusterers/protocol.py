"""The protocol that the module of every clusterer follows."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

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
