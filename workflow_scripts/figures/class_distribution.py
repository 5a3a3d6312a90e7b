"""Plot the number of images of each class, the largest class first, and of its sub-labels, which are finer classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, NOBODY, Look, class_looks
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.wording import count

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
    DataFrame with one row per class, the largest first and classes of equal size by name:

    - `label`: the class; None in a last row, which counts the images without a label.
    - `n`: number of images.
    - `percent`: share of the labelled images in percent; null in the last row.
    - `sublabel`: only if the images have sub-labels; null in the row of a class.

    If a class has two or more sub-labels, one row for each of them follows the row of the class, sorted in the same
    way.
    """
    manifest = OneCell.first(cells, inputs).manifest()
    table = _counted(manifest, "label")
    if "sublabel" in manifest:
        inside = manifest[manifest["label"].notna() & (manifest["sublabel"].fillna("") != "")]
        tables = []
        for label, images in inside.groupby("label"):
            if images["sublabel"].nunique() > 1:
                tables.append(_counted(images, "sublabel").assign(label=label))
        order = {label: place for place, label in enumerate(table["label"])}
        table = pd.concat([table.assign(sublabel=None), *tables], ignore_index=True)
        table = table.sort_values("label", key=lambda labels: labels.map(order), kind="stable")
    table["percent"] = 100 * table["n"] / manifest["label"].notna().sum()
    unlabelled = manifest["label"].isna().sum()
    without = pd.DataFrame({"label": [None], "n": [unlabelled], "percent": [np.nan]})
    return pd.concat([table, without[without["n"] > 0]], ignore_index=True).astype({"label": object})


def _counted(images: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a table with the values of a column, and for each value the number `n` of images that have it.

    The most frequent value comes first; values with equal numbers are sorted by name.
    """
    counts = images[column].value_counts().rename_axis(column).reset_index(name="n")
    return counts.sort_values(["n", column], ascending=[False, True])


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a bar for each class in its colour, with the number and share of its images.

    Below it stand paler and thinner bars for the sub-labels of the class. If images have no label, the last bar is for
    them.
    """
    table = table if "sublabel" in table else table.assign(sublabel=None)
    labelled = table[table["label"].notna() & table["sublabel"].isna()]
    with theme(style):
        if labelled.empty:
            return placeholder(figure, f"No labels: none of the {table['n'].sum()} images has one.")
        bars = _bars(table, class_looks(table["label"], inputs["classes"], style))
        inside = bars["sublabel"].notna()
        made = canvas(figure, ROW * len(bars) + 16)
        ax = made.subplots()
        for rows, height, alpha in ((~inside, 0.72, 1.0), (inside, 0.45, 0.5)):
            ax.barh(np.flatnonzero(rows), bars["n"][rows], height, color=bars["colour"][rows], alpha=alpha)
        for place, (n, percent) in enumerate(zip(bars["n"], bars["percent"], strict=True)):
            text = f"{n:,}" if pd.isna(percent) else f"{n:,} ({percent:.1f}\u00a0%)"
            ax.annotate(text, (n, place), (3, 0), textcoords="offset points", va="center", size="small")
        ax.set_yticks(range(len(bars)), bars["name"])
        for label in np.array(ax.get_yticklabels())[inside]:
            label.set(fontstyle="italic", color=FAINT)
        ax.set(ylim=(len(bars) - 0.4, -0.6), xlim=(0, 1.35 * bars["n"].max()), xlabel="Images")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        sizes = labelled["n"]
        spread = f"largest to smallest {sizes.max() / sizes.min():.3g} : 1"
        below = f" In italics, inside them: {table['sublabel'].notna().sum()}." if inside.any() else ""
        n_classes, n_images = count(len(sizes), "class", "classes"), count(sizes.sum(), "labelled image")
        note(made, f"{n_classes}, {n_images}, {spread}.{below}", style)
    return made


def _bars(table: pd.DataFrame, by_class: Mapping[str, Look]) -> pd.DataFrame:
    """Return a table with one row per bar and the columns `name, sublabel, n, percent, colour`.

    The first `MOST` classes have a bar each. Below it are bars for the sub-labels of the class, if there are at most
    `MOST` sub-labels in all. All other classes share one bar, and the images without a label have the last one.
    """
    inside, unlabelled = table["sublabel"].notna(), table[table["label"].isna()]
    labels = table["label"][table["label"].notna() & ~inside]
    shown = table[table["label"].isin(labels[:MOST]) & (~inside | (inside.sum() <= MOST))]
    rest = table[table["label"].isin(labels[MOST:]) & ~inside]
    names = short_names(labels[:MOST]) | short_names(shown["sublabel"].dropna().unique())
    bars = [
        shown.assign(
            name=shown["sublabel"].fillna(shown["label"]).map(names),
            colour=[by_class[label].colour for label in shown["label"]],
        )
    ]
    if len(rest):
        name = f"{len(rest)} smaller classes"
        bars.append(rest[["n", "percent"]].sum().to_frame().T.astype({"n": int}).assign(name=name, colour=FAINT))
    bars.append(unlabelled.assign(name="without a label", colour=NOBODY.colour))
    return pd.concat(bars, ignore_index=True)
