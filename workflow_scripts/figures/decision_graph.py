"""Plot the decision graph of Density Peaks: density against the distance to the nearest denser image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from workflow_scripts.clusterers.density_peaks import best_centres
from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, INK, colours
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.wording import count


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return for every image its density, its distance to the nearest denser image, and its rank as a possible centre.

    Returns
    -------
    DataFrame with one row per image, sorted by rank: `row` (in the manifest), `density, distance`, `product` of both,
    `rank` (from 1), `is_centre` (whether it is one of the k centres), `k`, and `measure` (text that says what the
    density is).

    Raises
    ------
    UserError
        If the clusterer is not Density Peaks, which alone has a decision graph.
    """
    cell = OneCell.first(cells, inputs)
    settings, runs = cell.clusterer(), cell.runs()
    if settings["method"] != "density_peaks":
        raise UserError(f"config: figures: decision_graph: found {settings['method']}, allowed: density_peaks")
    graph = next(k_runs.diagnostics for k_runs in runs.values() if k_runs.diagnostics)
    k = choose_k(cell.wanted_k(figure), list(runs))
    assert k is not None  # Density Peaks always has a k
    order = best_centres(graph["density"], graph["distance"])
    table = pd.DataFrame({"row": order, "density": graph["density"][order], "distance": graph["distance"][order]})
    rank = np.arange(len(order)) + 1
    measure = (
        f"Density: 1 / distance to neighbour {settings['n_neighbors']}"
        if settings["density"] == "knn"
        else "Density: images within the cut-off"
    )
    product = table["density"] * table["distance"]
    return table.assign(product=product, rank=rank, is_centre=rank <= k, k=k, measure=measure)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw distance against density, and beside it the sorted products of the two; the centres are coloured."""
    finite = table[np.isfinite(table["product"])]
    with theme(style):
        wide = figure["width"] >= NARROW_BELOW_MM
        made = canvas(figure, 66 if wide else 116)
        graph, products = made.subplots(*((1, 2) if wide else (2, 1)))
        _draw_points(graph, finite, "density", "distance", colours(style)[0])
        graph.set(xlabel=table["measure"].iloc[0], ylabel="Distance to the\nnearest denser image")
        positive = finite[finite["product"] > 0]
        _draw_points(products, positive, "rank", "product", colours(style)[0])
        k = table["k"].iloc[0]
        products.axvline(k + 0.5, color=FAINT, linestyle="--", linewidth=0.8)
        products.set(xlabel="Rank among the possible centres", ylabel="Density × distance", xscale="log", yscale="log")
        for axis in (products.xaxis, products.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
        left_out = len(table) - len(finite)
        equal = f" Not drawn: {count(left_out, 'duplicate')} of infinite density." if left_out else ""
        note(made, f"n = {len(table)} images; coloured: the centres (k = {k}).{equal}", style)
    return made


def _draw_points(ax: Axes, table: pd.DataFrame, x: str, y: str, colour: str) -> None:
    others, centres = table[~table["is_centre"]], table[table["is_centre"]]
    ax.scatter(others[x], others[y], 4, INK, alpha=0.35, linewidths=0, rasterized=True)
    ax.scatter(centres[x], centres[y], 16, colour, edgecolors="white", linewidths=0.4, zorder=3)
    ax.grid()
