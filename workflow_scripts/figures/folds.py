"""Plot a metric on the training folds and on the held-out fold of a cross-validation.

A cell is one combination of choices; a repeat is one clustering of it with its own seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import Look, looks
from workflow_scripts.figures.legends import columns_within, dot, panel_legend
from workflow_scripts.figures.names import BESIDE_ACCURACY, NEEDS_LABELS, accuracy_note, n_in_words, over_repeats, shown
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import with_k
from workflow_scripts.scores import METRICS

SPLITS = {
    "train": "training",
    "validation": "held out",
    "validation_refitted": "held out, vote refitted",
}
"""The names in the figure of the parts that a fold is scored on."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the metric of every repeat in each fold and split, with mean and standard deviation over the repeats.

    Returns
    -------
    DataFrame with one row per cell, fold, split and repeat; empty if there are no values:

    - `series`, `k`: name of the cell, and its k.
    - `fold`, `repeat`: number of the fold, and number of the repeat.
    - `split`: the images that are scored, in the words of `SPLITS`.
    - `metric`, `value`: the metric, and its value in the units of the axis label.
    - `mean`, `sd`, `n_repeats`: mean and standard deviation over the repeats (ddof 1; `sd` is null for one repeat), and
      number of repeats.
    - `largest_class`, `accuracy_matched`, `ari`: further scores (shares).
    """
    metric = figure["metric"]
    tables = []
    for name, cell in zip(cell_names(cells, [*AXES]), OneCell.each(cells, inputs), strict=True):
        scores = with_k(cell.validated(), figure["k"]).dropna(subset=[metric])
        values = scores[["k", "fold", "split", "repeat", *BESIDE_ACCURACY]].assign(value=shown(metric, scores[metric]))
        repeats = values.groupby(["fold", "split"])["value"]
        values["mean"], values["sd"], values["n_repeats"] = (repeats.transform(how) for how in ("mean", "std", "count"))
        tables.append(values.assign(series=name, metric=metric, split=values["split"].map(SPLITS)))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each cell, with a point for each fold and split and a bar for the spread over the repeats."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NEEDS_LABELS)
        names, splits = list(dict.fromkeys(table["series"])), list(dict.fromkeys(table["split"]))
        across = 1 if figure["width"] < NARROW_BELOW_MM else len(names)
        made = canvas(figure, 52 * (len(names) // across) + 18)
        axes = made.subplots(len(names) // across, across, squeeze=False, sharey=True).ravel()
        by_colour = looks(splits, style)
        split_looks = {
            split: Look(by_colour[split].colour, marker) for split, marker in zip(splits, "os^", strict=False)
        }
        for ax, name in zip(axes, names, strict=True):
            _draw_cell(ax, table[table["series"] == name], split_looks)
        metric = METRICS[table["metric"].iloc[0]]
        if metric.percent:  # after all panels are drawn, because they share the axis
            axes[0].set_ylim(top=min(axes[0].get_ylim()[1], 100.5))
        axes[0].set_ylabel(metric.axis_label)
        entries = {split: dot(look) for split, look in split_looks.items()}
        panel_legend(axes[0], entries, columns_within(0.9 * figure["width"], splits, style))
        repeats = over_repeats(table["n_repeats"].max())
        held_out = table[table["split"] != SPLITS["train"]]
        beside = accuracy_note(table["metric"].unique(), held_out.groupby("series")[[*BESIDE_ACCURACY]].mean())
        start = f"{n_in_words(inputs, table['metric'].unique())}, k = {table['k'].iloc[0]}"
        empty = " and ".join(str(fold + 1) for fold in sorted({*table["fold"]} - {*held_out["fold"]}))
        why = (
            f"No held-out image of fold {empty} has a label."
            if metric.needs_labels
            else f"Fold {empty}: no held-out value."
        )
        missing = f" {why}" if empty else ""
        note(made, f"{start}; {repeats}; dotted: mean of the folds.{missing}{beside}", style)
    return made


def _draw_cell(ax: Axes, scores: pd.DataFrame, split_looks: Mapping[str, Look]) -> None:
    steps = np.linspace(-0.22, 0.22, len(split_looks))
    for step, (split, look) in zip(steps, split_looks.items(), strict=True):
        folds = scores[scores["split"] == split].drop_duplicates("fold").sort_values("fold")
        spread = folds["sd"].fillna(0)
        bars = ax.errorbar(
            folds["fold"] + 1 + step, folds["mean"], spread, color=look.colour, fmt=look.marker, markersize=4
        )
        bars.lines[0].set_clip_on(False)  # a marker at 100 % is drawn whole
        ax.axhline(folds["mean"].mean(), color=look.colour, linestyle=":", linewidth=0.8)
    ax.set_xticks(sorted(scores["fold"].unique() + 1))
    ax.set_xlim(right=max(ax.get_xlim()[1], scores["fold"].max() + 1 + steps[-1]))
    ax.set_xlabel(f"Fold ({scores['series'].iloc[0]})", wrap=True)
    ax.grid(axis="y")
