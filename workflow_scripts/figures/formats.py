"""Show a table of the file formats in the data folder: how many files were taken in, were duplicates or rejected."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import note
from workflow_scripts.figures.text_table import write_table
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.tables import read_csv

HEADINGS = {"files": "Files", "taken_in": "Taken in", "duplicates": "Duplicates", "rejected": "Rejected"}
MOST = 20
"""Largest number of formats that are shown; the others share one line."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the rows of intake's formats.csv, the most frequent format first.

    Returns
    -------
    DataFrame with `format`, and the numbers of files `files, taken_in, duplicates, rejected`.
    """
    return read_csv(inputs["formats"][0], dtype={"format": str})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a table with a row of numbers for each format, and a last row with the sums."""
    numbers = list(HEADINGS)
    lines = table[:MOST].to_dict("records")
    if rest := len(table) - len(lines):
        lines.append({**table[MOST:][numbers].sum(), "format": f"{rest} others"})
    lines.append({**table[numbers].sum(), "format": "All"})
    rows = [[line["format"], *(f"{line[column]:,}" for column in numbers)] for line in lines]
    with theme(style):
        made, _ = write_table(figure, ["Format", *HEADINGS.values()], rows, style)
        note(made, "Formats are recognised by content; other: not an image of a known kind.", style)
    return made
