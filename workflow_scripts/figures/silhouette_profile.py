"""Plot the silhouette of every image, sorted within its cluster (Rousseeuw 1987, figure 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import INK, class_looks
from workflow_scripts.figures.embedding import cluster_looks, named
from workflow_scripts.figures.names import k_in_words
from workflow_scripts.figures.texts import POINTS_PER_MM, short_names
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.figures.ticks import far_apart
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.internal import MAX_POINTS, renumbered, silhouette_samples
from workflow_scripts.wording import count, decimal

GAP = 0.02
"""Gap between two clusters, as a share of the images. All gaps together are at most `GAPS`."""
GAPS = 0.3
"""Largest height of all gaps together, as a share of the images."""
TALLEST = 240
"""Largest height in millimetres."""
ROW = 5.0
"""Height in millimetres of the name of the smallest cluster."""
STEPS = 400
"""Largest number of points of an outline."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the silhouette of each image in one clustering. Noise is left out.

    Of the stored clusterings with the wanted k, the one with the lowest inertia is taken. Above 20 000 images a sample
    is used, stratified by cluster.

    Returns
    -------
    DataFrame with one row per image, sorted by cluster and decreasing silhouette; empty for fewer than two clusters:

    - `image_id`, `label`, `cluster`, `name`, `predicted`, `rank`: as in `embedding.tabulate`.
    - `silhouette`, `mean`: silhouette of the image, and mean of its cluster.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    - `n`, `n_noise`: number of all images, and number of noise images.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    best = cell.clustering(figure)
    points = cell.points().values
    rows, scores = silhouette_samples(points, renumbered(best.labels))
    table = manifest.loc[rows, ["image_id", "label"]].assign(cluster=best.labels[rows], silhouette=scores)
    table = table.join(named(best.labels, manifest["label"]), on="cluster")
    table["mean"] = table.groupby("cluster")["silhouette"].transform("mean")
    table["chosen_by"] = chosen_by(figure)
    table["k"] = pd.array([best.k] * len(table), "Int64")
    table = table.assign(n=len(best.labels), n_noise=int(np.count_nonzero(best.labels < 0))).dropna(subset="silhouette")
    order = ["predicted", "rank", "cluster", "silhouette"]
    return table.sort_values(order, ascending=[True, True, True, False], kind="stable").reset_index(drop=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the outline of the silhouettes of each cluster in its colour, and the mean of all images as a line."""
    by_class = class_looks(table["predicted"], inputs["classes"], style)
    with theme(style):
        if table.empty:
            return placeholder(figure, "A silhouette needs two clusters; this clustering has fewer.")
        looks_of = cluster_looks(table, by_class, style)
        colours = [looks_of[name].colour for name in table["name"]]
        height = min(ROW * 2 * table["cluster"].nunique() + 22, TALLEST)
        made = canvas(figure, height)
        ax = made.subplots()
        line = 1.2 * small(style) / POINTS_PER_MM / (height - 22)
        left_out = _draw_clusters(ax, table.assign(colour=colours), line)
        mean = table["silhouette"].mean()
        ax.axvline(mean, color=INK, linestyle="--", linewidth=0.8)
        ax.axvline(0, color=INK, linewidth=0.6)
        ax.set(xlabel="Silhouette", ylim=(1.01, -0.02))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        more = f" Not named: {count(left_out, 'small cluster')}." if left_out else ""
        note(made, _explanation(table, bool(by_class)) + more, style)
    return made


def _draw_clusters(ax: Axes, table: pd.DataFrame, line: float) -> int:
    """Draw the clusters below each other, each as high as its share of the images; return how many names are left out.

    A name is left out if it is nearer than `line` (share of the height) to the name of a larger cluster.
    """
    at, ticks, sizes = 0.0, {}, []
    short = short_names(table["name"])
    n_clusters = table["cluster"].nunique()
    gap = min(GAP, GAPS / n_clusters)
    room = 1 - gap * (n_clusters - 1)
    for _, profile in table.groupby("cluster", sort=False):
        first, size = profile.iloc[0], len(profile)
        share = room * size / len(table)
        places = np.linspace(0, 1, min(size, STEPS))
        values = profile["silhouette"].to_numpy()[(places * (size - 1)).round().astype(int)]
        ax.fill_betweenx(at + share * places, 0, values, color=first["colour"], linewidth=0.3)
        ticks[at + share / 2] = f"{short[first['name']]} ({size}): {decimal(first['mean'])}"
        sizes.append(size)
        at += share + gap
    shown = far_apart(list(ticks), sizes, line)
    ax.set_yticks([list(ticks)[i] for i in shown], [list(ticks.values())[i] for i in shown])
    return n_clusters - len(shown)


def _explanation(table: pd.DataFrame, labelled: bool) -> str:
    first = table.iloc[0]
    noise = f", {count(first['n_noise'], 'noise image')} left out" if first["n_noise"] else ""
    sample = f", a sample of {MAX_POINTS}" if len(table) < first["n"] - first["n_noise"] else ""
    unlabelled = "" if labelled else " No labels: clusters are numbers."
    images = f"{k_in_words(first, ', ')}n = {first['n']} images{noise}{sample}"
    mean = f"mean silhouette {decimal(table['silhouette'].mean())} (dashed)"
    return f"{images}, {mean}; beside each cluster its size and mean.{unlabelled}"
