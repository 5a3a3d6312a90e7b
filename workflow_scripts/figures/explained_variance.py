"""Plot the share of the variance that the first components explain together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas
from workflow_scripts.figures.colours import FAINT, looks
from workflow_scripts.figures.legends import legend_below
from workflow_scripts.figures.names import n_in_words
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.grid.axes import TITLES, axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.store import reading
from workflow_scripts.n_clusters.elbow import recommend

LEVELS = (50, 80, 90)
"""Levels that are marked, in percent."""
DASHES = ("-", "--", "-.", ":")


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the cumulative explained variance of each decomposition.

    Returns
    -------
    DataFrame with one row per decomposition and number of components:

    - `series`: name of the decomposition.
    - `n_components`: number of components.
    - `explained`: percent of the total variance that these components explain together.
    - `level`: 50 for the smallest number of components that explains at least 50 percent; 80 and 90 likewise. If a
      number of components reaches several levels at once, it has the highest. Null for all other numbers.
    - `is_elbow`: whether the scree (the variance of each component) bends most here; always false for fewer than three
      components.
    """
    names = cell_names(cells, axes_of("decomposed"))
    tables = []
    for name, path in zip(names, inputs["decomposed"], strict=True):
        with reading(path) as file:
            ratio = file["explained_variance_ratio"][:].astype(np.float64)
        explained = 100 * np.cumsum(ratio)
        level = np.full(len(explained), np.nan)
        for percent in LEVELS:
            reached = np.flatnonzero(explained >= percent)
            level[reached[:1]] = percent
        n_components = np.arange(len(explained)) + 1
        curve = {"series": name, "n_components": n_components, "explained": explained, "level": level}
        tables.append(pd.DataFrame({**curve, "is_elbow": n_components == recommend(n_components, ratio, 0.0)}))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a line for each decomposition; the legend says how many components reach 50, 80 and 90 %."""
    names = list(dict.fromkeys(table["series"]))
    with theme(style):
        made = canvas(figure, 66 + 4 * len(names) if figure["width"] < NARROW_BELOW_MM else 75 + 2 * len(names))
        ax = made.subplots()
        for level in LEVELS:
            ax.axhline(level, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)))
        handles = {}
        for i, (name, look) in enumerate(looks(names, style).items()):
            series = table[table["series"] == name]
            how: dict[str, Any] = {"color": look.colour, "linestyle": DASHES[i % len(DASHES)]}
            ax.plot(series["n_components"], series["explained"], **how)
            marks = series[series["level"].notna()]
            ax.plot(marks["n_components"], marks["explained"], "o", color=look.colour, markersize=3.5)
            elbow = series[series["is_elbow"]]
            ax.plot(elbow["n_components"], elbow["explained"], "D", color=look.colour, markersize=4.5, mfc="white")
            handles[f"{name}: {_reached(series)}{_at(elbow)}"] = Line2D([], [], marker="o", markersize=3.5, **how)
        if table["n_components"].max() > 10:
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:g}")
        ax.set(ylim=(0, 103), yticks=[0, *LEVELS, 100])
        ax.set(xlabel=TITLES["n_components"], ylabel="Explained variance,\ncumulative (%)")
        title = f"{n_in_words(inputs)}; components for 50 / 80 / 90 % of the variance; diamond: elbow of the scree"
        legend_below(made, handles, style, title=wrapped(title, figure["width"] - 6, small(style)))
    return made


def _at(elbow: pd.DataFrame) -> str:
    return f"; elbow {elbow['n_components'].iloc[0]}" if len(elbow) else ""


def _reached(series: pd.DataFrame) -> str:
    at_least = {level: series.loc[series["level"] >= level, "n_components"] for level in LEVELS}
    return " / ".join(str(n.iloc[0]) if len(n) else "–" for n in at_least.values())
