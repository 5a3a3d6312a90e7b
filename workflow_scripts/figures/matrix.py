"""Draw counts as a matrix, with the names of its rows and columns and the looks of their classes."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.transforms import offset_copy

from workflow_scripts.figures.colours import INK, Look
from workflow_scripts.figures.texts import POINTS_PER_MM
from workflow_scripts.figures.theme import small

LEGIBLE = 4.5
"""Smallest font size in points at which texts are written."""
TALLEST = 12
"""Largest height of a row in millimetres."""


def name_fields(axis: Axis, names: Sequence[str], side: float, style: Mapping[str, Any], rotation: float = 0) -> None:
    """Write the names of the rows or columns of a matrix, in letters that fit its fields of `side` mm.

    If letters of `LEGIBLE` points are still too large, only every second, third, ... name is written.
    """
    fits = 0.9 * side * POINTS_PER_MM
    size = max(LEGIBLE, min(small(style), fits))
    step = ceil(size / fits)
    axis.set_ticks(range(0, len(names), step), names[::step], size=size, rotation=rotation)


def draw_counts(ax: Axes, counts: np.ndarray, shares: np.ndarray, side: float, style: Mapping[str, Any]) -> None:
    """Draw a matrix of counts (R, C) with fields `side` mm wide. The shade of a field is its share (R, C), from 0 to 1.

    A count is written into its field, in white on a dark shade, if it is positive and its letters would not be too
    small to read.
    """
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = min(style["font_size"], 1.4 * side * POINTS_PER_MM / len(str(counts.max())))
    for row, column in np.argwhere(counts > 0) if size >= LEGIBLE else ():
        colour = "white" if shares[row, column] > 0.5 else INK
        ax.text(column, row, str(counts[row, column]), ha="center", va="center_baseline", color=colour, size=size)
    ax.set_xticks(np.arange(counts.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(counts.shape[0] + 1) - 0.5, minor=True)
    ax.tick_params(which="minor", length=0)
    ax.grid(which="minor")


def draw_classes(
    ax: Axes, names: Sequence[str], looks_of: Mapping[str, Look], field: float, sides: Sequence[str]
) -> None:
    """Draw the colour and marker of each class between its name and the matrix.

    `sides` has `left` (for the names of rows), `below` (for the names of columns), or both. `field` is the side of one
    field of the matrix, in millimetres.
    """
    size = min(4, 0.9 * field * POINTS_PER_MM)
    edges = {"left": ((-4, 0), ax.get_yaxis_transform()), "below": ((0, -4), ax.get_xaxis_transform())}
    for side in sides:
        offset, edge = edges[side]
        points = offset_copy(edge, ax.get_figure(root=True), *offset, units="points")
        for i, name in enumerate(names):
            look, at = looks_of[name], (0, i) if side == "left" else (i, 0)
            ax.plot(*at, look.marker, color=look.colour, markersize=size, transform=points, clip_on=False)
