"""One module for each clusterer, with a function `cluster`; what they give, and how it is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import h5py
import numpy as np

from workflow_scripts import store

Progress = Callable[[int, int], None]
"""Called with the restarts that are done and those that there are."""


@dataclass(frozen=True)
class Runs:
    """The stored results of one k, a row each: the best restart of each repeat, or every restart.

    `labels` (M, N) unsigned (signed with -1 for noise), `inertia` (M,) float64, `n_iter`, `converged`, `repeat`,
    `restart` and `seed` (M,), and `centers` (repeats, k, d) float64, those of the best restart of each repeat.
    """

    labels: np.ndarray
    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    repeat: np.ndarray
    restart: np.ndarray
    seed: np.ndarray
    centers: np.ndarray

    @property
    def best_of_repeats(self) -> np.ndarray:
        """The row of the lowest inertia of each repeat, the first of equals."""
        rows = [np.flatnonzero(self.repeat == repeat) for repeat in np.unique(self.repeat)]
        return np.array([its[np.argmin(self.inertia[its])] for its in rows])


def write_runs(path: str, runs: Iterable[tuple[int, Runs]], ids: np.ndarray, attributes: Mapping[str, Any]) -> None:
    """Stores the runs of every k in one file, a group `k=7` for each."""
    with store.writing(path, attributes) as file:
        file["image_id"] = ids.astype("S")
        for k, its in runs:
            group = file.create_group(f"k={k}")
            for field in fields(its):
                values = getattr(its, field.name)
                group.create_dataset(field.name, data=values, compression="gzip" if field.name == "labels" else None)


def read_runs(file: h5py.File) -> dict[int, Runs]:
    """The runs of every k of an open store, in the order of k."""
    ks = sorted(int(name.removeprefix("k=")) for name in file if name.startswith("k="))
    return {k: Runs(**{field.name: file[f"k={k}"][field.name][:] for field in fields(Runs)}) for k in ks}
