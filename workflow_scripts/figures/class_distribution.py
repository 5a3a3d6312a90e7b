"""Plot the number of images of each class, the largest class first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workflow_scripts.figures.style import FAINT, NOBODY, Look, canvas, looks, note, placeholder, short_names, theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes, read_manifest

ROW = 4.8
"""Height of a bar in millimetres."""
MOST = 40
"""Largest number of bars; the remaining classes share one bar."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Count the images of each class.

    Returns
    -------
    DataFrame with one row per class, the largest first and equal ones by name: `label` (None in the last row: images
    without a label), `n`, `percent` (of the labelled images; null for images without a label).
    """
    cell = OneCell.first(cells, inputs)
    labels = cell.manifest()["label"]
    counts = labels.value_counts().rename_axis("label").reset_index(name="n")
    table = counts.sort_values(["n", "label"], ascending=[False, True]).assign(
        percent=100 * counts["n"] / counts["n"].sum()
    )
    without = pd.DataFrame({"label": [None], "n": [labels.isna().sum()], "percent": [np.nan]})
    return pd.concat([table, without[without["n"] > 0]], ignore_index=True).astype({"label": object})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a bar for each class in its colour with count and share, and a pale bar for images without a label."""
    labelled = table[table["label"].notna()]
    with theme(style):
        if labelled.empty:
            return placeholder(figure, f"No labels: none of the {table['n'].sum()} images has one.")
        bars = _bars(table, looks(classes(read_manifest(inputs["manifest"])), style))
        made = canvas(figure, ROW * len(bars) + 16)
        ax = made.subplots()
        ax.barh(range(len(bars)), bars["n"], 0.72, color=bars["colour"])
        for place, (n, percent) in enumerate(zip(bars["n"], bars["percent"], strict=True)):
            text = f"{n:,}" if pd.isna(percent) else f"{n:,} ({percent:.1f}\u00a0%)"
            ax.annotate(text, (n, place), (3, 0), textcoords="offset points", va="center", size="small")
        ax.set_yticks(range(len(bars)), bars["name"])
        ax.set(ylim=(len(bars) - 0.4, -0.6), xlim=(0, 1.35 * bars["n"].max()), xlabel="Images")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        sizes = labelled["n"]
        spread = f"largest to smallest {sizes.max() / sizes.min():.3g} : 1"
        note(made, f"{len(sizes)} classes, {sizes.sum():,} labelled images, {spread}.", style)
    return made


def _bars(table: pd.DataFrame, class_looks: Mapping[str, Look]) -> pd.DataFrame:
    """Return `name, n, percent, colour` of each bar: classes, remaining classes, images without a label."""
    is_class = table["label"].notna()
    classes_shown, rest, unlabelled = table[is_class][:MOST], table[is_class][MOST:], table[~is_class]
    bars = [
        classes_shown.assign(
            name=classes_shown["label"].map(short_names(classes_shown["label"])),
            colour=[class_looks[label].colour for label in classes_shown["label"]],
        )
    ]
    if len(rest):
        name = f"{len(rest)} smaller classes"
        bars.append(rest[["n", "percent"]].sum().to_frame().T.astype({"n": int}).assign(name=name, colour=FAINT))
    bars.append(unlabelled.assign(name="without a label", colour=NOBODY.colour))
    return pd.concat(bars, ignore_index=True)
