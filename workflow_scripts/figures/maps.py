"""Plot the same images on the maps of several cells (combinations of choices), coloured by label."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, panels, panels_of
from workflow_scripts.figures.colours import NOBODY, UNLABELLED, class_looks
from workflow_scripts.figures.embedding import name_axes, places, scatter
from workflow_scripts.figures.legends import LINE_MM, dot, legend_below, legend_lines
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.view import on_page
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.votes import apart


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the coordinates of every image on the map of each cell.

    Returns
    -------
    DataFrame with one row per cell and image, in the order of the manifest: `series` (name of the cell), `image_id,
    label` (None if unknown), `x, y` (and `z` in three dimensions), `map` (name of the axes).
    """
    tables = []
    names = cell_names(cells, axes_of("features"))
    for name, cell in zip(names, OneCell.each(cells, inputs), strict=True):
        manifest = cell.manifest()[["image_id", "label"]]
        tables.append(manifest.assign(series=name, **places(cell)))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each map, with points in the colours of their labels."""
    table = on_page(table)
    by_class = class_looks(table["label"], inputs["classes"], style)
    nameless = apart(UNLABELLED, by_class)
    unlabelled = {nameless: NOBODY} if table["label"].isna().any() else {}
    names = list(dict.fromkeys(table["series"]))
    down, across = panels_of(len(names), figure)
    short = short_names(by_class | unlabelled)
    with theme(style):
        spans = table.groupby("series")[["x", "y"]].agg(np.ptp)
        shape = float(np.clip(spans["y"] / spans["x"], 0.5, 1.2).max())
        below = LINE_MM * legend_lines(short.values(), figure["width"], style) + 3 if short else 0
        made = canvas(figure, down * (shape * (figure["width"] / across - 6) + 9) + below)
        for ax, name in zip(panels(made, len(names), figure), names, strict=True):
            series_rows = table[table["series"] == name].reset_index(drop=True)
            scatter(
                ax,
                series_rows,
                series_rows["label"].fillna(nameless),
                by_class | unlabelled,
                f"{name}, n = {len(series_rows)}{'' if by_class else ' (no labels)'}",
            )
            name_axes([ax], series_rows)
        legend_below(made, {short[name]: dot(look) for name, look in (by_class | unlabelled).items()}, style)
    return made
