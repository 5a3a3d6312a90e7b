"""Plot the agreement of each pair of cells as a matrix, sorted by a tree; coloured bars show the choices of the cells.

A cell is one combination of choices.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import fastcluster
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import INK, Look, looks
from workflow_scripts.figures.legends import legend_above
from workflow_scripts.figures.partitions import NO_CELLS_TO_COMPARE, choices_of
from workflow_scripts.figures.specification_curve import sorted_levels
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES, TITLES
from workflow_scripts.grid.cells import cell_names, word
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.metrics.evenly import evenly

BAR = 4.0
"""Width of the bar of a choice in millimetres."""
MOST = 200
"""Largest number of cells that are drawn. If there are more, this many cells at equal distances in the tree are
drawn."""
FEW_FOR_ORDERING = 500
"""Largest number of cells for which the branches of the tree are turned so that similar cells stand side by side."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the agreement (ARI) of each pair of cells, in the order of a tree.

    The tree is built by average linkage with the distance 1 - ARI.

    Returns
    -------
    DataFrame with one row for each ordered pair of drawn cells, including each cell with itself; empty if there is only
    one cell:

    - `place`, `other_place`: places of the two cells in the tree, from 0.
    - `name`, `other_name`: names of the two cells.
    - one column for each axis on which the cells differ: value of the first cell in words.
    - `ari`: agreement of the two cells.
    - `joins_at`: height (1 - ARI) at which the branch of the first cell joins that of the cell before it; null for
      place 0.
    - `n_cells`, `n_images`: numbers of cells and images of the study.
    """
    if len(cells) < 2:
        return pd.DataFrame(columns=["name"])
    choices = choices_of(cells)
    ari, n_images = read_agreement(inputs["agreement"][0], cells)
    order, heights = _tree(ari)
    order = order[evenly(len(order), MOST)]
    joins_at = np.append(np.nan, [heights[one, other] for one, other in pairwise(order)])
    names = np.array(cell_names(cells, [*AXES]), dtype=object)[order]
    in_words = {axis: [word(axis, level) for level in choices[axis].iloc[order]] for axis in choices}
    n = len(order)
    rows = pd.DataFrame({"place": range(n), "name": names, **in_words, "joins_at": joins_at})
    table = rows.loc[rows.index.repeat(n)].reset_index(drop=True)
    table.insert(1, "other_place", np.tile(np.arange(n), n))
    table.insert(3, "other_name", np.tile(names, n))
    return table.assign(ari=ari[np.ix_(order, order)].ravel(), n_cells=len(cells), n_images=n_images)


def _tree(ari: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of the cells in the tree, (C,) int, and the height at which each pair joins, (C, C) float64.

    `ari` (C, C) is the agreement of each pair of cells. A height is the mean of 1 - ARI between two branches.
    """
    distances = squareform(np.clip(1 - ari, 0, None), checks=False)
    merges = fastcluster.linkage(distances, "average")
    if len(ari) <= FEW_FOR_ORDERING:
        merges = optimal_leaf_ordering(merges, distances)
    heights = np.zeros_like(ari)
    members = {leaf: [leaf] for leaf in range(len(ari))}
    for number, (one, other, height, _) in enumerate(merges, len(ari)):
        left, right = members.pop(int(one)), members.pop(int(other))
        heights[np.ix_(left, right)] = heights[np.ix_(right, left)] = height
        members[number] = left + right
    return leaves_list(merges), heights


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw side by side the tree, a coloured bar for each choice, and the matrix of agreement."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NO_CELLS_TO_COMPARE)
        cells = table.drop_duplicates("place")
        axes = [axis for axis in TITLES if axis in table]
        n = len(cells)
        side = 0.58 * figure["width"]
        legend_rows = sum(1 + cells[axis].nunique() // 4 for axis in axes)
        made = canvas(figure, side + 14 + BAR * len(axes) + 4 * legend_rows)
        widths = [0.16 * side, *[BAR] * len(axes), side]
        panels = made.subplots(1, len(widths), gridspec_kw={"width_ratios": widths}, squeeze=False)[0]
        _draw_tree(panels[0], cells)
        level_looks = looks([f"{axis} {level}" for axis in axes for level in sorted_levels(cells[axis])], style)
        for ax, axis in zip(panels[1:-1], axes, strict=True):
            _draw_bar(ax, axis, [level_looks[f"{axis} {level}"].colour for level in cells[axis]])
        image = panels[-1].imshow(
            table["ari"].to_numpy().reshape(n, n), cmap="viridis", vmin=min(0.0, table["ari"].min()), vmax=1,
            aspect="auto", interpolation="nearest",
        )  # fmt: skip
        panels[-1].set(xticks=[], yticks=[])
        panels[-1].set_xlabel("Cells, in the same order")
        made.colorbar(image, ax=panels[-1], label="Agreement of two cells (ARI)", shrink=0.8, pad=0.02)
        legend_above(made, _entries(cells, axes, level_looks), style)
        note(made, _explanation(table, n), style)
    return made


def _draw_tree(ax: Axes, cells: pd.DataFrame) -> None:
    """Draw the tree. The column `joins_at` of `cells` has the height at which each cell joins the cell before it."""
    branches = [(float(place), 0.0) for place in range(len(cells))]  # place and height of the top of each branch
    joins = list(cells["joins_at"][1:])
    while joins:
        lowest = int(np.argmin(joins))
        height = joins.pop(lowest)
        (one, below_one), (other, below_other) = branches[lowest], branches.pop(lowest + 1)
        ax.plot([below_one, height, height, below_other], [one, one, other, other], color=INK, linewidth=0.6)
        branches[lowest] = ((one + other) / 2, height)
    ax.set(ylim=(len(cells) - 0.5, -0.5), xlim=(max(cells["joins_at"].max(), 1e-3) * 1.03, 0), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.set_xlabel("1 − ARI", loc="left")


def _draw_bar(ax: Axes, axis: str, cell_colours: Sequence[str]) -> None:
    """Draw the bar of one choice, one colour for each cell."""
    ax.imshow([[to_rgb(colour)] for colour in cell_colours], aspect="auto", interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(_letter(axis), loc="center")


def _letter(axis: str) -> str:
    """Return the first letter of an axis's title, which marks the axis's bar, and its values in the legend."""
    return TITLES[axis][0]


def _entries(cells: pd.DataFrame, axes: Sequence[str], level_looks: Mapping[str, Look]) -> dict[str, Line2D]:
    return {
        f"{_letter(axis)}: {short}": Line2D(
            [], [], linestyle="", marker="s", color=level_looks[f"{axis} {level}"].colour, markersize=4
        )
        for axis in axes
        for level, short in short_names(sorted_levels(cells[axis])).items()
    }


def _explanation(table: pd.DataFrame, n: int) -> str:
    first = table.iloc[0]
    part = "" if n == first["n_cells"] else f" ({n} shown, spread over the tree)"
    return (
        f"{first['n_cells']} cells{part}, n = {first['n_images']} images. Tree: average linkage of 1 − ARI. "
        "Blocks are cells that agree; the bar whose colours follow the blocks is the choice that separates them."
    )
