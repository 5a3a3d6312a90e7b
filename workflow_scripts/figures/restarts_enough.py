"""Plot how many restarts are enough, without labels: how probably the best of n restarts is the best known optimum.

An optimum is a partition that one or more restarts end in. A cell is one combination of choices.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from workflow_scripts.consensus.restarts import SAME, SURE, restart_stability
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, PALE, colours
from workflow_scripts.figures.names import n_in_words
from workflow_scripts.figures.partitions import read_runs_of
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.trust import names_within
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.runs import Runs
from workflow_scripts.wording import count

POINTS = 40
"""Number of points of a curve, evenly spaced on a logarithmic scale."""
MOST = 40
"""Largest number of cells that are drawn: those that need most restarts."""
ROW = 4.2
"""Height of a row in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Describe the optima in which the stored runs of each cell end.

    If a cell stores all its restarts, the runs are these restarts. Otherwise they are its repeats, each the best of
    `n_init` restarts.

    Returns
    -------
    DataFrame with one row per cell and n. Cells with one run, or without inertia, have no rows.

    - `series`, `k`: name of the cell, and its k.
    - `unit`, `n_runs`: `restart` or `repeat`, and the number of stored runs.
    - `n`: number of runs of which the best is kept.
    - `best`, `best_low`, `equal`, `equal_low`, `enough`, `enough_equal`, `new_optimum`: as in
      `consensus.restarts.RestartStability`.
    - `n_optima`: number of different optima.
    - `stability`: mean over the images of `RestartStability.image`.
    """
    names = cell_names(cells, [*AXES])
    tables = [
        _curve(name, *read_runs_of(path, figure["k"])) for name, path in zip(names, inputs["clusters"], strict=True)
    ]
    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["series"])


def _curve(name: str, k: int | None, runs: Runs) -> pd.DataFrame:
    if len(runs.labels) < 2 or not np.isfinite(runs.inertia).all():
        return pd.DataFrame()
    stable = restart_stability(runs.labels.astype(np.int32), runs.inertia)
    n_runs = len(runs.labels)
    kept = np.unique(np.geomspace(1, n_runs, POINTS).round().astype(int)) - 1
    all_kept = len(np.unique(runs.repeat)) < n_runs
    table = stable.curve.iloc[kept].assign(
        series=name,
        k=k,
        unit="restart" if all_kept else "repeat",
        n_runs=n_runs,
        enough=stable.enough,
        enough_equal=stable.enough_equal,
        new_optimum=stable.new_optimum,
        n_optima=len(stable.optima),
        stability=float(stable.image.mean()),
    )
    return table.astype(dict.fromkeys(("k", "enough", "enough_equal"), "Int64")).reset_index(drop=True)


def tabulated_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row of the table for each cell, the one with n = 1. The cells that need most restarts come first."""
    if table.empty:
        return table
    cells = table.drop_duplicates("series")
    return cells.sort_values("enough_equal", ascending=False, na_position="first", kind="stable", ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw one row for each cell; the cells that need most runs come first.

    The panels show the probability that one run reaches the best optimum or an almost equal one, how many runs are
    enough, and the probability that the next run ends in a new optimum. A narrow figure leaves out the last panel.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, "No cell has two runs with an inertia: store several repeats, or keep: all.")
        cells = tabulated_cells(table)
        rows = cells[:MOST]
        narrow = figure["width"] < NARROW_BELOW_MM
        made = canvas(figure, ROW * len(rows) + 30)
        axes = made.subplots(1, 2 if narrow else 3, sharey=True)
        y = np.arange(len(rows))
        palette = colours(style)
        axes[0].hlines(y, 100 * rows["equal_low"], 100 * rows["equal"], PALE, linewidth=3)
        axes[0].scatter(100 * rows["equal"], y, 12, palette[0], zorder=2)
        axes[0].set(xlabel="One run is the best\nor an equal (%)", xlim=(-4, 104))
        _draw_enough(axes[1], rows, palette[0])
        if not narrow:
            axes[2].scatter(100 * rows["new_optimum"], y, 12, palette[0])
            axes[2].set(xlabel="The next run is\na new optimum (%)", xlim=(-4, 104))
        for ax in axes:
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
        axes[0].set_yticks(y, names_within(list(rows["series"]), (0.3 if narrow else 0.4) * figure["width"], style))
        axes[0].set_ylim(len(rows) - 0.4, -0.6)
        note(made, f"{n_in_words(inputs)}, {_explanation(table, len(cells), len(rows))}", style)
    return made


def _draw_enough(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    y = np.arange(len(rows))
    known = rows["enough_equal"].notna().to_numpy()
    most = 10 * rows["n_runs"].max()
    ax.scatter(rows.loc[known, "enough_equal"].astype(float), y[known], 12, colour)
    ax.scatter(np.full((~known).sum(), most), y[~known], 16, "white", edgecolors=FAINT, marker=">", linewidths=0.8)
    ax.set_xscale("log")
    ax.set(xlim=(0.8, 1.4 * most), xlabel="Enough runs\n(▷ more than that)")
    ax.xaxis.set_major_locator(LogLocator(numticks=4))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")


def _explanation(table: pd.DataFrame, n_cells: int, n_shown: int) -> str:
    unit, runs = table["unit"].iloc[0], table["n_runs"].max()
    left_out = f" Not drawn: {count(n_cells - n_shown, 'cell')} that need fewer." if n_cells > n_shown else ""
    repeat = "repeat, the best of its own restarts" if unit == "repeat" else unit
    return (
        f"{count(n_cells, 'cell')}, up to {runs} {unit}s each; no labels are needed. A run is a {repeat}; "
        f"equal: ARI of {SAME:g} or more with the best. Enough: the best or an equal with {100 * SURE:.0f} % chance. "
        f"Lines: lower 95 % bound.{left_out}"
    )
