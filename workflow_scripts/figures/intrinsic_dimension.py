"""The intrinsic dimension of features by two nearest neighbours: the fits, and the dimension of smaller samples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from workflow_scripts.figures.style import FAINT, ONE_COLUMN, canvas, looks, note, theme, wrapped
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.evenly import evenly
from workflow_scripts.metrics.two_nn import dimension_by_size, two_nn

POINTS = 400
"""Of a fit that are drawn; the largest 40 all, where the tail is."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the dimension of each cell's features.

    Returns
    -------
    DataFrame with the rows of `measured` for each cell, and `series` (its name).
    """
    tables = []
    names = cell_names(cells, axes_of("features"))
    for name, path in zip(names, inputs["features"], strict=True):
        with reading(path) as file:
            tables.append(measured(file["features"][:], figure).assign(series=name))
    return pd.concat(tables, ignore_index=True)


def measured(X: npt.ArrayLike, figure: Mapping[str, Any]) -> pd.DataFrame:
    """Return the distribution of mu, the lines fitted to it and the dimension of samples of points (N, d).

    Rows of three kinds, by `part`: a `point` of the distribution (`x` log mu, `y` -log(1 - F)); a `fit` to the first
    `fraction` of the points (`dimension` its slope, `x` where it ends); a `size` of samples and a fraction (`x` points
    of a sample, `y` mean dimension, `sd` over the `n` samples, null for one; ddof 1). Every row has `n_points`, those
    that are left of copies.
    """
    fitted = two_nn(X)
    x, y = fitted.log_mu, fitted.minus_log
    n = len(x) + 1
    kept = np.unique(np.concatenate([evenly(len(x), POINTS), np.arange(len(x))[-40:]]))
    fits = [(f, fitted.dimension(f), x[min(int(n * f), len(x)) - 1]) for f in figure["fractions"]]
    by_size = dimension_by_size(X, figure["fractions"], figure["smallest"], figure["seed"])
    of_size = by_size.rename(columns={"size": "x"}).groupby(["x", "fraction"])["dimension"]
    sizes = of_size.agg(y="mean", sd="std", n="count").reset_index()
    parts = [
        pd.DataFrame({"part": "point", "x": x[kept], "y": y[kept]}),
        pd.DataFrame(fits, columns=["fraction", "dimension", "x"]).assign(part="fit"),
        sizes.assign(part="size"),
    ]
    return pd.concat(parts, ignore_index=True).assign(n_points=n)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw for each series the fits and, beside them, the dimension against the size of the sample."""
    names = list(dict.fromkeys(table["series"]))
    beside = figure["width"] >= ONE_COLUMN
    with theme(style):
        shape = (len(names), 2) if beside else (2 * len(names), 1)
        made = canvas(figure, 50 * shape[0] + 4)
        axes = made.subplots(*shape, squeeze=False).reshape(len(names), 2)
        width = figure["width"] / shape[1] - 15
        for name, (left, right) in zip(names, axes, strict=True):
            of_series = table[table["series"] == name]
            draw_fits(left, of_series, style)
            title = f"{name}, n = {of_series['n_points'].iloc[0]}"
            left.set_title(wrapped(title, width, style["font_size"]))
            draw_sizes(right, of_series, style)
        highest = table.loc[table["part"] == "size", "y"].max()
        for right in axes[:, 1]:
            right.set_ylim(0, 1.1 * highest)
        note(made, "Dimension: the slope (Facco et al. 2017). Bars: ± sd over disjoint samples.", style)
    return made


def fraction_looks(table: pd.DataFrame, style: Mapping[str, Any]) -> dict[float, str]:
    """Return a colour for each fraction of the points."""
    fractions = sorted(table["fraction"].dropna().unique(), reverse=True)
    return {
        f: look.colour for f, look in zip(fractions, looks([str(f) for f in fractions], style).values(), strict=True)
    }


def draw_fits(ax: Axes, table: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw the distribution as points, and a line for each fraction with its slope at the end."""
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
    """Draw mean and spread of the dimension against the number of points, a line for each fraction."""
    sizes = table[table["part"] == "size"]
    for fraction, colour in fraction_looks(table, style).items():
        of_fraction = sizes[sizes["fraction"] == fraction]
        ax.errorbar(
            of_fraction["x"],
            of_fraction["y"],
            of_fraction["sd"].fillna(0),
            color=colour,
            marker="o",
            markersize=2.5,
            elinewidth=0.7,
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if sizes["x"].max() < 100 * sizes["x"].min() else (1,)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="Points of the sample", ylabel="Intrinsic dimension", ylim=(0, None))
    ax.grid(axis="y")
