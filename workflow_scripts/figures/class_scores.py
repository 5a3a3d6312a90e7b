"""Precision, recall and F1 of each class, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.artefacts import choose_best_k, with_k
from workflow_scripts.figures.style import INK, canvas, dot, looks, note, placeholder, shortened, small, theme

SCORES = ("precision", "recall", "f1")
HEADINGS = ("Precision", "Recall", "F1")
ROW = 4.6
"""Millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Mean and standard deviation over the repeats of each class's scores after the majority vote, in percent.

    Returns
    -------
    DataFrame, a row per class in sorted order: `label, support, k, n_repeats`, and for each of precision, recall and f1
    `_mean` and `_sd` (ddof 1; null for one repeat). No rows without labels.
    """
    k = choose_best_k(inputs, figure)
    its = with_k(pd.read_parquet(inputs["class_scores"][0]), k)
    grouped = its.groupby(["label", "support", "k"])
    table = grouped.agg(
        n_repeats=("repeat", "size"),
        **{f"{score}_{name}": (score, how) for score in SCORES for name, how in (("mean", "mean"), ("sd", "std"))},
    ).reset_index()
    of_scores = [f"{score}_{name}" for score in SCORES for name in ("mean", "sd")]
    return table.assign(**{column: 100 * table[column] for column in of_scores})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a line of text for each class, with the class's colour and marker."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: precision and recall compare clusters with labels.")
        made = canvas(figure, ROW * (len(table) + 1) + 12)
        ax = made.subplots()
        ax.set(xlim=(0, 1), ylim=(len(table) + 0.5, -0.6))
        ax.axis("off")
        _write(ax, 0, ["Class (n)", *HEADINGS], weight="bold", size=small(style))
        ax.axhline(0.5, color=INK, linewidth=0.6)
        class_looks = looks(list(table["label"]), style)
        for line, row in enumerate(table.to_dict("records"), 1):
            spreads = [_spread(row[f"{score}_mean"], row[f"{score}_sd"]) for score in SCORES]
            _write(ax, line, [f"{shortened(row['label'], 15)} ({row['support']})", *spreads], size=small(style))
            ax.add_line(_mark(class_looks[row["label"]], line))
        first = table.iloc[0]
        note(made, f"Percent, mean ± sd over {first['n_repeats']} repeats; k = {first['k']}, majority vote.", style)
    return made


def _spread(mean: float, sd: float) -> str:
    return "–" if pd.isna(mean) else f"{mean:.1f}" if pd.isna(sd) else f"{mean:.1f} ± {sd:.1f}"


def _write(ax: Axes, line: int, texts: Sequence[str], **how: Any) -> None:
    ax.text(0.05, line, texts[0], va="center", **how)
    for place, text in zip((0.58, 0.79, 1.0), texts[1:], strict=True):
        ax.text(place, line, text, va="center", ha="right", **how)


def _mark(look: Any, line: int) -> Any:
    mark = dot(look)
    mark.set_data([0.02], [line])
    return mark
