"""Plot the share of the area that each cluster of tiles covers, over all images and in each image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, note
from workflow_scripts.figures.colours import FAINT, class_looks
from workflow_scripts.figures.embedding import cluster_looks, named
from workflow_scripts.figures.names import k_in_words
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.areas import FEWEST_GROUPS, blocks, fractions, tile_areas
from workflow_scripts.wording import count

ROW = 6.0
"""Height of a cluster's row in millimetres."""
MOST = 40
"""Largest number of clusters that are drawn."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the share of the area that each cluster of tiles covers, over all images and in each image.

    The clusters are those of the clustering with the lowest inertia at the chosen k.

    Returns
    -------
    DataFrame with one row per cluster for all images together, followed by one row per image and cluster:

    - `parent`, `page`: the image; null for all images.
    - `cluster`: its number; negative for noise.
    - `name`, `predicted`, `rank`: as in `embedding.tabulate`.
    - `fraction`, `low`, `high`: share of the area and its confidence interval, see `metrics.areas.fractions`.
    - `area`, `n_tiles`: area in pixels, and number of tiles.
    - `unit`, `n_units`: what the interval takes as independent (a `group` of images, or a `block` of an image), and how
      many of them there are.
    - `k`: null if the clusterer finds k itself.
    - `confidence`: level of the interval.
    """
    cell = OneCell.first(cells, inputs)
    best = cell.clustering(figure)
    tiles = cell.manifest().assign(cluster=best.labels)
    table = areas_of(tiles, named(best.labels, tiles["label"]), figure["confidence"])
    return table.assign(k=pd.array([best.k] * len(table), "Int64"), confidence=figure["confidence"])


def areas_of(tiles: pd.DataFrame, names: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return the share of the area of each cluster, over all images and in each image.

    The table is that of `tabulate` without the columns `k` and `confidence`.

    Parameters
    ----------
    tiles : one row per tile, with the columns `parent, page, x, y, width, height, group` and `cluster`.
    names : `name`, `predicted` and `rank` of each cluster, indexed by the number of the cluster.
    confidence : level of the intervals, in (0, 1).
    """
    tiles = with_areas(tiles)
    unit = "group" if tiles["group"].nunique() >= FEWEST_GROUPS else "block"
    tables = [_of(tiles, unit, confidence)]
    for (parent, page), of_image in tiles.groupby(["parent", "page"], sort=False):
        tables.append(_of(of_image, "block", confidence).assign(parent=parent, page=page))
    table = pd.concat(tables, ignore_index=True).join(names, on="cluster")
    columns = [
        *("parent", "page", "cluster", "name", "predicted", "rank", "fraction", "low", "high"),
        *("area", "n_tiles", "unit", "n_units"),
    ]
    return table.reindex(columns=columns).astype({"page": "Int64", "rank": int, "parent": object})


def with_areas(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest of tiles, in the same order, with two more columns.

    They are `area` (pixels; overlapping tiles share their common area) and `block` (str, the block of the image in
    which the middle of the tile lies).
    """
    parts = []
    for number, (_, tiles) in enumerate(manifest.groupby(["parent", "page"], sort=False)):
        parts.append(tiles.assign(area=tile_areas(tiles), block=[f"{number} {block}" for block in blocks(tiles)]))
    return pd.concat(parts).loc[manifest.index]


def _of(tiles: pd.DataFrame, unit: str, confidence: float) -> pd.DataFrame:
    table = fractions(tiles["cluster"], tiles["area"], tiles[unit], confidence).reset_index()
    return table.assign(unit=unit, n_units=tiles[unit].nunique())


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw each cluster's share of the area over all images, with its interval. Pale marks show its share in each
    image.

    Only the `MOST` largest clusters are drawn. The note says what share the other clusters have together.
    """
    every = table[table["parent"].isna()].sort_values("fraction", ascending=False, kind="stable")
    whole = every.head(MOST)
    by_class = class_looks(every["predicted"], inputs["classes"], style)
    looks_of = cluster_looks(every, by_class, style)
    with theme(style):
        made = canvas(figure, ROW * len(whole) + 24)
        ax = made.subplots()
        for line, cluster in enumerate(whole.to_dict("records")):
            of_images = table[table["parent"].notna() & (table["cluster"] == cluster["cluster"])]
            ax.plot(100 * of_images["fraction"], [line] * len(of_images), "|", color=FAINT, markersize=5, zorder=1)
            look = looks_of[cluster["name"]]
            ax.plot([100 * cluster["low"], 100 * cluster["high"]], [line, line], color=look.colour, linewidth=2)
            ax.plot(100 * cluster["fraction"], line, look.marker, color=look.colour, markersize=5)
        ax.set(xlabel="Area (%)", xlim=(0, None), ylim=(len(whole) - 0.5, -0.5))
        ax.set_yticks(range(len(whole)), whole["name"].map(short_names(whole["name"])))
        right = ax.secondary_yaxis("right")
        right.set_yticks(range(len(whole)), [fraction_in_words(cluster) for cluster in whole.to_dict("records")])
        right.tick_params(length=0)
        right.spines["right"].set_visible(False)
        others = every["fraction"][MOST:]
        some = f" The {len(others)} smaller clusters have {100 * others.sum():.1f} %." if len(others) else ""
        unlabelled = "" if by_class else " No labels: clusters have numbers."
        note(made, _note(table, whole.iloc[0]) + some + unlabelled, style)
    return made


def fraction_in_words(cluster: Mapping[str, Any]) -> str:
    """Return the share of a cluster and its interval as text, such as `34.1 % (28.0 to 40.9)`.

    The interval is left out if `low` is NaN.
    """
    text = f"{100 * cluster['fraction']:.1f} %"
    return text if np.isnan(cluster["low"]) else f"{text} ({100 * cluster['low']:.1f} to {100 * cluster['high']:.1f})"


def _note(table: pd.DataFrame, first: pd.Series) -> str:
    n_images = len(table[table["parent"].notna()].drop_duplicates(["parent", "page"]))
    n_tiles = int(table.loc[table["parent"].isna(), "n_tiles"].sum())
    units = "images" if first["unit"] == "group" else "blocks of images"
    return (
        f"{k_in_words(first, ', ')}n = {count(n_tiles, 'tile')} of {count(n_images, 'image')}. Bars: "
        f"{100 * first['confidence']:g} % intervals from {first['n_units']} {units}. Pale: single images."
    )
