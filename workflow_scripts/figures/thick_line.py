"""Show, with points on a thick line, why the intrinsic dimension is measured on samples of many sizes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, INK
from workflow_scripts.figures.intrinsic_dimension import draw_fits, draw_sizes, measured
from workflow_scripts.figures.theme import theme
from workflow_scripts.metrics.two_nn import thick_line

LENGTH = 100.0
"""Length of the line."""
WINDOW = 0.5
"""Length of the piece in the middle of the line whose points are drawn."""
FRACTIONS = (0.9, 0.5)
"""Shares of the points that the dimension is estimated from."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return points along a line with normal noise across it, for a small and a large number of points.

    Returns
    -------
    DataFrame with the rows of `intrinsic_dimension.measured` for both numbers of points, and with one row for each
    point to draw: `part` is "place", `x` is the place along the line and `y` the place across it. `series` is a text
    with the number of points.
    """
    how = {"fractions": FRACTIONS, "smallest": figure["smallest"], "seed": figure["seed"]}
    tables = []
    for n in figure["n_points"]:
        X = thick_line(n, figure["noise"], LENGTH, figure["seed"])
        x, y = X[abs(X[:, 0] - LENGTH / 2) < WINDOW / 2].T
        places = pd.DataFrame({"part": "place", "x": x - LENGTH / 2, "y": y})
        tables.append(pd.concat([measured(X, how), places], ignore_index=True).assign(series=f"{n} points"))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw four panels about the small and the large set of points.

    The first panel shows a piece of the line with the points of both sets. The second shows the fits (`draw_fits`) for
    the small set, and the third those for the large set. The last shows the dimension of samples of the large set
    against the size of the samples.
    """
    few, many = list(dict.fromkeys(table["series"]))
    with theme(style):
        wide = figure["width"] >= NARROW_BELOW_MM
        made = canvas(figure, 110 if wide else 210)
        panels = made.subplots(*((2, 2) if wide else (4, 1))).ravel()
        _draw_places(panels[0], table, few, many)
        for ax, name in ((panels[1], few), (panels[2], many)):
            draw_fits(ax, table[table["series"] == name], style)
            ax.set_title(name)
        draw_sizes(panels[3], table[table["series"] == many], style)
        panels[3].set_title(f"Samples of {many}")
        for dimension in (1, 2):
            panels[3].axhline(dimension, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)))
        panels[3].set_ylim(0, 2.2)
        note(made, "Dimension: the slope (Facco et al. 2017). Bars: ± sd over disjoint samples.", style)
    return made


def _draw_places(ax: Axes, table: pd.DataFrame, few: str, many: str) -> None:
    """Draw the points near the middle of the line. Points of the small set hide those of the large set.

    `few` and `many` are the names of the two sets in the column `series`. The two axes have different scales.
    """
    places = table[table["part"] == "place"]
    for name, colour, size in ((many, FAINT, 2), (few, INK, 5)):
        rows = places[places["series"] == name]
        ax.plot(rows["x"], rows["y"], "o", color=colour, markersize=size, label=name, rasterized=True)
    title = f"A piece of the line, {100 * WINDOW / LENGTH:g} % of its length"
    ax.set(xlabel="Along the line", ylabel="Across it", title=title)
    ax.locator_params(nbins=5)
    ax.set_ylim(top=1.5 * places["y"].max())
    ax.legend(loc="upper right", ncols=2)
