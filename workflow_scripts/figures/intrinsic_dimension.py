"""Plot the intrinsic dimension of features for all points and for random samples of them.

It is estimated from the two nearest neighbours of each point (TwoNN).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, looks
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.ticks import log_scale
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.evenly import evenly
from workflow_scripts.metrics.two_nn import dimension_by_size, two_nn

POINTS = 400
"""Number of points of the distribution that are drawn. The 40 largest are drawn in addition, to show the tail."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the intrinsic dimension of the features of each cell.

    Returns
    -------
    DataFrame with the rows of `measured` for each cell, and `series` (name of the cell).
    """
    tables = []
    names = cell_names(cells, axes_of("features"))
    for name, path in zip(names, inputs["features"], strict=True):
        with reading(path) as file:
            tables.append(measured(file["features"][:], figure).assign(series=name))
    return pd.concat(tables, ignore_index=True)


def measured(X: npt.ArrayLike, figure: Mapping[str, Any]) -> pd.DataFrame:
    """Return the distribution of mu, the lines fitted to it, and the dimension of samples, for points `X` (N, d).

    For each point, mu is the ratio of its distances to the second and the first neighbour. F is the distribution of mu,
    and the slope of -log(1 - F) against log mu is the dimension (Facco et al. 2017, see `metrics.two_nn`).

    Returns
    -------
    DataFrame with the column `n_points` (number of points without duplicates), and rows of three kinds, which the
    column `part` tells apart:

    - `point`: a point of the distribution; `x` is log mu, `y` is -log(1 - F).
    - `fit`: a line fitted to the first `fraction` of the points; `dimension` is its slope, and `x` is where it ends.
    - `size`: `n` samples of `x` points; `y` is their mean dimension for this `fraction`, and `sd` its standard
      deviation (ddof 1; null for one sample).
    """
    fitted = two_nn(X)
    x, y = fitted.log_mu, fitted.minus_log
    n = len(x) + 1
    kept = np.unique(np.concatenate([evenly(len(x), POINTS), np.arange(len(x))[-40:]]))
    fits = [(f, fitted.dimension(f), x[min(int(n * f), len(x)) - 1]) for f in figure["fractions"]]
    by_size = dimension_by_size(X, figure["fractions"], figure["smallest"], figure["seed"])
    by_fraction = by_size.rename(columns={"size": "x"}).groupby(["x", "fraction"])["dimension"]
    sizes = by_fraction.agg(y="mean", sd="std", n="count").reset_index()
    parts = [
        pd.DataFrame({"part": "point", "x": x[kept], "y": y[kept]}),
        pd.DataFrame(fits, columns=["fraction", "dimension", "x"]).assign(part="fit"),
        sizes.assign(part="size"),
    ]
    return pd.concat(parts, ignore_index=True).assign(n_points=n)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw for each cell the fitted lines and, beside them, the dimension against the sample size."""
    names = list(dict.fromkeys(table["series"]))
    beside = figure["width"] >= NARROW_BELOW_MM
    with theme(style):
        shape = (len(names), 2) if beside else (2 * len(names), 1)
        made = canvas(figure, 50 * shape[0] + 4)
        axes = made.subplots(*shape, squeeze=False).reshape(len(names), 2)
        width = figure["width"] / shape[1] - 15
        for name, (left, right) in zip(names, axes, strict=True):
            series_rows = table[table["series"] == name]
            draw_fits(left, series_rows, style)
            title = f"{name}, n = {series_rows['n_points'].iloc[0]}"
            left.set_title(wrapped(title, width, style["font_size"]))
            draw_sizes(right, series_rows, style)
        highest = table.loc[table["part"] == "size", "y"].max()
        for right in axes[:, 1]:
            right.set_ylim(0, 1.1 * highest)
        note(made, "Dimension: the slope (Facco et al. 2017). Bars: ± sd over disjoint samples.", style)
    return made


def fraction_looks(table: pd.DataFrame, style: Mapping[str, Any]) -> dict[float, str]:
    """Return the colour of each fitted line, by the fraction of the points that the line is fitted to.

    The largest fraction comes first.
    """
    fractions = sorted(table["fraction"].dropna().unique(), reverse=True)
    return {
        f: look.colour for f, look in zip(fractions, looks([str(f) for f in fractions], style).values(), strict=True)
    }


def draw_fits(ax: Axes, table: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw the distribution of mu as points, and a fitted line for each fraction, with its slope in the legend."""
    points, fits = (table[table["part"] == part] for part in ("point", "fit"))
    ax.plot(points["x"], points["y"], ".", color=FAINT, markersize=2.5, rasterized=True)
    top = 1.05 * points["y"].max()
    for fraction, colour in fraction_looks(table, style).items():
        fit = fits[fits["fraction"] == fraction].iloc[0]
        end = min(points["x"].max(), top / fit["dimension"])
        ax.plot(
            [0, end], [0, fit["dimension"] * end], color=colour, label=f"{100 * fraction:g} %: {fit['dimension']:.1f}"
        )
    ax.set(xlim=(0, None), ylim=(0, top), xlabel="log μ", ylabel="−log(1 − F(μ))")
    ax.legend(title="First points: dimension", loc="upper left", borderpad=0)


def draw_sizes(ax: Axes, table: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw mean and standard deviation of the dimension against the sample size, a line for each fraction."""
    sizes = table[table["part"] == "size"]
    for fraction, colour in fraction_looks(table, style).items():
        rows = sizes[sizes["fraction"] == fraction]
        ax.errorbar(
            rows["x"],
            rows["y"],
            rows["sd"].fillna(0),
            color=colour,
            marker="o",
            markersize=2.5,
            elinewidth=0.7,
        )
    log_scale(ax, sizes["x"].min(), sizes["x"].max())
    ax.set(xlabel="Points of the sample", ylabel="Intrinsic dimension", ylim=(0, None))
    ax.grid(axis="y")
