"""Plot the confusion matrix of one clustering, in which each cluster counts as the class of most of its images."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.matrix import TALLEST, draw_classes, draw_counts, name_fields
from workflow_scripts.figures.names import BESIDE_ACCURACY, beside_accuracy, k_in_words
from workflow_scripts.figures.texts import short_names, text_width, wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics import confusion, score_restarts


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the number of images of each class and predicted class in one clustering.

    Of the stored clusterings with the wanted k, the one with the lowest inertia is taken.

    Returns
    -------
    DataFrame with one row per label and predicted class; empty if no image has a label:

    - `label`, `predicted`: class and predicted class, sorted. `predicted` may also be `noise`, or `?` for clusters
      without labelled images; these come last.
    - `count`: number of images.
    - `support`, `share`: number of labelled images of the class, and count / support.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    - `accuracy`, `largest_class`, `accuracy_matched`, `ari`: scores of all labelled images.
    - `n_stored`: number of stored clusterings with this k.
    """
    cell = OneCell.first(cells, inputs)
    best = cell.clustering(figure)
    labels = cell.manifest()["label"]
    counts = confusion(best.labels, labels)
    support = counts.sum(axis=1)
    correct = sum(counts.loc[name, name] for name in counts.index)
    table = counts.rename_axis(index="label").reset_index().melt("label", var_name="predicted", value_name="count")
    table["support"] = table["label"].map(support)
    table["share"] = table["count"] / table["support"]
    table["chosen_by"] = chosen_by(figure)
    table = table.assign(k=best.k, accuracy=correct / max(support.sum(), 1))
    scores = score_restarts(best.labels[None], labels)
    return table.assign(**{name: scores[name][0] for name in BESIDE_ACCURACY}, n_stored=best.n_stored)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the counts as a matrix with a row for each class; the shade is the share of the images of the class."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: a confusion matrix compares clusters with labels.")
        rows, columns = list(dict.fromkeys(table["label"])), list(dict.fromkeys(table["predicted"]))
        counts = table["count"].to_numpy().reshape(len(columns), len(rows)).T
        shares = table["share"].to_numpy().reshape(len(columns), len(rows)).T
        supports = table.drop_duplicates("label")["support"]
        short = short_names([*rows, *columns])
        names = [f"{short[name]} ({n})" for name, n in zip(rows, supports, strict=True)]
        margin = max(text_width(name, small(style)) for name in names) + 8
        side = (figure["width"] - margin) / len(columns)
        below = max(text_width(short[name], small(style)) for name in columns)
        room = figure["width"] - margin - 4
        xlabel = wrapped("Class that the cluster votes for", room, style["font_size"])
        made = canvas(figure, min(side, TALLEST) * len(rows) + below + 18 + 4 * xlabel.count("\n"))
        ax = made.subplots()
        draw_counts(ax, counts, shares, side, style)
        upright = below > side - 1
        name_fields(ax.xaxis, [short[name] for name in columns], side, style, rotation=90 if upright else 0)
        name_fields(ax.yaxis, names, side, style)
        ax.set(xlabel=xlabel, ylabel="Label (images)")
        ax.set_title(_title(table, int(supports.sum()), room, style["font_size"]))
        ax.tick_params(length=0, pad=8)
        draw_classes(ax, rows, class_looks(table["label"], inputs["classes"], style), side, sides=("left", "below"))
    return made


def _title(table: pd.DataFrame, n: int, width: float, size: float) -> str:
    first = table.iloc[0]
    accuracy = f"accuracy {100 * first['accuracy']:.1f} % of n = {n}"
    k = k_in_words(first).removesuffix(", majority vote")  # the axis label says so already
    start = [k, accuracy] if ", " in k else [", ".join(filter(None, [k, accuracy]))]
    return "\n".join(wrapped(line, width, size) for line in [*start, beside_accuracy(table)])
