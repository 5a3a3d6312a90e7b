"""The clusterings of one cell: what a clusterer gives for each k, how it is stored, and which of them is the best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import h5py
import numpy as np

from workflow_scripts.io import store

NOISE = -1
"""The cluster of images that a clusterer leaves in no cluster."""
NOT_APPLICABLE = -1
OWN_K = "k=auto"
"""The group of the runs of a clusterer that finds its number of clusters."""


@dataclass(frozen=True)
class Runs:
    """The stored results of one k, a row each: the best restart of each repeat, or every restart.

    `labels` (M, N) unsigned (signed with `NOISE`), `inertia` (M,) float64 (NaN where a method has no objective),
    `n_iter`, `converged`, `repeat`, `restart` and `seed` (M,), and `centers` (repeats, k, d) float64, those of the
    best restart of each repeat, or (repeats, 0, d) of a method that has none. `n_iter` and `seed` are `NOT_APPLICABLE`
    where a method counts no iterations or draws nothing. `diagnostics` are what a method reports beside its
    partitions, arrays by name.
    """

    labels: np.ndarray
    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    repeat: np.ndarray
    restart: np.ndarray
    seed: np.ndarray
    centers: np.ndarray
    diagnostics: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def single(cls, labels: np.ndarray, seeds: np.ndarray | None = None, inertia: np.ndarray | None = None) -> Self:
        """Return runs of one row a repeat without centres; `labels` (R, N) integers, `seeds` and `inertia` (R,)."""
        labels = np.asarray(labels)
        repeats = np.arange(len(labels))
        lowest, highest = labels.min(initial=0), labels.max(initial=0)
        return cls(
            labels=labels.astype(np.result_type(np.min_scalar_type(lowest), np.min_scalar_type(highest))),
            inertia=np.full(len(labels), np.nan) if inertia is None else np.asarray(inertia, dtype=float),
            n_iter=np.full_like(repeats, NOT_APPLICABLE),
            converged=np.ones(len(labels), dtype=bool),
            repeat=repeats,
            restart=np.zeros_like(repeats),
            seed=np.full_like(repeats, NOT_APPLICABLE) if seeds is None else np.asarray(seeds, dtype=np.uint32),
            centers=np.empty((len(labels), 0, 0)),
        )

    @property
    def best_of_repeats(self) -> np.ndarray:
        """Return the row of the lowest inertia of each repeat, the first of equals."""
        of_repeats = [np.flatnonzero(self.repeat == repeat) for repeat in np.unique(self.repeat)]
        return np.array([rows[np.argmin(self.inertia[rows])] for rows in of_repeats])

    @property
    def best(self) -> int:
        """Return the row of the lowest inertia of all, the first of equals, and of a method that has no inertia."""
        return best_row(self.inertia)


@dataclass(frozen=True)
class Clustering:
    """The best of the stored partitions of one k: `labels` (N,) int64, negative is noise.

    `k` is None where the clusterer finds its number of clusters.
    """

    k: int | None
    labels: np.ndarray
    n_stored: int


ROWS = tuple(array.name for array in fields(Runs) if array.name != "diagnostics")
"""The arrays of `Runs` with an entry for each row, and the centres."""


def best_row(inertia: np.ndarray) -> int:
    """Return the place of the lowest inertia (M,), the first of equals; 0 where there is none (all NaN)."""
    return int(np.argmin(np.nan_to_num(inertia, nan=np.inf)))


def write_runs(
    path: str, runs: Iterable[tuple[int | None, Runs]], ids: np.ndarray, attributes: Mapping[str, Any]
) -> None:
    """Store the runs of every k in one file, a group `k=7` for each; k None is `OWN_K`."""
    with store.writing(path, attributes) as file:
        store.put(file, "image_id", ids.astype("S"))
        for k, of_k in runs:
            group = file.create_group(_group(k))
            for name in ROWS:
                store.put(group, name, getattr(of_k, name), compression="gzip" if name == "labels" else None)
            if of_k.diagnostics:
                diagnostics = group.create_group("diagnostics")
                for name, values in of_k.diagnostics.items():
                    store.put(diagnostics, name, values)


def stored_ks(file: h5py.File) -> list[int | None]:
    """Return every k of an open store, ascending; `[None]` where the clusterer found k itself."""
    if OWN_K in file:
        return [None]
    return [*sorted(int(name.removeprefix("k=")) for name in file if name.startswith("k="))]


def read_runs(file: h5py.File) -> dict[int | None, Runs]:
    """Read the runs of every k of an open store, in the order of `stored_ks`."""
    return {k: read_k(file, k) for k in stored_ks(file)}


def read_k(file: h5py.File, k: int | None) -> Runs:
    """Read the runs of one k of an open store, and no other."""
    return _read(file[_group(k)])


def read_best(file: h5py.File, k: int | None) -> Clustering:
    """Read the partition of lowest inertia of one k of an open store, and no other."""
    group = file[_group(k)]
    labels = group["labels"]
    return Clustering(k, labels[best_row(group["inertia"][:])].astype(np.int64), len(labels))


def _group(k: int | None) -> str:
    return OWN_K if k is None else f"k={k}"


def _read(group: h5py.Group) -> Runs:
    diagnostics = {name: values[:] for name, values in group.get("diagnostics", {}).items()}
    return Runs(**{name: group[name][:] for name in ROWS}, diagnostics=diagnostics)
