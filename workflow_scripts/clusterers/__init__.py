"""One module for each clusterer, with a function `cluster`; what they give, and how it is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import h5py
import numpy as np

from workflow_scripts.io import store

Progress = Callable[[int, int], None]
"""Called with the restarts that are done and those that there are."""


NOISE = -1
"""The label of images that a clusterer leaves in no cluster."""
NOT_APPLICABLE = -1
OWN_K = "k=auto"
"""The group of the runs of a clusterer that finds its number of clusters."""


@dataclass(frozen=True)
class Runs:
    """The stored results of one k, a row each: the best restart of each repeat, or every restart.

    `labels` (M, N) unsigned (signed with `NOISE`), `inertia` (M,) float64 (NaN where a method has no objective),
    `n_iter`, `converged`, `repeat`, `restart` and `seed` (M,), and `centers` (repeats, k, d) float64, those of the
    best restart of each repeat, or (repeats, 0, d) of a method that has none. `n_iter` and `seed` are `NOT_APPLICABLE`
    where a method counts no iterations or draws nothing. `diagnostics` are what a method tells
    beside its partitions, arrays by name.
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
        """Runs of one row a repeat without centres; `labels` (R, N) integers, `seeds` and `inertia` (R,)."""
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
        """The row of the lowest inertia of each repeat, the first of equals."""
        rows = [np.flatnonzero(self.repeat == repeat) for repeat in np.unique(self.repeat)]
        return np.array([its[np.argmin(self.inertia[its])] for its in rows])

    @property
    def best(self) -> int:
        """The row of the lowest inertia of all, the first of equals, and of a method that has no inertia."""
        return int(np.argmin(np.nan_to_num(self.inertia, nan=np.inf)))


ROWS = tuple(its.name for its in fields(Runs) if its.name != "diagnostics")
"""The arrays of `Runs` with an entry for each row, and the centres."""


def cluster_means(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The means (K, d) of the members of clusters 0..K-1; points (N, d), labels (N,), `NOISE` left out.

    A cluster without a member has NaN.
    """
    clustered = labels >= 0
    members = labels[clustered].astype(np.intp)
    sizes = np.bincount(members)
    sums = np.zeros((len(sizes), points.shape[1]))
    np.add.at(sums, members, points[clustered])
    with np.errstate(invalid="ignore"):
        return sums / sizes[:, None]


def write_runs(
    path: str, runs: Iterable[tuple[int | None, Runs]], ids: np.ndarray, attributes: Mapping[str, Any]
) -> None:
    """Stores the runs of every k in one file, a group `k=7` for each; k None is `OWN_K`."""
    with store.writing(path, attributes) as file:
        file["image_id"] = ids.astype("S")
        for k, its in runs:
            group = file.create_group(OWN_K if k is None else f"k={k}")
            for name in ROWS:
                compression = "gzip" if name == "labels" else None
                group.create_dataset(name, data=getattr(its, name), compression=compression)
            if its.diagnostics:
                diagnostics = group.create_group("diagnostics")
                for name, values in its.diagnostics.items():
                    diagnostics[name] = values


def read_runs(file: h5py.File) -> dict[int | None, Runs]:
    """The runs of every k of an open store, in the order of k; the key is None where the clusterer found k itself."""
    if OWN_K in file:
        return {None: _read(file[OWN_K])}
    ks = sorted(int(name.removeprefix("k=")) for name in file if name.startswith("k="))
    return {k: _read(file[f"k={k}"]) for k in ks}


def _read(group: h5py.Group) -> Runs:
    told = {name: values[:] for name, values in group.get("diagnostics", {}).items()}
    return Runs(**{name: group[name][:] for name in ROWS}, diagnostics=told)
