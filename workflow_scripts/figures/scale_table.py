"""Plot the number of images of each class at each scale, which is the length of the scale bar in the image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.matrix import TALLEST, draw_classes, draw_counts, name_fields
from workflow_scripts.figures.texts import short_names, text_width
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.cells import OneCell

ALL, NO_SCALE = "All", "none"
UNITS = ((1e3, "mm"), (1.0, "µm"), (1e-3, "nm"))
"""Units with their lengths in micrometres, the largest first."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Count the images of each class at each length of the scale bar.

    Returns
    -------
    DataFrame with one row for each length and class. The largest length comes first, images without a scale bar come
    last; the classes at one length are sorted by name:

    - `scale_um`, `scale`: the length in micrometres (null without a scale bar), and the length as text, such as `1 µm`.
    - `label`: the class; `""` for images without a label.
    - `count`: number of images.
    - `support`, `share`: number of images of the class, and count / support.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    scales = pd.to_numeric(manifest["scale_um"], errors="coerce")
    lengths = [*sorted(scales.dropna().unique(), reverse=True), *([np.nan] if scales.isna().any() else [])]
    names = {spelt(length): length for length in lengths}
    counts = pd.crosstab(scales.map(spelt), manifest["label"].fillna("")).loc[list(names)]
    table = counts.rename_axis(index="scale", columns="label").stack().rename("count").reset_index()
    table["support"] = table["label"].map(counts.sum())
    return table.assign(scale_um=table["scale"].map(names), share=table["count"] / table["support"])


def spelt(scale_um: float) -> str:
    """Return a length in micrometres as text, such as `1 mm`, `200 µm` or `50 nm`; `none` for NaN."""
    if np.isnan(scale_um):
        return NO_SCALE
    size, unit = next((unit_size for unit_size in UNITS if scale_um >= unit_size[0] * (1 - 1e-9)), UNITS[-1])
    return f"{scale_um / size:g} {unit}"


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the counts as a matrix with a row for each scale and a column for each class.

    The last column has the sum of each row. The shade of a field is its share of the images of its column.
    """
    with theme(style):
        if (table["scale"] == NO_SCALE).all():
            return placeholder(figure, "No image has a scale; scale_bars.csv gives the reasons.")
        counts, shares = (table.pivot(index="scale", columns="label", values=column) for column in ("count", "share"))
        order = table["scale"].drop_duplicates()
        counts, shares = counts.loc[order], shares.loc[order]
        labels = [label for label in counts if label]
        sums = counts.sum(axis=1)
        numbers, shades = np.column_stack([counts, sums]), np.column_stack([shares, sums / sums.sum()])
        heads = [*(label or "no label" for label in counts), ALL]
        totals = [*counts.sum(), sums.sum()]
        if not labels:
            numbers, shades, heads, totals = numbers[:, 1:], shades[:, 1:], ["No labels"], totals[1:]
        short = short_names(heads)
        names = [f"{short[name]} ({n:,})" for name, n in zip(heads, totals, strict=True)]
        margin = max(text_width(name, small(style)) for name in counts.index) + 12
        side = (figure["width"] - margin) / len(names)
        made = canvas(figure, min(max(side, 5), 0.7 * TALLEST) * len(counts) + max(map(len, names)) * 1.6 + 18)
        ax = made.subplots()
        draw_counts(ax, numbers, shades, side, style)
        name_fields(ax.xaxis, names, side, style, rotation=90)
        ax.set_yticks(range(len(counts)), counts.index)
        ax.set(xlabel="Label (images)", ylabel="Length of the scale bar")
        ax.tick_params(axis="x", length=0, pad=8)
        ax.tick_params(axis="y", length=0, pad=2)
        ax.axvline(len(names) - 1.5, color="#333333", linewidth=0.8)
        draw_classes(ax, labels, class_looks(table["label"], inputs["classes"], style), side, sides=("below",))
        known = sums.drop(NO_SCALE, errors="ignore").sum()
        note(made, f"{known:,} of {sums.sum():,} images with a scale. Shades are shares of a column.", style)
    return made
