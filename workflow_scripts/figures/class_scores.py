"""Show a table of precision, recall and F1 of each class.

The scores are means over the repeats, which are clusterings with different seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import note, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.names import k_in_words, over_repeats
from workflow_scripts.figures.text_table import spread, write_table
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import with_k

SCORES = ("precision", "recall", "f1")
HEADINGS = ("Precision", "Recall", "F1")


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return precision, recall and F1 of each class in percent, as mean and standard deviation over the repeats.

    Each cluster counts as the class of most of its labelled images (majority vote).

    Returns
    -------
    DataFrame with one row per class, sorted: `label`, `support` (images of the class), `k` (null if the clusterer finds
    k itself), `n_repeats`, `precision_mean`, `precision_sd` (ddof 1; null for one repeat), and the same two columns for
    `recall` and `f1`. Empty without labels.
    """
    cell = OneCell.first(cells, inputs)
    k = cell.wanted_k(figure)
    scores = with_k(cell.class_scores(), k)
    grouped = scores.groupby(["label", "support", "k"], dropna=False)
    table = grouped.agg(
        n_repeats=("repeat", "size"),
        **{f"{score}_{name}": (score, how) for score in SCORES for name, how in (("mean", "mean"), ("sd", "std"))},
    ).reset_index()
    score_columns = [f"{score}_{name}" for score in SCORES for name in ("mean", "sd")]
    return table.assign(**{column: 100 * table[column] for column in score_columns})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a table with a line for each class, which begins with the colour and marker of the class.

    If there are too many classes, only the largest ones that fit are drawn.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: precision and recall compare clusters with labels.")
        by_class = class_looks(table["label"], inputs["classes"], style)
        short = short_names(table["label"], 15)
        rows = [
            [
                f"{short[row['label']]} ({row['support']})",
                *(spread(row[f"{score}_mean"], row[f"{score}_sd"]) for score in SCORES),
            ]
            for row in table.to_dict("records")
        ]
        headings, marks = ["Class (n)", *HEADINGS], [by_class[name] for name in table["label"]]
        made, n_shown = write_table(figure, headings, rows, style, marks, table["support"])
        first = table.iloc[0]
        some = "" if n_shown == len(rows) else f" The {n_shown} largest of {len(rows)} classes."
        note(made, f"In %, {over_repeats(first['n_repeats'])}; {k_in_words(first, ', ')}majority vote.{some}", style)
    return made
