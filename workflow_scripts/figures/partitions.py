"""The partitions of a study's cells side by side, for what compares cells with each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.runs import Runs, read_k, stored_ks
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
    if len({of_k.labels.shape[1] for _, of_k in runs}) > 1 or len({cell["subset"] for cell in cells}) > 1:
        raise UserError("config: figures: at: found cells of several subsets, allowed: one, as in at: {subset: NAME}")
    best = np.stack([of_k.labels[of_k.best].astype(np.int32) for _, of_k in runs])
    repeats = [of_k.labels[of_k.best_of_repeats].astype(np.int32) for _, of_k in runs]
    axes = [axis for axis in AXES if len({cell[axis] for cell in cells}) > 1]
    choices = pd.DataFrame([{axis: cell[axis] for axis in axes} for cell in cells], index=range(len(cells)))
    return Partitions(best, repeats, choices, cell_names(cells, [*AXES]), [chosen for chosen, _ in runs])


def read_runs_of(path: str, wanted: int | None) -> tuple[int | None, Runs]:
    """Return the k of a cell's store that is wanted, or the smallest, and its runs; None if the clusterer finds k."""
    with reading(path) as file:
        k = choose_k(wanted, stored_ks(file))
        return k, read_k(file, k)
