"""Draw a table as a figure, with one line of text for each row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.style import INK, Look, dot, small, text_width, width_of

ROW = 4.6
"""Height of a row in millimetres."""
MARK = 4.0
"""Width in millimetres for the marker of a row."""


def height(n_rows: int) -> float:
    """Return the height in millimetres of a table with `n_rows` rows, its headings, and a note below."""
    return ROW * (n_rows + 1) + 12


def write_table(
    made: Figure,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    style: Mapping[str, Any],
    marks: Sequence[Look] = (),
) -> None:
    """Write the rows below the headings: names on the left, right-aligned numbers, columns as wide as their texts.

    `marks` are the looks of the markers before the names.
    """
    ax = made.subplots()
    ax.set(xlim=(0, 1), ylim=(len(rows) + 0.5, -0.6))
    ax.axis("off")
    widths = [max(text_width(text, small(style)) for text in column) for column in zip(headings, *rows, strict=True)]
    widths[0] += MARK * bool(marks)
    spare = (width_of(made) - 4 - sum(widths)) / (len(widths) - 1)
    ends = (np.cumsum(widths) + spare * np.arange(len(widths))) / (width_of(made) - 4)
    for line, row in enumerate([headings, *rows]):
        weight = "normal" if line else "bold"
        ax.text(MARK / width_of(made) * bool(marks), line, row[0], va="center", size=small(style), weight=weight)
        for end, text in zip(ends[1:], row[1:], strict=True):
            ax.text(end, line, text, va="center", ha="right", size=small(style), weight=weight)
    ax.axhline(0.5, color=INK, linewidth=0.6)
    for line, look in enumerate(marks, 1):
        mark = dot(look)
        mark.set_data([MARK / 4 / width_of(made)], [line])
        ax.add_line(mark)


def spread(mean: float, sd: float, digits: int = 1) -> str:
    """Return mean ± standard deviation as text; a dash if there is no mean, the mean alone if there is no deviation."""
    if pd.isna(mean):
        return "–"
    return f"{mean:.{digits}f}".replace("-", "\u2212") + ("" if pd.isna(sd) else f" ± {sd:.{digits}f}")
