"""Show on 100 points how mutual information depends on the number of clusters (Coronica 2018, figures 4.2 and 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, INK, colours, looks
from workflow_scripts.figures.nmi_curves import DASHES, REFERENCES
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.grid.axes import K_TITLE
from workflow_scripts.metrics.reference_curves import nmi_geometric, reference_curves

SIDE = 10
"""Side of the square of points. Each column of points has its own label."""
DRAWS = 200
"""Number of random labellings for each k."""
SHOWN = {10: "the labels", 5: "labels merged", 20: "labels divided", 7: "across the labels"}
"""The partitions that are drawn, by their number of clusters."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the NMI (geometric mean) between ten labels and each of 100 partitions of the same 100 points.

    The points stand in a square and are numbered row by row, from 0. The partition into k clusters puts point i into
    cluster i mod k, for k = 1 to 100. The labels are the clusters of the partition with k = 10: the columns of the
    square.

    Returns
    -------
    DataFrame with rows of three kinds, which the column `part` tells apart:

    - `partition`: `k` and `nmi`.
    - `reference`: `curve`, `k`, `nmi` and `sd` (see `metrics.reference_curves`).
    - `point`: `k`, `row` and `column` in the square, and `cluster`. Rows and columns of each square are sorted so that
      clusters lie together.
    """
    points = np.arange(SIDE**2)
    ks = range(1, len(points) + 1)
    scores = [nmi_geometric(points % SIDE, points % k) for k in ks]
    references = reference_curves(points % SIDE, ks, draws=DRAWS)
    squares = []
    for k in SHOWN:
        square = (points % k).reshape(SIDE, SIDE)
        square = square[:, square[0].argsort(kind="stable")][square[:, 0].argsort(kind="stable")]
        row, column = np.indices(square.shape)
        places = {"row": row.ravel(), "column": column.ravel(), "cluster": square.ravel()}
        squares.append(pd.DataFrame(places).assign(part="point", k=k))
    partitions = pd.DataFrame({"part": "partition", "k": ks, "nmi": scores})
    return pd.concat([partitions, references.assign(part="reference"), *squares], ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw four of the partitions as squares, and below them the NMI of all partitions with the reference curves."""
    with theme(style):
        wide = figure["width"] >= NARROW_BELOW_MM
        across = 4 if wide else 2
        down = len(SHOWN) // across
        squares = down * (figure["width"] / across + 10)
        made = canvas(figure, squares + 76)
        above, below = made.subfigures(2, 1, squeeze=False, height_ratios=[squares, 66]).ravel()
        partitions = table[table["part"] == "partition"].set_index("k")["nmi"]
        for ax, k in zip(above.subplots(down, across).ravel(), SHOWN, strict=True):
            _draw_square(ax, table[(table["part"] == "point") & (table["k"] == k)], style)
            ax.set_title(f"{SHOWN[k]}, k = {k}\nNMI {partitions[k]:.2f}")
        _draw_curves(below.subplots(), partitions, table[table["part"] == "reference"], colours(style)[0])
        note(made, f"100 points, whose ten labels are the columns of a square. Band: ± sd of {DRAWS} draws.", style)
    return made


def _draw_square(ax: Axes, points: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw the square of points, each with the number of its cluster."""
    look_of = looks([str(cluster) for cluster in range(SIDE**2)], style)
    for row, column, cluster in points[["row", "column", "cluster"]].astype(int).itertuples(index=False):
        look = look_of[str(cluster)]
        how: dict[str, Any] = {"marker": look.marker, "color": look.colour, "alpha": 0.4, "markeredgewidth": 0}
        ax.plot(column, row, markersize=1.5 * small(style), **how)
        ax.text(column, row, f"{cluster}", size=0.8 * small(style), color=INK, ha="center", va="center_baseline")
    ax.set(xlim=(-0.6, SIDE - 0.4), ylim=(SIDE - 0.4, -0.6), xticks=[], yticks=[], aspect="equal")
    for side in ax.spines.values():
        side.set(visible=True, color=FAINT, linewidth=0.4)


def _draw_curves(ax: Axes, partitions: pd.Series, references: pd.DataFrame, colour: str) -> None:
    ax.plot(partitions.index, partitions, "o", color=colour, markersize=3, label="partitions as above")
    for name in ("refinement", "random"):
        curve = references[references["curve"] == name]
        ax.fill_between(
            curve["k"], curve["nmi"] - curve["sd"], curve["nmi"] + curve["sd"], color=FAINT, alpha=0.4, linewidth=0
        )
        ax.plot(curve["k"], curve["nmi"], color=INK, linestyle=DASHES[name], linewidth=0.9, label=REFERENCES[name])
    ax.set(xlabel=K_TITLE, ylabel="NMI with the labels\n(geometric mean)", xlim=(0, 101), ylim=(0, 1.02))
    ax.grid(axis="y")
    ax.legend(loc="lower right")
