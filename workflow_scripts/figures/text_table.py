"""Draw a table as a figure, with one line of text for each row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas
from workflow_scripts.figures.colours import INK, Look
from workflow_scripts.figures.legends import dot
from workflow_scripts.figures.texts import text_width
from workflow_scripts.figures.theme import small
from workflow_scripts.wording import decimal

ROW = 4.6
"""Height of a row in millimetres."""
MARK = 4.0
"""Width in millimetres for the marker of a row."""
MOST_LINES = 50
"""Largest number of rows below each other. A longer table is divided into parts that stand side by side."""
APART = 3.0
"""Smallest distance of two columns in millimetres."""
PARTS_APART = 8.0
"""Distance of two parts that stand side by side, in millimetres."""
BELOW = 12.0
"""Height in millimetres for a note of one or two lines."""

Row = Sequence[str]


def write_table(
    figure: Mapping[str, Any],
    headings: Row,
    rows: Sequence[Row],
    style: Mapping[str, Any],
    marks: Sequence[Look] = (),
    sizes: Sequence[int] = (),
    below: float = BELOW,
) -> tuple[Figure, int]:
    """Draw a table on a new figure; return the figure and the number of rows on it.

    If there are more than `MOST_LINES` rows, they are divided into parts side by side, as many as fit into the width.
    The first column (names) is left-aligned, the others (numbers) are right-aligned.

    Parameters
    ----------
    headings : texts above the columns.
    rows : texts of each row.
    marks : look of the marker before each row; none if empty.
    sizes :
        number of images of each row. If not all rows fit, those with the most images are drawn. If it is empty, all
        rows are drawn, also if they do not fit.
    below : height in millimetres that stays free below the table for a note, which the caller writes.
    """
    n_fit = _parts_that_fit(figure, headings, rows, style)
    largest = np.argsort(-np.asarray(sizes), kind="stable")[: n_fit * MOST_LINES]
    shown = np.sort(largest) if len(sizes) else np.arange(len(rows))
    parts = np.array_split(shown, max(1, min(n_fit, -(-len(shown) // MOST_LINES))))
    made = canvas(figure, ROW * (len(parts[0]) + 1) + below)
    across = figure["width"] - 4
    ax = made.subplots()
    _clear(ax, across, len(parts[0]))
    width = (across - PARTS_APART * (len(parts) - 1)) / len(parts)
    for number, part in enumerate(parts):
        chosen = [rows[row] for row in part], [marks[row] for row in part] if marks else []
        _write_part(ax, number * (width + PARTS_APART), width, headings, *chosen, style)
    return made, len(shown)


def write_tables(figure: Mapping[str, Any], tables: Sequence[Sequence[Row]], style: Mapping[str, Any]) -> Figure:
    """Return a figure with tables below each other; each table is its headings, followed by its rows."""
    heights = [len(table) + 0.6 for table in tables]
    made = canvas(figure, ROW * sum(heights) + BELOW)
    across = figure["width"] - 4
    axes = made.subplots(len(tables), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ax, (headings, *rows) in zip(axes, tables, strict=True):
        _clear(ax, across, len(rows))
        _write_part(ax, 0, across, headings, rows, [], style)
    return made


def _clear(ax: Axes, across: float, n_rows: int) -> None:
    """Set up empty axes for a table of width `across`: x is in millimetres, y is the number of the line, 0 for the
    headings."""
    ax.set(xlim=(0, across), ylim=(n_rows + 0.5, -0.6))
    ax.axis("off")


def _parts_that_fit(figure: Mapping[str, Any], headings: Row, rows: Sequence[Row], style: Mapping[str, Any]) -> int:
    widths = _widths(headings, rows, style)
    width = sum(widths) + MARK + APART * (len(widths) - 1)
    return max(1, int((figure["width"] - 4 + PARTS_APART) // (width + PARTS_APART)))


def _widths(headings: Row, rows: Sequence[Row], style: Mapping[str, Any]) -> list[float]:
    """Return the width of the longest text of each column in millimetres."""
    return [max(text_width(text, small(style)) for text in column) for column in zip(headings, *rows, strict=True)]


def _write_part(
    ax: Axes,
    start: float,
    width: float,
    headings: Row,
    rows: Sequence[Row],
    marks: Sequence[Look],
    style: Mapping[str, Any],
) -> None:
    """Write the headings and some rows below them, in columns that fill `width` mm from `start` mm on."""
    indent = MARK * bool(marks)
    widths = np.add(_widths(headings, rows, style), [indent, *[0] * (len(headings) - 1)])
    spare = (width - widths.sum()) / (len(widths) - 1)
    ends = start + np.cumsum(widths) + spare * np.arange(len(widths))
    for line, row in enumerate([headings, *rows]):
        weight = "normal" if line else "bold"
        ax.text(start + indent, line, row[0], va="center", size=small(style), weight=weight)
        for end, text in zip(ends[1:], row[1:], strict=True):
            ax.text(end, line, text, va="center", ha="right", size=small(style), weight=weight)
    ax.plot([start, start + width], [0.5, 0.5], color=INK, linewidth=0.6)
    for line, look in enumerate(marks, 1):
        mark = dot(look)
        mark.set_data([start + MARK / 4], [line])
        ax.add_line(mark)


def spread(mean: float, sd: float, digits: int = 1) -> str:
    """Return `mean ± sd` as text. Without a standard deviation (NaN) the text is the mean; without a mean it is a
    dash."""
    if pd.isna(mean):
        return "–"
    return decimal(mean, f".{digits}f") + ("" if pd.isna(sd) else f" ± {sd:.{digits}f}")
