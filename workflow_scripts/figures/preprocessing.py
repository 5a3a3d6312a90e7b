"""Show the same images under each preprocessing, with histograms of their intensities."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from skimage.color import rgb2gray

from workflow_scripts.figures.canvas import canvas, note
from workflow_scripts.figures.colours import FAINT, INK, class_looks
from workflow_scripts.figures.samples import show_framed
from workflow_scripts.figures.texts import names_of_width
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes, read_manifest, rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.evenly import evenly

BINS = 64
SMALLEST = 26
"""Smallest width of a column in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return histograms of images after each preprocessing.

    The images are those that the settings name. Without names they are the middle image of each of some classes, or,
    without labels, some images spread evenly over the data set.

    Returns
    -------
    DataFrame with one row per image, preprocessing and bin:

    - `label`, `image_id`: of the image.
    - `row`: row in the stack of preprocessed images.
    - `preprocess`, `variant`: name and number of the preprocessing, from 0.
    - `low`, `high`: edges of the bin; intensities are in [0, 1].
    - `share`: share of the image's pixels in the bin.
    - `mean`, `sd`: mean and standard deviation of the image's intensities.
    - `named`: path of the image if the settings name it, else null.
    """
    readers = OneCell.each(cells, {"preprocessed": inputs["preprocessed"]})
    manifest = read_manifest(inputs["manifest"][0])
    tables = []
    named = rows_named(manifest, figure["images"])
    for row in named or _middle_images(manifest, figure["classes"]):
        for variant, cell in enumerate(readers):
            with reading(cell.files["preprocessed"]) as file:
                histogram = histogram_of(file["images"][manifest["row"][row]])
            place = {"row": manifest["row"][row], "preprocess": cell["preprocess"], "variant": variant}
            place["named"] = manifest["path"][row] if named else None
            tables.append(histogram.assign(**manifest.loc[row, ["label", "image_id"]], **place))
    return pd.concat(tables, ignore_index=True)


def _middle_images(manifest: pd.DataFrame, count: int) -> list[int]:
    names = classes(manifest)
    if not names:
        return list(evenly(len(manifest), count))
    members = [np.flatnonzero(manifest["label"] == names[i]) for i in evenly(len(names), count)]
    return [int(rows[len(rows) // 2]) for rows in members]


def histogram_of(image: np.ndarray) -> pd.DataFrame:
    """Return the histogram of the intensities of an image, (H, W) or (H, W, 3) uint8, as a table of `BINS` rows.

    The columns are `low, high, share, mean, sd`, as in `tabulate`.
    """
    grey = (rgb2gray(image) if image.ndim == 3 else image / 255).ravel()
    counts, edges = np.histogram(grey, bins=BINS, range=(0, 1))
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "share": counts / grey.size, "mean": grey.mean(), "sd": grey.std()}
    )


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw each image above its histogram of intensities.

    The versions of an image, one for each preprocessing, stand side by side. Several images stand in one line if there
    is room.
    """
    by_class = class_looks(table["label"], inputs["classes"], style)
    image_rows, n_variants = list(dict.fromkeys(table["row"])), table["variant"].max() + 1
    across = min(len(image_rows), max(1, int(figure["width"] / (SMALLEST * n_variants))))
    n_columns, n_blocks = across * n_variants, ceil(len(image_rows) / across)
    side = figure["width"] / n_columns
    with theme(style):
        names = pd.concat([table["label"], table["named"]]).dropna()
        short = names_of_width(names, side - 8, style["font_size"])
        variants = names_of_width(table["preprocess"], side - 8, style["font_size"])
        made = canvas(figure, n_blocks * (side + max(0.5 * side, 14) + 8) + 10)
        axes = made.subplots(2 * n_blocks, n_columns, squeeze=False, height_ratios=[2, 1] * n_blocks)
        for (row, variant), histogram in table.groupby(["row", "variant"], sort=False):
            block, column = divmod(image_rows.index(row), across)
            above, below = axes[2 * block : 2 * block + 2, column * n_variants + variant]
            first = histogram.iloc[0]
            with reading(inputs["preprocessed"][variant]) as file:
                show_framed(above, first, file["images"], by_class)
            name = [short[text] for text in (first["named"], first["label"]) if isinstance(text, str)]
            above.set_title("\n".join([*name, variants[first["preprocess"]]]), loc="center")
            draw_histogram(below, histogram, bottom=block == n_blocks - 1)
            below.set_ylim(0, 105 * table["share"].max())
            if column * n_variants + variant == 0:
                below.set_ylabel("Pixels (%)")
            else:
                below.tick_params(labelleft=False)
        _hide_unused(axes)
        which = "The middle image of each class in the manifest" if by_class else "No labels: images spread over all"
        which = "Images named in the configuration" if table["named"].notna().any() else which
        note(made, f"{which}; dashed line: mean intensity; number: mean ± sd over the pixels.", style)
    return made


def draw_histogram(ax: Axes, histogram: pd.DataFrame, bottom: bool) -> None:
    """Draw a histogram of intensities with its mean.

    The x axis gets a label if the histogram is the lowest in its column (`bottom`).
    """
    edges = [*histogram["low"], histogram["high"].iloc[-1]]
    ax.stairs(100 * histogram["share"], edges, fill=True, color=FAINT)
    mean, sd = histogram[["mean", "sd"]].iloc[0]
    ax.axvline(mean, color=INK, linestyle="--", linewidth=0.9)
    right = mean < 0.5
    ax.annotate(f"{mean:.2f} ± {sd:.2f}", (0.98 if right else 0.02, 0.97), xycoords="axes fraction", va="top",
                ha="right" if right else "left", size="small")  # fmt: skip
    ax.set(xlim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
    if bottom:
        ax.set_xlabel("Intensity")


def _hide_unused(axes: np.ndarray) -> None:
    for ax in axes.flat:
        if not ax.has_data():
            ax.axis("off")
