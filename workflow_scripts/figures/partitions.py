"""Read the partitions of all cells of a study, for figures that compare cells.

A cell is one combination of choices; its partition says for each image which cluster it is in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.consensus.agreement import agreement_matrix
from workflow_scripts.errors import UserError
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.runs import Runs, read_k, stored_ks
from workflow_scripts.io.store import reading
from workflow_scripts.io.which_k import choose_k

NO_CELLS_TO_COMPARE = "One cell: there is nothing to compare. Vary a choice in this study."
"""Text of the placeholder for studies with a single cell."""


@dataclass(frozen=True)
class Partitions:
    """The partitions of C cells of the same N images: integers, negative for noise.

    Attributes
    ----------
    best : (C, N) int32, for each cell the stored partition with the lowest inertia.
    repeats : for each cell an array (R, N), the best partition of each of its R repeats.
    choices : C rows, one column for each axis on which the cells differ.
    names : name of each cell.
    k : the k of each cell; None if its clusterer finds k itself.
    """

    best: np.ndarray
    repeats: Sequence[np.ndarray]
    choices: pd.DataFrame
    names: Sequence[str]
    k: Sequence[int | None]


def read_partitions(cells: Sequence[Mapping[str, Any]], paths: Sequence[str], k: int | None) -> Partitions:
    """Read the partitions of every cell with k clusters, or with the smallest stored k if `k` is None.

    `paths` are the stores of clusters of the `cells`.

    Raises
    ------
    UserError
        If the cells have different images, or if a cell does not have this k.
    """
    choices = choices_of(cells)
    chosen, best, repeats = zip(*(_of_cell(path, k) for path in paths), strict=True)
    return Partitions(np.stack(best), repeats, choices, cell_names(cells, [*AXES]), chosen)


def choices_of(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row per cell and one column for each axis on which the cells differ.

    Raises
    ------
    UserError
        If the cells have different images.
    """
    if len({cell["subset"] for cell in cells}) > 1:
        raise UserError("config: figures: at: found cells of several subsets, allowed: one, as in at: {subset: NAME}")
    axes = [axis for axis in AXES if len({cell[axis] for cell in cells}) > 1]
    # as objects: beside None, pandas would make floats of whole numbers, and NaN of None
    return pd.DataFrame([{axis: cell[axis] for axis in axes} for cell in cells], index=range(len(cells)), dtype=object)


def agreement_of(
    cells: Sequence[Mapping[str, Any]], paths: Sequence[str], k: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the agreement (ARI) of each pair of cells, (C, C) float64, and each cell's number of images, (C,) int64.

    The agreement of cells of different subsets is NaN. The partitions are those that `read_partitions` reads for `k`,
    from the stores of clusters at `paths`.
    """
    agreement, n_images = np.full((len(cells), len(cells)), np.nan), np.zeros(len(cells), dtype=np.int64)
    for subset in dict.fromkeys(cell["subset"] for cell in cells):
        rows = [row for row, cell in enumerate(cells) if cell["subset"] == subset]
        best = read_partitions([cells[row] for row in rows], [paths[row] for row in rows], k).best
        agreement[np.ix_(rows, rows)], n_images[rows] = agreement_matrix(best), best.shape[1]
    return agreement, n_images


def _of_cell(path: str, wanted: int | None) -> tuple[int | None, np.ndarray, np.ndarray]:
    """Return three values of a cell: the k that is read, the best of all its partitions, and the best of each repeat.

    The best partition is (N,) int32; those of the repeats are (R, N).
    """
    k, runs = read_runs_of(path, wanted)
    return k, runs.labels[runs.best].astype(np.int32), runs.labels[runs.best_of_repeats]


def read_runs_of(path: str, wanted: int | None) -> tuple[int | None, Runs]:
    """Read the runs of one k from a cell's store of clusters; return k and the runs.

    The k is the `wanted` one, or the smallest if `wanted` is None. It is None if the clusterer finds k itself.
    """
    with reading(path) as file:
        k = choose_k(wanted, stored_ks(file))
        return k, read_k(file, k)
