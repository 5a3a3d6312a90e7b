"""Plot the expected metric of the best of n restarts against n, which shows how many restarts are enough."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import looks
from workflow_scripts.figures.explained_variance import DASHES
from workflow_scripts.figures.legends import columns_within, panel_legend
from workflow_scripts.figures.names import BESIDE_ACCURACY, NEEDS_LABELS, accuracy_note, n_in_words, shown
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import with_k
from workflow_scripts.metrics import best_of_n
from workflow_scripts.scores import METRICS

POINTS = 100
"""Number of points of a line, evenly spaced on a logarithmic scale."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return for each cell and n the expected metric of the best of n restarts.

    A cell is one combination of choices. The n restarts are drawn from the stored restarts of the cell; the best is the
    one with the lowest inertia.

    Returns
    -------
    DataFrame with one row per cell and n; empty if the metric needs labels and there are none:

    - `series`, `k`: name of the cell, and its k.
    - `metric`, `n`: name of the metric, and number of restarts.
    - `expected`, `low`, `high`: expected metric and its bootstrap interval, in the units of the axis label.
    - `n_restarts`: number of stored restarts of the cell.
    - `confidence`: level of the interval.
    - `largest_class`, `accuracy_matched`, `ari`: scores (shares) of the stored restart with the lowest inertia.
    """
    names = cell_names(cells, [*AXES])
    curves = [_curve(figure, cell.scores()) for cell in OneCell.each(cells, inputs)]
    return pd.concat([curve.assign(series=name) for name, curve in zip(names, curves, strict=True)], ignore_index=True)


def _curve(figure: Mapping[str, Any], scores: pd.DataFrame) -> pd.DataFrame:
    metric = figure["metric"]
    restarts = with_k(scores, figure["k"]).dropna(subset=["inertia", metric])
    if restarts.empty:
        return pd.DataFrame(columns=["k", "metric", "n", "expected", "low", "high", "n_restarts", "confidence"])
    curve = best_of_n(restarts["inertia"], shown(metric, restarts[metric]), confidence=figure["confidence"])
    constants = {
        "k": restarts["k"].iloc[0],
        "metric": metric,
        "n_restarts": len(restarts),
        "confidence": figure["confidence"],
        **restarts.loc[restarts["inertia"].idxmin(), [*BESIDE_ACCURACY]],
    }
    return curve.assign(**constants)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the expected metric of each cell as a line with a band; n is on a logarithmic axis."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NEEDS_LABELS)
        names = list(dict.fromkeys(table["series"]))
        made = canvas(figure, 62)
        ax = made.subplots()
        line_looks = looks(names, style)
        dashes = dict(zip(names, cycle(DASHES), strict=False))
        for name, look in line_looks.items():
            curve = table[table["series"] == name]
            curve = curve.iloc[np.unique(np.geomspace(1, len(curve), POINTS).round().astype(int)) - 1]
            ax.fill_between(curve["n"], curve["low"], curve["high"], color=look.colour, alpha=0.2, linewidth=0)
            ax.plot(curve["n"], curve["expected"], color=look.colour, linestyle=dashes[name])
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set(xlabel="Restarts n (lowest inertia kept)", xlim=(1, table["n"].max()))
        metric = METRICS[table["metric"].iloc[0]]
        ax.set_ylabel(wrapped(f"Expected {metric.in_sentence}{metric.unit}", 38, style["font_size"]))
        ax.grid(axis="y")
        entries = {name: Line2D([], [], color=look.colour, linestyle=dashes[name]) for name, look in line_looks.items()}
        panel_legend(ax, entries, columns_within(figure["width"], names, style))
        first = table.iloc[0]
        band = f"{100 * first['confidence']:.0f} % band: bootstrap over the {first['n_restarts']} restarts"
        n = n_in_words(inputs, [first["metric"]])
        note(made, f"{n}, k = {first['k']}; {band}.{accuracy_note([first['metric']], table)}", style)
    return made
