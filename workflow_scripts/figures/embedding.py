"""A two-dimensional map of the images, by label and by cluster."""

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.artefacts import best_clustering, classes, read_manifest
from workflow_scripts.figures.style import (
    NOBODY,
    ONE_COLUMN,
    Look,
    canvas,
    columns_within,
    dot,
    legend_below,
    legend_beside,
    looks,
    shade,
    shortened,
    small,
    text_width,
    theme,
)
from workflow_scripts.metrics import majority_names
from workflow_scripts.store import reading

NOISE, UNKNOWN, UNLABELLED = "noise", "?", "no label"
RASTERISED = 3000
"""Points from which on they become pixels in the SVG."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Coordinates, label and cluster of every image; the clustering is the one of lowest inertia.

    Returns
    -------
    DataFrame in the manifest's order with columns `image_id, label` (None if unknown), `x, y` (of the map), `k` (null
    if the clusterer finds it), `cluster` (negative: noise), `name` (of the cluster: `Sc`, `Sc-2`, …; its number if
    there are no labels), `predicted` (the class that the cluster votes for, None without one) and `rank` (1 for the
    largest cluster of its class).
    """
    manifest = read_manifest(inputs["manifest"][0])
    with reading(inputs["map"][0]) as file:
        x, y = file["scores"][:, :2].T
    best = best_clustering(inputs["clusters"][0], figure["k"])
    table = manifest[["image_id", "label"]].assign(x=x, y=y, k=best.k, cluster=best.labels)
    return table.join(_named(best.labels, manifest["label"]), on="cluster").fillna({"name": NOISE, "rank": 1})


def _named(labels: np.ndarray, y: pd.Series) -> pd.DataFrame:
    """Name, class and rank of each cluster; noise has no row."""
    names = majority_names(labels, y)
    if y.isna().all():
        names["name"] = names.index.astype(str)
    second = names["name"].ne(names["predicted"]) & names["predicted"].notna()
    rank = names["name"].where(second, "-1").str.rpartition("-")[2].astype(int)
    return names[["name", "predicted"]].assign(rank=rank)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the map by label and by cluster; without labels by cluster only."""
    names = classes(read_manifest(inputs["manifest"]))
    by_class = looks(names, style)
    by_cluster = _cluster_looks(table, by_class, style)
    narrow = figure["width"] < ONE_COLUMN
    with theme(style):
        made = canvas(figure, _height(table, figure, by_class | by_cluster, style))
        axes = made.subplots(1, 2 if names else 1, squeeze=False)[0]
        k = table["k"].iloc[0]
        clusters = "By cluster" if pd.isna(k) else f"By cluster, k = {k:.0f}"
        if names:
            labels = table["label"].fillna(UNLABELLED)
            _scatter(axes[0], table, labels, by_class | {UNLABELLED: NOBODY}, f"By label, n = {len(table)}")
            _scatter(axes[1], table, table["name"], by_cluster, clusters)
        else:
            _scatter(axes[0], table, table["name"], by_cluster, f"{clusters}, n = {len(table)} (no labels)")
        axes[0].set_ylabel("t-SNE 2")
        unlabelled = {UNLABELLED: NOBODY} if names and table["label"].isna().any() else {}
        entries = {shortened(name): dot(look) for name, look in _in_order(by_class | by_cluster | unlabelled).items()}
        (legend_below if narrow else legend_beside)(made, entries, style)
    return made


def _cluster_looks(table: pd.DataFrame, by_class: Mapping[str, Look], style: Mapping[str, Any]) -> dict[str, Look]:
    """Each cluster in a shade of its class's colour, in the order of classes; without labels in the palette's order."""
    clusters = table[table["cluster"] >= 0].drop_duplicates("name").sort_values(["predicted", "rank", "cluster"])
    if not by_class:
        found = looks(list(clusters["name"]), style)
    else:
        found = {
            its["name"]: shade(by_class[its["predicted"]], its["rank"]) if its["predicted"] in by_class else NOBODY
            for its in clusters.to_dict("records")
        }
    return found | ({NOISE: NOBODY} if (table["cluster"] < 0).any() else {})


def _in_order(looks_of: Mapping[str, Look]) -> dict[str, Look]:
    """Clusters beside the class that they belong to; what belongs to none at the end."""
    by_number = all(name.isdecimal() for name in looks_of if name != NOISE)
    ordered = list(looks_of) if by_number else sorted(looks_of, key=lambda name: (looks_of[name] == NOBODY, name))
    return {name: looks_of[name] for name in ordered}


def _height(table: pd.DataFrame, figure: Mapping[str, Any], names: Collection[str], style: Mapping[str, Any]) -> float:
    """What the map's own shape asks for, with room for the legend."""
    width, labelled = figure["width"], table["label"].notna().any()
    entry = max(text_width(shortened(name), small(style)) for name in names) + 8
    narrow = width < ONE_COLUMN
    panel = (width - (0 if narrow else entry)) / (2 if labelled else 1) - 5
    shape = np.clip(np.ptp(table["y"]) / np.ptp(table["x"]), 0.5, 1.2)
    legend = 4 * ceil(len(names) / columns_within(width, names, style)) if narrow else 0
    return shape * panel + legend + 12


def _scatter(ax: Axes, table: pd.DataFrame, names: pd.Series, looks_of: Mapping[str, Look], title: str) -> None:
    """Points in the order of their content hashes, so that no class lies on top of another."""
    points = table.assign(look=names.map(looks_of)).sort_values("image_id")
    size = min(9.0, max(1.5, 6000 / len(points)))
    for marker, its in points.groupby(points["look"].map(lambda look: look.marker)):
        colour = [look.colour for look in its["look"]]
        how: dict[str, Any] = {"linewidths": 0, "rasterized": len(points) > RASTERISED}
        ax.scatter(its["x"], its["y"], size, colour, marker=marker, **how)
    ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", title=title)
    ax.set_aspect("equal", adjustable="box")
