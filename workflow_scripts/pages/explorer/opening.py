"""Choose the cell with which the explorer opens: the most trusted one, or the baseline, or the first.

A cell is one combination of choices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names

Reason = Literal["trusted", "baseline", "first"]


@dataclass(frozen=True)
class Opening:
    """The cell with which the page opens.

    Attributes
    ----------
    cell : index of the cell.
    k : the k to show; None for the smallest of the cell.
    reason : why the page opens with this cell.
    """

    cell: int
    k: int | None
    reason: Reason


def choose_opening(
    cells: Sequence[Mapping[str, Any]],
    baseline: Mapping[str, Any],
    ranking: pd.DataFrame | None,
    ranked: Sequence[Mapping[str, Any]],
) -> Opening:
    """Return the cell with which the page opens, as an `Opening`: the most trusted one, or the baseline, or the first.

    The most trusted cell is only taken if the cells agree better than chance (the column `verdict` of the ranking is
    not `nothing`). The baseline is taken if the page does not have the most trusted cell, and the first cell if it does
    not have the baseline.

    Parameters
    ----------
    cells : the cells of the page.
    baseline : the baseline of the study.
    ranking : the table of the figure `trust`, the most trusted cell first; None if the study has no such figure.
    ranked : the cells of that figure.
    """
    places = {_key(cell): place for place, cell in reversed(list(enumerate(cells)))}
    if ranking is not None and len(ranking) and ranking["verdict"].iloc[0] != "nothing":
        first = ranking.iloc[0]
        trusted = ranked[cell_names(ranked, [*AXES]).index(first["name"])]
        if _key(trusted) in places:
            return Opening(places[_key(trusted)], None if pd.isna(first["k"]) else int(first["k"]), "trusted")
    if _key(baseline) in places:
        return Opening(places[_key(baseline)], None, "baseline")
    return Opening(0, None, "first")


def _key(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[axis] for axis in sorted(cell))
