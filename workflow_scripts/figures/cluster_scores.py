"""Show the scores of each cluster as a table: size, purity, cohesion, silhouette and density-based validity."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import note, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.embedding import cluster_looks, named
from workflow_scripts.figures.names import k_in_words
from workflow_scripts.figures.text_table import BELOW, spread, write_table
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.dbcv import validities
from workflow_scripts.metrics.internal import MAX_POINTS, radii_of, renumbered, silhouette_samples

HEADINGS = ("n", "Purity", "Cohesion", "Silhouette", "DBCV")


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the scores of each cluster of one clustering. Noise has no row.

    Of the stored clusterings with the figure's k, the one with the lowest inertia is taken.

    Returns
    -------
    DataFrame with one row per cluster:

    - `cluster`, `name`, `predicted`, `rank`: as in `embedding.tabulate`.
    - `size`: number of images.
    - `purity`: share of the cluster's labelled images that have its majority class; null without labels.
    - `cohesion`: mean distance of its images to their mean, in the units of the points.
    - `silhouette`: mean over its images; if there are more than 20 000 images in all, over a sample.
    - `dbcv`: density-based validity; null if there are more than 20 000 images in all.
    - `k`: null if the clusterer finds k itself.
    - `n`, `n_noise`: numbers of all images and of noise images.
    """
    cell = OneCell.first(cells, inputs)
    best = cell.clustering(figure)
    points = cell.points().values
    labels = cell.manifest()["label"]
    clusters = renumbered(best.labels)
    table = named(best.labels, labels).loc[0:].reset_index()  # without noise
    clustered = clusters >= 0
    sizes, _, radii = radii_of(points[clustered], clusters[clustered])
    right = pd.Series(labels == pd.Series(best.labels).map(table.set_index("cluster")["predicted"]))
    table["size"] = sizes
    table["purity"] = right[labels.notna()].groupby(best.labels[labels.notna()]).mean().reindex(table["cluster"]).values
    table["cohesion"] = np.bincount(clusters[clustered], radii) / sizes
    rows, scores = silhouette_samples(points, clusters)
    table["silhouette"] = pd.Series(scores).groupby(clusters[rows]).mean().reindex(range(len(table))).values
    small = len(table) > 1 and len(points) <= MAX_POINTS
    table["dbcv"] = validities(points, clusters) if small else np.nan
    return table.assign(k=pd.array([best.k] * len(table), "Int64"), n=len(points), n_noise=int((~clustered).sum()))


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a line of text for each cluster with its colour and marker.

    If there are too many clusters, only the largest ones that fit are drawn.
    """
    by_class = class_looks(table["predicted"], inputs["classes"], style)
    with theme(style):
        if table.empty:
            return placeholder(figure, "No cluster: the clusterer labels every image as noise.")
        looks_of = cluster_looks(table, by_class, style)
        table = table.sort_values(["predicted", "rank", "cluster"])
        short = short_names(table["name"], 14)
        rows = [
            [
                short[row["name"]],
                f"{row['size']}",
                spread(100 * row["purity"], np.nan, 0),
                spread(row["cohesion"], np.nan, 2),
                spread(row["silhouette"], np.nan, 2),
                spread(row["dbcv"], np.nan, 2),
            ]
            for row in table.to_dict("records")
        ]
        marks = [looks_of[name] for name in table["name"]]
        headings = ["Cluster", *HEADINGS]
        made, n_shown = write_table(figure, headings, rows, style, marks, table["size"], BELOW + 4)
        some = "" if n_shown == len(rows) else f" The {n_shown} largest of {len(rows)} clusters."
        first = table.iloc[0]
        noise = f", of which {first['n_noise']} noise" if first["n_noise"] else ""
        unlabelled = "" if by_class else "; no labels, no purity"
        note(made, f"{k_in_words(first, ', ')}n = {first['n']} images{noise}; purity in %{unlabelled}.{some}", style)
    return made
