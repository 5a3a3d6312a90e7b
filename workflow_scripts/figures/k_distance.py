"""Plot the sorted k-distance curve of each cell (combination of choices), whose knee gives a radius `eps` for DBSCAN.

The k-distance of an image is its distance to the k-th neighbour. DBSCAN suits the points if the knee marks a gap
between dense and sparse regions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.clusterers.k_distance import find_knee
from workflow_scripts.figures.canvas import canvas, note, panels, panels_of
from workflow_scripts.figures.colours import colours
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.evenly import evenly

DRAWN = 1000
"""Largest number of points of a curve that are drawn."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the sorted k-distance curve of the points of each cell, and its knee.

    Returns
    -------
    DataFrame with about `DRAWN` rows per cell:

    - `series`: name of the cell.
    - `distance`: distance of an image to its neighbour number `min_samples` - 1.
    - `share`: percent of the images with a shorter distance.
    - `knee`: `share` at the knee.
    - `eps`, `height`, `separation`, `confidence`, `is_gap`: of the knee, see `clusterers.k_distance.Knee`.
    - `min_samples`, `n`: the setting, and the number of images.
    """
    tables = []
    axes = [axis for axis in AXES if axis != "clusterer"]
    for name, cell in zip(cell_names(cells, axes), OneCell.each(cells, inputs), strict=True):
        points = cell.points().values
        knee = find_knee(points, figure["min_samples"])
        rows = np.union1d(evenly(len(knee.curve), DRAWN), knee.place)
        percent = 100 / max(len(knee.curve) - 1, 1)
        facts = {key: getattr(knee, key) for key in ("eps", "height", "separation", "confidence", "is_gap")}
        curve = pd.DataFrame({"share": percent * rows, "distance": knee.curve[rows]})
        facts |= {"knee": percent * knee.place, "n": len(points), "min_samples": figure["min_samples"]}
        tables.append(curve.assign(series=name, **facts))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each cell with the curve and its knee; the title says whether the knee marks a density gap."""
    names = list(dict.fromkeys(table["series"]))
    down, across = panels_of(len(names), figure)
    with theme(style):
        made = canvas(figure, 58 * down + 8)
        for ax, name in zip(panels(made, len(names), figure), names, strict=True):
            width = figure["width"] / across - 18
            _draw_curve(ax, table[table["series"] == name], wrapped(name, width, style["font_size"]), style)
        first = table.iloc[0]
        note(
            made,
            f"n = {first['n']} images; the distance is that to neighbour number {first['min_samples'] - 1}.",
            style,
        )
    return made


def _draw_curve(ax: Axes, curve: pd.DataFrame, name: str, style: Mapping[str, Any]) -> None:
    first = curve.iloc[0]
    line, mark = colours(style)[:2]
    ax.plot(curve["share"], curve["distance"], color=line)
    ax.plot(first["knee"], first["eps"], "o", color=mark, markersize=4)
    ax.set(xlabel="Images, sorted\u00a0(%)", ylabel="k-distance", xlim=(0, 101), ylim=(0, None))
    verdict = "a density gap to cut on" if first["is_gap"] else "no density gap to cut on"
    knee = f"knee: eps {first['eps']:.3g}, height {first['height']:.2f}"
    ax.set_title(f"{name}\n{knee}\nconfidence {first['confidence']:.2f}: {verdict}")
    ax.grid(axis="y")
