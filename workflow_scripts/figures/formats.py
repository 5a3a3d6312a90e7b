"""The formats of the files in the data folder, and what became of them, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.style import INK, canvas, note, small, theme

HEADINGS = {"files": "Files", "taken_in": "Taken in", "duplicates": "Duplicates", "rejected": "Rejected"}
PLACES = (0.4, 0.6, 0.8, 1.0)
"""Where the columns of numbers end."""
ROW = 4.6
"""Millimetres."""
MOST = 20
"""Formats that are shown; the rest are one line together."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """The rows of formats.csv: `format, files, taken_in, duplicates, rejected`, the most frequent first."""
    return pd.read_csv(inputs["formats"][0], dtype={"format": str}, keep_default_na=False)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a line of numbers for each format, and their sums."""
    lines = table[:MOST].to_dict("records")
    if rest := len(table) - len(lines):
        lines.append({**table[MOST:][list(HEADINGS)].sum(), "format": f"{rest} others"})
    lines.append({**table[list(HEADINGS)].sum(), "format": "All"})
    with theme(style):
        made = canvas(figure, ROW * (len(lines) + 1) + 12)
        ax = made.subplots()
        ax.set(xlim=(0, 1), ylim=(len(lines) + 0.5, -0.6))
        ax.axis("off")
        for y in (0.5, len(lines) - 0.5):
            ax.axhline(y, color=INK, linewidth=0.6)
        titles = {"format": "Format", **HEADINGS}
        for y, line in enumerate([titles, *lines]):
            weight = "bold" if y == 0 else "normal"
            ax.text(0, y, line["format"], va="center", weight=weight, size=small(style))
            for x, column in zip(PLACES, HEADINGS, strict=True):
                text = f"{line[column]:,}" if y else line[column]
                ax.text(x, y, text, va="center", ha="right", weight=weight, size=small(style))
        note(made, "By how files begin; other: no picture of a known kind.", style)
    return made
