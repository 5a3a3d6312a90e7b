"""Plot the share of images that change their group when they are rotated, flipped, blurred, compressed or cropped."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.consensus.perturbation import changed_groups
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import colours
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.tables import read_csv

MOST = 25
"""Largest number of labels that are drawn: those whose images change most often. The table has all labels."""
ROW = 4.2
"""Height of a row in millimetres."""
SIGNS = {"rotate": "rotate {:g}°", "brighten": "brighten {:+g} %", "blur": "blur {:g} %", "jpeg": "JPEG {:g}"}
SIGNS |= {"crop": "crop {:g} %", "flip": "flip"}


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the share of images that change their group for each perturbation and strength, overall and by label.

    Returns
    -------
    DataFrame with the columns of `consensus.perturbation.changed_groups`, and `cell`, the name of the cell.
    """
    perturbed = read_csv(inputs["perturbed"][0], dtype={"label": str, "cell": str}, **_NUMBERS)
    return changed_groups(perturbed).assign(cell=perturbed["cell"].iloc[0])


_NUMBERS: dict[str, Any] = {"na_values": {"strength": [""]}}
"""Options of `read_csv`: an empty strength is missing, but a label may be the text `NA`."""


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw two panels: the share of all images that change their group, with intervals, and the shares by label.

    The second panel has a row for each label; it is left out if there are no labels.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, "No image was perturbed.")
        everyone = table[table["label"].isna()].reset_index(drop=True)
        of_labels, n_labels = _matrix(table)
        narrow = figure["width"] < NARROW_BELOW_MM
        made = canvas(figure, 62 + ROW * len(of_labels))
        if len(of_labels):
            above, below = made.subplots(2, sharex=True, height_ratios=[30, ROW * len(of_labels) + 2])
            _draw_labels(below, of_labels, narrow)
        else:
            above = below = made.subplots()
        _draw_all(above, everyone, colours(style)[0])
        versions = everyone[["perturbation", "strength"]].to_numpy()
        signs = [SIGNS[name].format(strength).replace("-", "−") for name, strength in versions]
        below.set_xticks(range(len(signs)), signs, rotation=90)
        note(made, _explanation(everyone, len(of_labels), n_labels), style)
    return made


def _matrix(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the share of images that change their group, by label (rows) and perturbation (columns).

    The labels whose images change most come first. The table has at most `MOST` labels; the number of all labels is
    returned too.
    """
    of_labels = table[table["label"].notna()]
    version = of_labels.groupby("label").cumcount()
    matrix = of_labels.assign(version=version).pivot(index="label", columns="version", values="changed")
    order = matrix.mean(axis=1).sort_values(ascending=False, kind="stable").index
    return matrix.loc[order[:MOST]], len(matrix)


def _draw_all(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    x, share = np.arange(len(rows)), 100 * rows["changed"]
    spread = [share - 100 * rows["low"], 100 * rows["high"] - share]
    ax.errorbar(x, share, np.maximum(spread, 0), fmt="o", markersize=3.5, color=colour, elinewidth=1, clip_on=False)
    ax.set(xlim=(-0.5, len(rows) - 0.5), ylim=(0, max(10.0, 105 * rows["high"].max())), ylabel="Change group (%)")
    ax.grid(axis="y")
    for place in np.flatnonzero(rows["perturbation"].ne(rows["perturbation"].shift()))[1:]:
        ax.axvline(place - 0.5, color="#cccccc", linewidth=0.6)


def _draw_labels(ax: Axes, matrix: pd.DataFrame, narrow: bool) -> None:
    shares = 100 * matrix.to_numpy()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if not narrow and np.isfinite(share):
            colour = "white" if share > 60 else "black"
            ax.text(column, row, f"{share:.0f}", ha="center", va="center", size="x-small", color=colour)
    ax.set_yticks(range(len(matrix)), list(short_names(matrix.index, 14 if narrow else 24).values()))
    ax.tick_params(axis="y", length=0)


def _explanation(everyone: pd.DataFrame, n_shown: int, n_labels: int) -> str:
    where = f"{everyone['cell'].iloc[0]}; n = {everyone['n'].iloc[0]} images"
    counted = f"{where}, each put to its nearest centre as it is and perturbed"
    if not n_labels:
        return f"{counted}. Lines: 95 % intervals. No labels."
    shown = f"the {n_shown} of {n_labels} labels" if n_shown < n_labels else f"{n_labels} labels"
    return f"{counted}. Above: all, with 95 % intervals. Below: {shown}, those that change most first (%)."
