"""Show preprocessed images of each class, one column for each class."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, note
from workflow_scripts.figures.colours import FAINT, NOBODY, Look, class_looks
from workflow_scripts.figures.texts import short_names, text_width
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes, rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.evenly import evenly

SMALLEST = 12.5
"""Smallest width of a column in millimetres."""
LARGEST = 70
"""Largest width of an image in millimetres."""
UNLABELLED_COLUMNS = 6
"""Number of images in a row if there are no classes."""
MANY = 25
"""Number of columns above which names are cut shorter, so that more columns stand side by side."""
TALLEST = 3
"""Largest height of all images together, as a multiple of the figure's width; images below it are not drawn."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the images to show: those that the settings name, otherwise evenly spaced ones of each class. If no image
    has a label, evenly spaced ones of all images are shown.

    Returns
    -------
    DataFrame with one row per image:

    - `label`, `n`: class of the image (None if unknown), and number of images of the class.
    - `column`, `place`: column of the figure (one for each class or named image), and place in it from the top; both
      from 0.
    - `row`: row in the stack of preprocessed images.
    - `image_id`, `path`: id and path of the image.
    - `preprocess`: name of the preprocessing.
    - `named`: whether the settings name the images.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest().assign(preprocess=cell["preprocess"])
    per_class, named = figure["per_class"], rows_named(manifest, figure["images"])
    if named:
        n = manifest["label"].iloc[named].map(manifest["label"].value_counts())
        return _rows(manifest, np.array(named), np.arange(len(named)), 0, n.to_numpy()).assign(named=True)
    names = classes(manifest)
    if not names:
        chosen = evenly(len(manifest), UNLABELLED_COLUMNS * per_class)
        down, across = np.divmod(np.arange(len(chosen)), UNLABELLED_COLUMNS)
        return _rows(manifest, chosen, across, down, len(manifest)).assign(named=False)
    tables = []
    for column, name in enumerate(names):
        class_rows = np.flatnonzero(manifest["label"] == name)
        chosen = class_rows[evenly(len(class_rows), per_class)]
        tables.append(_rows(manifest, chosen, column, np.arange(len(chosen)), len(class_rows)))
    return pd.concat(tables, ignore_index=True).assign(named=False)


def _rows(manifest: pd.DataFrame, chosen: np.ndarray, column: Any, place: Any, n: Any) -> pd.DataFrame:
    table = manifest.loc[chosen, ["label", "image_id", "path", "preprocess", "row"]].reset_index(drop=True)
    return table.assign(n=n, column=column, place=place)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the images in columns; columns that do not fit side by side continue in blocks below."""
    labelled, named = bool(table["label"].notna().any()), bool(table["named"].any())
    by_class = class_looks(table["label"], inputs["classes"], style)
    n_columns, n_places = table["column"].max() + 1, table["place"].max() + 1
    with theme(style), reading(inputs["preprocessed"][0]) as file:
        images = file["images"]
        firsts = table[table["place"] == 0].to_dict("records") if labelled or named else []
        titles = _titles(firsts, named)
        lines = [line for title in titles.values() for line in title.split("\n")]
        widest = max([SMALLEST, *(text_width(line, style["font_size"]) + 1.5 for line in lines)])
        n_blocks = ceil(n_columns / max(1, int(figure["width"] / widest)))
        per_block = ceil(n_columns / n_blocks)
        side = min(figure["width"] / per_block, LARGEST)
        shape = images.shape[1] / images.shape[2]
        n_chosen, n_places = n_places, max(1, min(n_places, int(TALLEST * figure["width"] / n_blocks / (side * shape))))
        made = canvas(figure, n_blocks * (side * shape * n_places + 7) + 4.5)
        axes = _blocks(made, n_blocks, n_places, per_block)
        for image in table[table["place"] < n_places].to_dict("records"):
            block, column = divmod(image["column"], per_block)
            ax = axes[block][image["place"], column]
            show_framed(ax, image, images, by_class)
            if image["place"] == 0 and titles:
                ax.set_title(titles[image["column"]], loc="center", pad=3)
        preprocess = table["preprocess"].iloc[0]
        extra = "" if labelled or named else f"No labels: images evenly spread over all {table['n'].iloc[0]}. "
        extra += "" if n_places == n_chosen else f"{n_places} of {n_chosen} images of a class are drawn. "
        note(made, f"{extra}Preprocessing: {preprocess}, {images.shape[2]} × {images.shape[1]} pixels.", style)
    return made


def _titles(firsts: Sequence[Mapping[str, Any]], named: bool) -> dict[int, str]:
    """Return the title of each column: the class and its number of images, or the file and class of a named image."""
    length = 20 if len(firsts) <= MANY else 12
    short = short_names((first["label"] for first in firsts if first["label"]), length)
    if named:
        files = short_names((first["path"] for first in firsts), length)
        return {first["column"]: f"{files[first['path']]}\n{short.get(first['label'], 'no label')}" for first in firsts}
    return {first["column"]: f"{short[first['label']]}\nn = {first['n']}" for first in firsts}


def _blocks(made: Figure, n_blocks: int, n_places: int, n_columns: int) -> list[np.ndarray]:
    blocks = made.subfigures(n_blocks, 1, squeeze=False)[:, 0] if n_blocks > 1 else [made]
    axes = [block.subplots(n_places, n_columns, squeeze=False) for block in blocks]
    for ax in (ax for grid in axes for ax in grid.flat):
        ax.axis("off")
    return axes


def show_framed(ax: Axes, image: Mapping[str, Any], images: Any, by_class: Mapping[str, Look]) -> None:
    """Show an image in a frame with the colour of its label.

    `image` is a row of the figure's table, and `images` the stack of preprocessed images.
    """
    show(ax, images[int(image["row"])], by_class.get(image["label"], NOBODY).colour if by_class else FAINT)


def show(ax: Axes, image: np.ndarray, frame: str) -> None:
    """Show an image, (H, W) or (H, W, 3) uint8, in a frame of the given colour, without ticks."""
    ax.axis("on")
    ax.imshow(image, cmap="gray", vmin=0, vmax=255)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=frame, linewidth=2 * mpl.rcParams["axes.linewidth"])
