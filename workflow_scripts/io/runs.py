"""Write and read the runs of one cell, and find the best of them.

A cell is one combination of choices. A run is one clustering of the images. A restart is one initialisation of the
clusterer; a repeat is a set of restarts with its own seed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import h5py
import numpy as np

from workflow_scripts.io import store

NOISE = -1
"""The label of images that a clusterer puts into no cluster."""
NOT_APPLICABLE = -1
OWN_K = "k=auto"
"""The name of the HDF5 group for the runs of a clusterer that finds k itself."""


@dataclass(frozen=True)
class Runs:
    """The M stored runs of one k: every restart, or only the best restart of each repeat.

    A run is one clustering, the result of one restart (initialisation). A repeat is a set of restarts with its own
    seed.

    Attributes
    ----------
    labels :
        (M, N) integers of the smallest type that holds them: the cluster of each image, or `NOISE` for images in no
        cluster.
    inertia : (M,) float64, NaN if the method has no objective.
    n_iter : (M,) int, `NOT_APPLICABLE` if the method does not iterate.
    converged : (M,) bool.
    repeat, restart : (M,) int, the numbers of the repeat and of the restart, from 0.
    seed : (M,) integers, `NOT_APPLICABLE` if the method draws no random numbers.
    centers :
        (repeats, k, d) float64, the centres of the best restart of each repeat; without rows (k = 0) if the method has
        none.
    diagnostics : other arrays that a method reports, by name.
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
        """Return R runs without centres, one for each repeat, such as those of a method without restarts.

        `labels` (R, N) are integers. `seeds` (R,) and `inertia` (R,) are None if the method has none.
        """
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
        """Return the index of the best run of each repeat, (repeats,) int: the first one with the lowest inertia."""
        of_repeats = [np.flatnonzero(self.repeat == repeat) for repeat in np.unique(self.repeat)]
        return np.array([rows[np.argmin(self.inertia[rows])] for rows in of_repeats])

    @property
    def best(self) -> int:
        """Return the index of the best run: the first one with the lowest inertia; 0 if the method has no inertia."""
        return best_row(self.inertia)


@dataclass(frozen=True)
class Clustering:
    """The best run of one k.

    `k` is None if the clusterer finds k itself. `labels` (N,) int64 is the cluster of each image, or `NOISE` for images
    in no cluster. `n_stored` is the number of stored runs of this k, of which this is the best.
    """

    k: int | None
    labels: np.ndarray
    n_stored: int


ROWS = tuple(array.name for array in fields(Runs) if array.name != "diagnostics")
"""The names of the arrays of `Runs`, without the diagnostics."""


def best_row(inertia: np.ndarray) -> int:
    """Return the index of the lowest value of `inertia` (M,): the first one if several are equal, 0 if all are NaN."""
    return int(np.argmin(np.nan_to_num(inertia, nan=np.inf)))


def write_runs(
    path: str, runs: Iterable[tuple[int | None, Runs]], ids: np.ndarray, attributes: Mapping[str, Any]
) -> None:
    """Write the runs of every k to one store.

    `runs` has pairs (k, the runs of this k), in which k is None if the clusterer finds k itself. Each pair becomes a
    group of the HDF5 file, such as `k=7`, or `OWN_K` for None. `ids` (N,) are the ids of the images. `attributes` say
    how the store was made (see `store.writing`).
    """
    with store.writing(path, attributes) as file:
        store.put_image_ids(file, ids)
        for k, of_k in runs:
            group = file.create_group(_group(k))
            for name in ROWS:
                store.put(group, name, getattr(of_k, name), compression="gzip" if name == "labels" else None)
            if of_k.diagnostics:
                diagnostics = group.create_group("diagnostics")
                for name, values in of_k.diagnostics.items():
                    store.put(diagnostics, name, values)


def stored_ks(file: h5py.File) -> list[int | None]:
    """Return the list of every k in an open store, ascending; `[None]` if the clusterer finds k itself."""
    if OWN_K in file:
        return [None]
    return [*sorted(int(name.removeprefix("k=")) for name in file if name.startswith("k="))]


def read_runs(file: h5py.File) -> dict[int | None, Runs]:
    """Read the runs of every k in an open store, by k, in the order of `stored_ks`."""
    return {k: read_k(file, k) for k in stored_ks(file)}


def read_k(file: h5py.File, k: int | None) -> Runs:
    """Read the runs of one k in an open store; `k` is None if the clusterer finds k itself."""
    return _read(file[_group(k)])


def read_best(file: h5py.File, k: int | None) -> Clustering:
    """Read the clustering with the lowest inertia of one k in an open store, without reading the others."""
    group = file[_group(k)]
    labels = group["labels"]
    return Clustering(k, labels[best_row(group["inertia"][:])].astype(np.int64), len(labels))


def _group(k: int | None) -> str:
    return OWN_K if k is None else f"k={k}"


def _read(group: h5py.Group) -> Runs:
    diagnostics = {name: values[:] for name, values in group.get("diagnostics", {}).items()}
    return Runs(**{name: group[name][:] for name in ROWS}, diagnostics=diagnostics)
