"""Plot the number of images of each class in each cluster, one column for each cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.matrix import TALLEST, draw_classes, draw_counts, name_fields
from workflow_scripts.figures.names import k_in_words
from workflow_scripts.figures.texts import short_names, text_width, wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.members import cluster_names


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the number of images of each class in each cluster.

    The clustering is the one with the lowest inertia among those stored for the chosen k.

    Returns
    -------
    DataFrame with one row per label and cluster; empty without labels:

    - `label`: the classes, sorted.
    - `cluster`, `name`: number of the cluster (negative for noise), and its name, such as `Sc` or `Sc-2`. Clusters are
      sorted by name; noise is last.
    - `count`: number of images of the class in the cluster.
    - `support`, `share`: number of images of the class, and `count` divided by it.
    - `size`: number of images in the cluster, with or without a label.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    best = cell.clustering(figure)
    names = cluster_names(best.labels, manifest["label"])
    partition = pd.Series(best.labels, name="cluster")
    counts = pd.crosstab(manifest["label"], partition).reindex(columns=list(names), fill_value=0)
    table = counts.rename_axis(index="label", columns="cluster").stack().rename("count").reset_index()
    table["name"] = table["cluster"].map(names)
    table["support"] = table["label"].map(counts.sum(axis=1))
    table["share"] = table["count"] / table["support"]
    table["size"] = table["cluster"].map(partition.value_counts())
    table["chosen_by"] = chosen_by(figure)
    return table.assign(k=best.k)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the counts as a matrix with a row for each class; the shade is the share of the images of the class."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: there are no classes to compare with clusters.")
        counts, shares = (table.pivot(index="label", columns="cluster", values=column) for column in ("count", "share"))
        clusters = table.drop_duplicates("cluster").set_index("cluster")
        counts, shares = counts[clusters.index], shares[clusters.index]
        supports = table.drop_duplicates("label").set_index("label")["support"]
        short = short_names([*supports.index, *clusters["name"]])
        rows = [f"{short[name]} ({n})" for name, n in supports.items()]
        columns = [f"{short[name]} ({n})" for name, n in zip(clusters["name"], clusters["size"], strict=True)]
        margin = max(text_width(name, small(style)) for name in rows) + 8
        side = (figure["width"] - margin) / len(columns)
        upright = max(text_width(name, small(style)) for name in columns) > side - 1
        below = max(text_width(name, small(style)) for name in columns) if upright else 4
        room = figure["width"] - margin - 4
        xlabel = wrapped("Cluster, by its majority (images)", room, style["font_size"])
        made = canvas(figure, min(side, TALLEST) * len(rows) + below + 16 + 4 * xlabel.count("\n"))
        ax = made.subplots()
        draw_counts(ax, counts.to_numpy(), shares.to_numpy(), side, style)
        name_fields(ax.xaxis, columns, side, style, rotation=90 if upright else 0)
        name_fields(ax.yaxis, rows, min(side, TALLEST), style)
        ax.set(xlabel=xlabel, ylabel="Label (images)")
        labelled, of_all = counts.to_numpy().sum(), clusters["size"].sum()
        some = f"{labelled} of {of_all} images have a label" if labelled < of_all else ""
        title = "; ".join(filter(None, [k_in_words(clusters.iloc[0]), some]))
        ax.set_title(wrapped(title, room, style["font_size"]) if title else "")
        ax.tick_params(axis="x", length=0, pad=2)
        ax.tick_params(axis="y", length=0, pad=8)
        by_class = class_looks(supports.index, inputs["classes"], style)
        draw_classes(ax, list(supports.index), by_class, side, sides=("left",))
    return made
