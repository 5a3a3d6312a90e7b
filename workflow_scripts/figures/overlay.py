"""Draw the clusters of tiles over the images that were cut into the tiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from PIL import Image

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.figures.area_fractions import fraction_in_words, with_areas
from workflow_scripts.figures.canvas import canvas, note, panels, panels_of
from workflow_scripts.figures.colours import Look, class_looks
from workflow_scripts.figures.embedding import cluster_looks, named
from workflow_scripts.figures.legends import dot, legend_above
from workflow_scripts.figures.names import k_in_words
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.areas import fractions
from workflow_scripts.metrics.evenly import evenly

LINES = 10
"""Largest number of clusters whose shares are written below an image."""
LONGEST_SIDE = 900
"""Largest side of a drawn image in pixels."""
ALPHA = 0.4
IMAGE_TITLE_MM = 5.0
"""Height in millimetres of the title above each image."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the tiles of at most `n_images` images, evenly spread over those that the settings name, or over all.

    Returns
    -------
    DataFrame with one row per tile:

    - `parent`, `page`: the image that the tile was cut from.
    - `x`, `y`, `width`, `height`: place and size in the image, in pixels.
    - `row`: row in the stack of preprocessed tiles.
    - `cluster`: number of its cluster; negative for noise.
    - `name`, `predicted`, `rank`: of the cluster, as in `embedding.tabulate`.
    - `fraction`, `low`, `high`: share of the image's area that the cluster covers, and its interval, see
      `metrics.areas.fractions`.
    - `k`: null if the clusterer finds k itself.
    - `preprocess`: name of the preprocessing.

    Raises
    ------
    UserError
        If the settings name an image that does not exist.
    """
    cell = OneCell.first(cells, inputs)
    best = cell.clustering(figure)
    tiles = with_areas(cell.manifest()).assign(cluster=best.labels)
    pages = tiles.drop_duplicates(["parent", "page"])
    for name in figure["images"]:
        if name not in set(pages["parent"]):
            raise UserError(f"config: figures: images: {found_allowed(name, pages['parent'].unique()[:20])}")
    if figure["images"]:
        pages = pages[pages["parent"].isin(figure["images"])]
    pages = pages.iloc[evenly(len(pages), figure["n_images"])]
    names = named(best.labels, tiles["label"])
    tables = []
    for parent, page in pages[["parent", "page"]].itertuples(index=False):
        of_image = tiles[(tiles["parent"] == parent) & (tiles["page"] == page)]
        areas = fractions(of_image["cluster"], of_image["area"], of_image["block"])
        tables.append(of_image.join(areas[["fraction", "low", "high"]], on="cluster"))
    table = pd.concat(tables, ignore_index=True).join(names, on="cluster")
    columns = [
        *("parent", "page", "x", "y", "width", "height", "row", "cluster", "name", "predicted", "rank"),
        *("fraction", "low", "high"),
    ]
    made = table[columns].astype({"rank": int})
    return made.assign(k=pd.array([best.k] * len(table), "Int64"), preprocess=cell["preprocess"])


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw each image with the colours of the clusters over it, and write the shares of the clusters below it."""
    by_class = class_looks(table["predicted"], inputs["classes"], style)
    looks_of = cluster_looks(table, by_class, style)
    pages = [tiles for _, tiles in table.groupby(["parent", "page"], sort=False)]
    down, across = panels_of(len(pages), figure)
    widths = [(tiles["x"] + tiles["width"]).max() - tiles["x"].min() for tiles in pages]
    heights = [(tiles["y"] + tiles["height"]).max() - tiles["y"].min() for tiles in pages]
    tallest = min(1.2, max(height / width for height, width in zip(heights, widths, strict=True)))
    short, images = short_names(looks_of), short_names(table["parent"], 40)
    most = 4.5 * min(max(tiles["name"].nunique() for tiles in pages), LINES + 1)
    with theme(style), reading(inputs["preprocessed"][0]) as file:
        made = canvas(figure, down * (figure["width"] / across * tallest * 0.9 + IMAGE_TITLE_MM + most) + 16)
        for ax, tiles in zip(panels(made, len(pages), figure), pages, strict=True):
            draw_image(ax, tiles, mosaic(tiles, file["images"]), looks_of, short)
            ax.set_title(images[tiles["parent"].iloc[0]] + page_in_words(tiles))
        legend_above(made, {short[name]: dot(look) for name, look in looks_of.items()}, style)
        first = table.iloc[0]
        below = "Below each image: parts of its area, with 95 % intervals"
        unlabelled = "" if by_class else " No labels: clusters have numbers."
        k = k_in_words(first, ". ")
        note(made, f"{k}{below}. Preprocessing: {first['preprocess']}, tile by tile.{unlabelled}", style)
    return made


def draw_image(
    ax: Axes, tiles: pd.DataFrame, pixels: np.ndarray, looks_of: Mapping[str, Look], short: Mapping[str, str]
) -> None:
    """Draw the part of an image that its tiles cover, with the colours of the tiles' clusters over it.

    Parameters
    ----------
    tiles : those of one page, with the columns of `tabulate`.
    pixels : (H, W) or (H, W, 3) uint8, the part of the image.
    looks_of, short : the look and the short name of each cluster, by its name.
    """
    left, top = tiles["x"].min(), tiles["y"].min()
    right, bottom = (tiles["x"] + tiles["width"]).max(), (tiles["y"] + tiles["height"]).max()
    extent = (left, right, bottom, top)
    ax.imshow(pixels, extent=extent, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
    names = list(looks_of)
    xs, ys, votes = majority(tiles, names)
    colours = ListedColormap([looks_of[name].colour for name in names])
    ax.pcolormesh(xs, ys, votes, cmap=colours, vmin=-0.5, vmax=len(names) - 0.5, alpha=ALPHA, rasterized=True,
                  linewidth=0, edgecolors="none", antialiased=False)  # fmt: skip
    of_image = tiles.drop_duplicates("cluster").sort_values("fraction", ascending=False)
    lines = [
        f"{short[cluster['name']]}: {fraction_in_words(cluster)}" for cluster in of_image.to_dict("records")[:LINES]
    ]
    if len(of_image) > LINES:
        lines.append(f"and {len(of_image) - LINES} more")
    ax.set(xticks=[], yticks=[], xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.set_xlabel("\n".join(lines), loc="left")


def page_in_words(tiles: pd.DataFrame) -> str:
    """Return a text such as `, page 2` for the tiles of one page; empty for the first page."""
    page = tiles["page"].iloc[0]
    return f", page {page}" if page > 1 else ""


def mosaic(tiles: pd.DataFrame, images: Any) -> np.ndarray:
    """Return the part of an image that its tiles cover, as (H, W) or (H, W, 3) uint8.

    `tiles` are the tiles of one image, with the columns of `tabulate`. `images` (N, h, w) or (N, h, w, 3) uint8 is a
    stack of tiles; the column `row` of `tiles` is the position in the stack. A result with a side of more than
    `LONGEST_SIDE` pixels is made smaller.
    """
    left, top = tiles["x"].min(), tiles["y"].min()
    width, height = (tiles["x"] + tiles["width"]).max() - left, (tiles["y"] + tiles["height"]).max() - top
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    made = np.zeros((round(height * scale), round(width * scale), *images.shape[3:]), np.uint8)
    for tile in tiles.to_dict("records"):
        x, end_x = (round((edge - left) * scale) for edge in (tile["x"], tile["x"] + tile["width"]))
        y, end_y = (round((edge - top) * scale) for edge in (tile["y"], tile["y"] + tile["height"]))
        if end_x > x and end_y > y:
            made[y:end_y, x:end_x] = Image.fromarray(images[tile["row"]]).resize((end_x - x, end_y - y))
    return made


def majority(tiles: pd.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide an image into fields along the edges of all tiles; return the most frequent name of tiles in each field.

    Returns
    -------
    The edges along x (nx + 1,) and along y (ny + 1,) in pixels, and the indices into `names` (ny, nx), a masked array.
    If several names are equally frequent, the first of them in `names` is taken. Fields without a tile are masked.
    """
    xs = np.unique([tiles["x"], tiles["x"] + tiles["width"]])
    ys = np.unique([tiles["y"], tiles["y"] + tiles["height"]])
    votes = np.zeros((len(ys) - 1, len(xs) - 1, len(names)), int)
    place = {name: number for number, name in enumerate(names)}
    for tile in tiles.to_dict("records"):
        across = slice(*np.searchsorted(xs, [tile["x"], tile["x"] + tile["width"]]))
        down = slice(*np.searchsorted(ys, [tile["y"], tile["y"] + tile["height"]]))
        votes[down, across, place[tile["name"]]] += 1
    return xs, ys, np.ma.masked_array(votes.argmax(axis=2), votes.sum(axis=2) == 0)
