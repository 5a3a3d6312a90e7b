"""Draw the predicted clusters of the tiles of new images over these images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from workflow_scripts.figures.canvas import canvas
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.embedding import cluster_looks
from workflow_scripts.figures.legends import dot, legend_above, legend_lines
from workflow_scripts.figures.overlay import LINES, LONGEST_SIDE, draw_image, page_in_words
from workflow_scripts.figures.texts import short_names, shortened
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.pixels import Rows, Window, reduced
from workflow_scripts.io.tables import AS_THEY_ARE, read_csv
from workflow_scripts.preprocess.pipeline import open_again

WIDTH = 170.0
"""Width of an overlay in millimetres."""
LINE = 4.5
"""Height in millimetres of a line of text above or below an overlay."""


def read_tiles(predictions: str) -> pd.DataFrame:
    """Read the predicted clusters of tiles, one row per tile. The column `group` is the file from which the tile was
    cut."""
    texts = dict.fromkeys(("image_id", "path", "parent", "name", "predicted"), str)
    tiles = read_csv(predictions, **{**AS_THEY_ARE, "dtype": texts})
    return tiles.assign(group=tiles["parent"])


def write_overlays(
    folder: Path,
    tiles: pd.DataFrame,
    areas: pd.DataFrame,
    clusters: pd.DataFrame,
    manifest: str,
    images: Path,
    max_pixels: int | None,
    style: Mapping[str, Any],
    progress: Callable[[int, int], None],
) -> None:
    """Write a PNG for each new image, with the clusters of its tiles drawn over it.

    If a file has several pages, each page gets a PNG. A PNG has the same path in `folder` as the image has in `images`,
    and the ending `.png`.

    Parameters
    ----------
    folder : folder of the PNGs.
    tiles : the table of `read_tiles`; its paths of files are relative to the folder `images`.
    areas : the table of `area_fractions.areas_of`.
    clusters : all clusters of the model (`SavedModel.clusters`); a cluster has one colour in all images.
    manifest : path of the manifest of the model's data set; its classes have the same colours here as in its figures.
    images : folder of the new images.
    max_pixels : largest number of pixels of an image that is opened; None for no limit.
    style : settings of the look of figures.
    progress : function that is called after each PNG with the number written so far and the number of all.
    """
    by_class = class_looks(clusters["predicted"], manifest, style)
    looks_of = cluster_looks(clusters.reset_index(), by_class, style)
    short = short_names(looks_of)
    above = legend_lines(short.values(), WIDTH, style)
    shares = areas[areas["parent"].notna()].set_index(["parent", "page", "cluster"])[["fraction", "low", "high"]]
    pages = tiles.groupby(["parent", "page"], sort=False)
    for done, ((parent, page), of_page) in enumerate(pages, 1):
        with open_again(images / parent, max_pixels, page - 1) as image:
            pixels = _covered(image, of_page)
        path = folder / (f"{parent}.png" if tiles["page"].max() == 1 else f"{parent}.page{page}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        with theme(style):
            made = canvas({"width": WIDTH, "height": None, "title": None}, _height(pixels, of_page, above))
            drawn = of_page.join(shares, on=["parent", "page", "cluster"])
            ax = made.subplots()
            draw_image(ax, drawn, pixels, looks_of, short)
            ax.set_title(shortened(parent, 40) + page_in_words(of_page))
            legend_above(made, {short[name]: dot(looks_of[name]) for name in looks_of}, style)
            made.draw_without_rendering()  # the layout takes two passes
            made.savefig(path, dpi=style["dpi"])
        progress(done, len(pages))


def _height(pixels: np.ndarray, tiles: pd.DataFrame, above: int) -> float:
    """Return the height of an overlay in millimetres.

    It has room for the image, `above` lines of legend, and a line for each cluster below the image.
    """
    below = min(tiles["name"].nunique(), LINES + 1)
    return WIDTH * min(1.2, len(pixels) / pixels.shape[1]) + LINE * (above + 2 + below)


def _covered(image: Rows, tiles: pd.DataFrame) -> np.ndarray:
    """Return the part of an image that its tiles cover, (H, W) or (H, W, 3) uint8.

    The part is reduced so that its sides have at most `LONGEST_SIDE` pixels.
    """
    across = slice(tiles["x"].min(), (tiles["x"] + tiles["width"]).max())
    down = slice(tiles["y"].min(), (tiles["y"] + tiles["height"]).max())
    part = Image.fromarray(reduced(Window(image, down, across), LONGEST_SIDE))
    part.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BOX)
    return np.asarray(part)
