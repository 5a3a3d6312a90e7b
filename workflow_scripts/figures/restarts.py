"""Plot a metric of every restart against its inertia relative to the lowest one, with a histogram of the metric.

A restart is one run of the clusterer from one initialisation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, note, panels_of, placeholder
from workflow_scripts.figures.colours import colours
from workflow_scripts.figures.names import BESIDE_ACCURACY, NEEDS_LABELS, accuracy_note, n_in_words, shown
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import with_k
from workflow_scripts.scores import METRICS
from workflow_scripts.wording import count, decimal

BINS = 60


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return every stored restart of each cell.

    A cell is one combination of choices.

    Returns
    -------
    DataFrame with one row per restart; empty if the metric needs labels and there are none:

    - `series`, `k`: name of the cell, and its k.
    - `repeat`, `restart`, `inertia`: numbers of the repeat and of the restart, and its inertia.
    - `relative_inertia`: percent above the lowest inertia of the cell.
    - `metric`, `value`: the metric, and its value in the units of the axis label.
    - `best`: whether the restart has the lowest inertia of the cell. If several have it, this is true for the first
      of them only.
    - `r`: Pearson's correlation of value and relative inertia in the cell; null if one of them is constant.
    - `largest_class`, `accuracy_matched`, `ari`: further scores (shares).
    """
    series = zip(cell_names(cells, [*AXES]), OneCell.each(cells, inputs), strict=True)
    return pd.concat([_series(figure, cell.scores()).assign(series=name) for name, cell in series], ignore_index=True)


def _series(figure: Mapping[str, Any], scores: pd.DataFrame) -> pd.DataFrame:
    metric = figure["metric"]
    restarts = with_k(scores, figure["k"]).dropna(subset=["inertia", metric]).reset_index(drop=True)
    table = restarts[["k", "repeat", "restart", "inertia", *BESIDE_ACCURACY]]
    table = table.assign(metric=metric, value=shown(metric, restarts[metric]))
    table["relative_inertia"] = 100 * (restarts["inertia"] / restarts["inertia"].min() - 1)
    varied = len(table) > 1 and min(table["value"].std(), table["relative_inertia"].std()) > 0
    r = np.corrcoef(table["relative_inertia"], table["value"])[0, 1] if varied else np.nan
    best = np.arange(len(table)) == (np.argmin(table["inertia"]) if len(table) else -1)
    return table.assign(best=best, r=r)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw for each cell a scatter plot of the restarts and a histogram of the metric beside it."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NEEDS_LABELS)
        names = list(dict.fromkeys(table["series"]))
        down, across = panels_of(len(names), figure)
        made = canvas(figure, 55 * down + 10)
        axes = made.subplots(down, 2 * across, squeeze=False, width_ratios=[2.6, 1] * across, sharey=True)
        pairs = axes.reshape(-1, 2)
        bins = list(np.linspace(table["value"].min(), table["value"].max(), BINS + 1))
        for (cloud, histogram), name in zip(pairs, names, strict=False):
            _draw_pair(cloud, histogram, table[table["series"] == name], bins, colours(style))
        for ax in pairs[len(names) :].flat:
            ax.axis("off")
        for row in axes:
            row[0].set_ylabel(METRICS[table["metric"].iloc[0]].axis_label)
        metrics = table["metric"].unique()
        beside = accuracy_note(metrics, table[table["best"]])
        what = "each point is a restart; triangle and dashed line: the lowest inertia"
        note(made, f"{n_in_words(inputs, metrics)}; {what}.{beside}", style)
    return made


def _draw_pair(cloud: Axes, histogram: Axes, restarts: pd.DataFrame, bins: list[float], palette: Sequence[str]) -> None:
    colour, accent = palette[0], palette[2]
    best = restarts[restarts["best"]].iloc[0]
    alpha = float(np.clip(600 / len(restarts), 0.12, 0.8))
    cloud.scatter(
        restarts["relative_inertia"], restarts["value"], 4, colour, alpha=alpha, linewidths=0, rasterized=True
    )
    cloud.plot(best["relative_inertia"], best["value"], "^", color=accent, markersize=5, clip_on=False, zorder=3)
    r = "" if pd.isna(best["r"]) else f", r = {decimal(best['r'])}"
    cloud.set_title(f"{restarts['series'].iloc[0]}, k = {best['k']:.0f}\n{count(len(restarts), 'restart')}{r}")
    cloud.set_xlabel("Inertia above the lowest (%)")
    weights = np.full(len(restarts), 100 / len(restarts))
    histogram.hist(restarts["value"], bins, weights=weights, orientation="horizontal", color=colour)
    for ax in (cloud, histogram):
        ax.axhline(best["value"], color=accent, linestyle="--", linewidth=0.8)
    percent = METRICS[best["metric"]].percent
    at_lowest = f"{best['value']:.1f} %" if percent else decimal(best["value"], ".3g")
    histogram.set_title(f"▲ {at_lowest}", color=accent)
    histogram.set_xlabel("Restarts (%)")
