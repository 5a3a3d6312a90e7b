"""The partitions of a study's cells side by side, for what compares cells with each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.runs import OWN_K, Runs, read_runs
from workflow_scripts.io.store import reading
from workflow_scripts.io.which_k import choose_k

NO_CELLS_TO_COMPARE = "One cell: there is nothing to compare. Vary a choice in this study."
"""What stands in for a figure of a study without choices."""


@dataclass(frozen=True)
class Partitions:
    """The partitions of C cells of the same N images.

    `best` (C, N) is the stored one of lowest inertia of each cell; `repeats` has for each cell the best of every
    repeat, (R, N); labels are integers, negative for noise. `choices` has a row per cell and a column for each axis in
    which the cells differ, `names` a name per cell, `k` what was asked of its clusterer (None if that finds k).
    """

    best: np.ndarray
    repeats: Sequence[np.ndarray]
    choices: pd.DataFrame
    names: Sequence[str]
    k: Sequence[int | None]


def read_partitions(cells: Sequence[Mapping[str, Any]], paths: Sequence[str], k: int | None) -> Partitions:
    """Read the wanted k of every cell's store, or the smallest where that is None.

    Raises `UserError` where the cells have not the same images.
    """
    runs = [read_runs_of(path, k) for path in paths]
    if len({its.labels.shape[1] for _, its in runs}) > 1 or len({cell["subset"] for cell in cells}) > 1:
        raise UserError("config: figures: at: found cells of several subsets, allowed: one, as in at: {subset: NAME}")
    best = np.stack([its.labels[its.best].astype(np.int32) for _, its in runs])
    repeats = [its.labels[_rows_of_repeats(its)].astype(np.int32) for _, its in runs]
    axes = [axis for axis in AXES if len({cell[axis] for cell in cells}) > 1]
    choices = pd.DataFrame([{axis: cell[axis] for axis in axes} for cell in cells], index=range(len(cells)))
    return Partitions(best, repeats, choices, cell_names(cells, [*AXES]), [its for its, _ in runs])


def read_runs_of(path: str, wanted: int | None) -> tuple[int | None, Runs]:
    """Return the wanted k of a cell's store, or the smallest if None, and its runs; k is None if the clusterer finds
    it."""
    with reading(path) as file:
        available = [None if name == OWN_K else int(name[2:]) for name in file if name.startswith("k=")]
        k = choose_k(wanted, available)
        return k, read_runs(file)[k]


def _rows_of_repeats(runs: Runs) -> np.ndarray:
    """The row of the lowest inertia of each repeat, the first of one without inertia."""
    comparable = np.nan_to_num(runs.inertia, nan=np.inf)
    rows = [np.flatnonzero(runs.repeat == repeat) for repeat in np.unique(runs.repeat)]
    return np.array([its[np.argmin(comparable[its])] for its in rows])
