"""Plot five criteria for the number of clusters k, and the k that each of them recommends.

The criteria are computed again on resamples of the images. The more resamples recommend the same k, the more certain
the recommendation is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.n_clusters.stability import ENOUGH
from workflow_scripts.n_clusters.survey import CRITERIA, MAJORITY, SURE, Options, standing_out, survey

TITLES = {"elbow": "Elbow", "silhouette": "Silhouette", "gap": "Gap statistic", "bic": "BIC", "stability": "Stability"}
UNITS = {
    "elbow": "Variance left (share)",
    "silhouette": "Mean silhouette",
    "gap": "Gap ± s",
    "bic": "BIC / 2n (nats an image)",
    "stability": "Prediction strength",
}
LARGEST = 60
"""Area in points² of the dot of a k that all resamples recommend."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the value of each criterion for each k of the settings, computed on the points of one cell.

    Returns
    -------
    DataFrame with the columns of `n_clusters.survey.survey`, and `standing_out` (the k on which most criteria agree, or
    null), `n_images`, `n_classes` (of the labels; 0 without labels), and the settings `n_init`, `n_references`,
    `n_resamples` and `covariance_type`.

    Raises
    ------
    UserError
        If a k is larger than half the number of images, because the stability criterion splits the images into halves.
    """
    cell = OneCell.first(cells, inputs)
    points = cell.points()
    n, largest = len(points.values), max(figure["ks"])
    if largest > n // 2:
        raise UserError(f"config: figures: choose_k: ks: found {largest}, allowed: up to half of {n} images")
    options = {name: figure[name] for name in ("n_init", "n_references", "n_resamples", "covariance_type")}
    table = survey(points.values, figure["ks"], Options(**options), figure["seed"])
    manifest = cell.manifest().set_index("image_id")
    n_classes = manifest["label"].reindex(points.image_ids).nunique()
    agreed = standing_out(table) or np.nan
    return table.assign(standing_out=agreed, n_images=n, n_classes=n_classes, **options)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each criterion, and one panel with the recommendations from the resamples."""
    with theme(style):
        across = 1 if figure["width"] < NARROW_BELOW_MM else 3
        made = canvas(figure, (6 // across) * 45 + 16)
        axes = made.subplots(6 // across, across).ravel()
        palette = dict(zip(CRITERIA, colours(style), strict=False))
        for ax, criterion in zip(axes, CRITERIA, strict=False):
            _draw_criterion(ax, table[table["criterion"] == criterion], palette[criterion])
        _draw_shares(axes[5], table, palette)
        note(made, _explanation(table), style)
    return made


def _draw_criterion(ax: Axes, table: pd.DataFrame, colour: str) -> None:
    criterion = table["criterion"].iloc[0]
    _mark_classes(ax, table)
    ax.fill_between(table["k"], table["low"], table["high"], color=colour, alpha=0.2, linewidth=0)
    ax.plot(table["k"], table["value"], color=colour, marker="o", markersize=3)
    chosen = table[table["recommended"]]
    ax.scatter(chosen["k"], chosen["value"], 42, "none", edgecolors=INK, linewidths=1.1, zorder=3)
    if criterion == "stability":
        ax.axhline(ENOUGH, color=FAINT, linestyle="--", linewidth=0.8)
    answer = f"k = {chosen['k'].iloc[0]} ({100 * chosen['share'].iloc[0]:.0f} %)" if len(chosen) else "no k"
    ax.set_title(f"{TITLES[criterion]}: {answer}")
    ax.set(xlabel="Number of clusters k", ylabel=UNITS[criterion])
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y")


def _mark_classes(ax: Axes, table: pd.DataFrame) -> None:
    if table["k"].min() <= table["n_classes"].iloc[0] <= table["k"].max():
        ax.axvline(table["n_classes"].iloc[0], color=PALE, linestyle=":", linewidth=1.2, zorder=0)


def _draw_shares(ax: Axes, table: pd.DataFrame, palette: Mapping[str, str]) -> None:
    _mark_classes(ax, table)
    ks = table["k"].unique()
    none = ks.min() - max(1.5, 0.2 * (ks.max() - ks.min()))
    ax.axvspan(none - 0.75, none + 0.75, color="#f4f4f4", linewidth=0, zorder=-1)
    for row, criterion in enumerate(CRITERIA):
        rows = table[table["criterion"] == criterion]
        chosen = rows[rows["recommended"]]
        x, share = [none, *rows["k"]], [rows["undecided"].iloc[0], *rows["share"]]
        ax.scatter(x, np.full(len(x), row), LARGEST * np.array(share), palette[criterion], linewidths=0)
        place = chosen["k"].iloc[0] if len(chosen) else none
        ax.scatter([place], [row], 1.5 * LARGEST, "none", edgecolors=INK, linewidths=1.1, zorder=3)
    ax.set_yticks(range(len(CRITERIA)), [TITLES[criterion] for criterion in CRITERIA])
    numbers = [int(k) for k in MaxNLocator(integer=True).tick_values(ks.min(), ks.max()) if k in ks]
    ax.set_xticks([none, *numbers], ["none", *map(str, numbers)])
    ax.set(ylim=(len(CRITERIA) - 0.4, -0.6), xlim=(none - 0.75, ks.max() + 0.75), xlabel="Number of clusters k")
    ax.set_title("Resamples recommend")


def _explanation(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    if pd.notna(first["standing_out"]):
        votes = table[table["recommended"] & (table["share"] >= SURE) & (table["k"] == first["standing_out"])]
        names = ", ".join(TITLES[name].removesuffix(" statistic").lower() for name in votes["criterion"])
        verdict = f"k = {first['standing_out']:.0f} stands out: {names} agree.".replace("bic", "BIC")
    else:
        verdict = f"No k stands out: fewer than {MAJORITY} criteria agree, each in half of the resamples."
    labelled = f"Dotted: number of classes ({first['n_classes']})." if first["n_classes"] else "No labels."
    bands = f"bands: 90\u00a0% of the resamples (gap: ± s, {first['n_references']} reference sets)"
    shares = f"Lines, circles: all images; {bands}; dots, %: share of the resamples."
    return f"{verdict} {shares} {labelled} n = {first['n_images']} images, {first['n_resamples']} resamples."
