"""Rank the cells without labels, by their agreement with the other cells; show other criteria for comparison.

A cell is one combination of choices. A repeat is one clustering of a cell with its own seed.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from workflow_scripts.clusterers.once import clusters_of, once
from workflow_scripts.consensus.agreement import stability
from workflow_scripts.consensus.few_labels import with_labels
from workflow_scripts.consensus.resampling import stability_under_resampling
from workflow_scripts.consensus.trust import trust
from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.legends import legend_above
from workflow_scripts.figures.partitions import NO_CELLS_TO_COMPARE, Partitions, read_partitions
from workflow_scripts.figures.texts import short_cell_names, text_width
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import groups_of, read_manifest
from workflow_scripts.io.tables import best_of_repeats, read_scores, with_k
from workflow_scripts.wording import count, decimal

RULES = {
    "agreement": "agreement",
    "foreign": "agreement with foreign cells",
    "stability": "stability over seeds",
    "resampled": "stability under resampling",
    "silhouette": "silhouette",
}
"""Criteria that can rank the cells without labels: the column of the table, and the criterion in words."""
VERDICTS = {
    "nothing": "The cells agree no better than chance: the choices decide the result; do not trust any cell.",
    "weak": "The cells agree weakly: the choices decide the result more than the images do.",
    "agree": "The cells agree: the agreement can rank them.",
}
FEW_RESTARTS = 10
"""Largest number of restarts for clustering a sample of the images, when stability under resampling is measured."""
ROW = 4.2
"""Height of a row in millimetres."""
MOST = 40
"""Largest number of cells that are drawn. If there are more, the first 30 and the last 10 are drawn."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Rank the cells by their agreement with each other, beside other criteria and the ARI with the labels.

    Returns
    -------
    DataFrame with one row per cell, the most trusted first; empty if there is only one cell:

    - `name`, and one column for each axis on which the cells differ.
    - `k`: null if the clusterer finds k itself.
    - `agreement`, `foreign`, `opinion`, `vote`, `rank`, `rank_low`, `rank_high`, `first`: as in
      `consensus.trust.Trust`.
    - `stability`: mean ARI between the repeats of the cell; null for one repeat.
    - `silhouette`: mean over the repeats.
    - `ari`, `ari_sd`: mean and standard deviation (ddof 1) over the repeats; null without labels.
    - `probability`: probability that the cell is the best one, given the labels; null without labels.
    - `resampled`: stability under resampling, see `consensus.resampling`; null unless the settings have `n_resamples`.

    The following columns are the same in all rows: `n_images`, `n_labels`, `labels_needed` (as in
    `consensus.few_labels.WithLabels`), `n_opinions`, `chance` and `verdict` (as in `Trust`).
    """
    if len(cells) < 2:
        return pd.DataFrame(columns=["name"])
    partitions = read_partitions(cells, inputs["clusters"], figure["k"])
    manifest = read_manifest(inputs["manifest"][0])
    groups = groups_of(manifest)
    trusted = trust(
        partitions.best,
        partitions.choices,
        agreement=read_agreement(inputs["agreement"][0], cells)[0],
        n_samples=figure["n_samples"],
        seed=figure["seed"],
        groups=groups,
    )
    table = trusted.table.astype(dict.fromkeys(partitions.choices, str))
    table.insert(0, "name", partitions.names)
    table["k"] = pd.array(partitions.k, dtype="Int64")
    table["stability"] = [stability(partition) for partition in partitions.repeats]
    table = table.assign(**_score_columns(figure, inputs["scores"]))
    labels = manifest["label"].to_numpy()
    n_labels = int(pd.notna(labels).sum())
    labelled = with_labels(trusted, partitions.best, labels) if n_labels else None
    table["probability"] = labelled.probability if labelled else np.nan
    needed = pd.NA if labelled is None or labelled.labels_needed is None else labelled.labels_needed
    table = table.assign(
        n_images=partitions.best.shape[1],
        n_labels=n_labels,
        labels_needed=pd.array([needed] * len(table), dtype="Int64"),
        n_opinions=trusted.n_opinions,
        chance=trusted.chance,
        verdict=trusted.verdict,
        resampled=_resampled(figure, cells, inputs, partitions, groups),
    )
    return table.sort_values("agreement", ascending=False, kind="stable", ignore_index=True)


def _resampled(
    figure: Mapping[str, Any],
    cells: Sequence[Mapping[str, Any]],
    inputs: Mapping[str, Sequence[str]],
    partitions: Partitions,
    groups: np.ndarray | None,
) -> np.ndarray:
    """Return the stability under resampling of each cell, (C,) float64; NaN if `n_resamples` is 0."""
    stable = np.full(len(cells), np.nan)
    for row, cell in enumerate(OneCell.each(cells, inputs) if figure["n_resamples"] else ()):
        settings = once(figure["clusterers"][cell["clusterer"]], partitions.k[row], FEW_RESTARTS)
        stable[row] = stability_under_resampling(
            cell.points().values,
            partitions.best[row],
            partial(_of_sample, settings),
            n_resamples=figure["n_resamples"],
            seed=figure["seed"],
            groups=groups,
        )
    return stable


def _of_sample(settings: Mapping[str, Any], points: np.ndarray, seed: int) -> np.ndarray:
    """Return the clusters (n,) of a sample of points (n, d); raise `UserError` if n is smaller than k."""
    k = settings.get("k", [None])[0] or 1
    if k > len(points):
        problem = f"found a sample of {len(points)} images for k = {k}, allowed: as many images as clusters"
        raise UserError(f"config: figures: trust: n_resamples: {problem}; take a smaller k, or n_resamples: 0")
    return clusters_of(settings, points, seed)


def _score_columns(figure: Mapping[str, Any], paths: Sequence[str]) -> dict[str, list[float]]:
    scores = [best_of_repeats(with_k(read_scores(path), figure["k"])) for path in paths]
    return {
        "silhouette": [cell_scores["silhouette"].mean() for cell_scores in scores],
        "ari": [cell_scores["ari"].mean() for cell_scores in scores],
        "ari_sd": [cell_scores["ari"].std() for cell_scores in scores],
    }


def picks(table: pd.DataFrame) -> dict[str, float]:
    """Return for each criterion in `RULES` the ARI of the cell that it ranks first, by the name of its column.

    The ARI compares clusters with labels; without labels the result is empty. A criterion without values is left out.
    If it ranks several cells first, the one in the first row counts.
    """
    if table["ari"].isna().all():
        return {}
    return {
        rule: float(table["ari"].iloc[int(np.nanargmax(table[rule]))]) for rule in RULES if table[rule].notna().any()
    }


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a row for each cell: agreement, stability, silhouette, rank, and ARI with the labels."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NO_CELLS_TO_COMPARE)
        narrow = figure["width"] < NARROW_BELOW_MM
        labelled = bool(table["ari"].notna().any())
        rows = _rows(table)
        made = canvas(figure, ROW * len(rows) + 34)
        panels = [_draw_agreement, _draw_rank] if narrow else [_draw_agreement, _draw_others, _draw_rank]
        panels += [_draw_labels] * labelled
        widths = [{_draw_agreement: 1.6}.get(panel, 1.0) for panel in panels]
        axes = made.subplots(1, len(panels), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths})[0]
        palette = colours(style)
        for ax, panel in zip(axes, panels, strict=True):
            panel(ax, rows, table, palette)
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
            ax.xaxis.set_major_locator(MaxNLocator(2 if narrow else 4, integer=panel is _draw_rank))
        axes[0].set_yticks(
            range(len(rows)), names_within(rows["name"], (0.28 if narrow else 0.4) * figure["width"], style)
        )
        axes[0].set_ylim(len(rows) - 0.4, -0.6)
        legend_above(made, _legend(rows, palette, narrow), style)
        note(made, _explanation(table, rows), style)
    return made


def _legend(rows: pd.DataFrame, palette: Sequence[str], narrow: bool) -> dict[str, Line2D]:
    """Return the entries of the legend by name, without those for stability and silhouette if the figure is narrow."""

    def mark(marker: str, colour: str, **how: Any) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, color=colour, markersize=4, **how)

    marks = {
        "with all cells": mark("o", palette[0]),
        "with foreign cells": mark("o", palette[0], markerfacecolor="white"),
    }
    if not narrow:
        marks |= {"stability over seeds": mark("s", palette[1]), "silhouette": mark("D", palette[2])}
        if rows["resampled"].notna().any():
            marks["stability under resampling"] = mark("s", palette[1], markerfacecolor="white")
    return {**marks, "chance (99 %)": Line2D([], [], linestyle="--", color=FAINT)}


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    if len(table) <= MOST:
        return table
    first = 3 * MOST // 4
    return pd.concat([table[:first], table[-(MOST - first) :]])


def names_within(names: Sequence[str], room: float, style: Mapping[str, Any]) -> list[str]:
    """Return the names of cells shortened to `room` mm, so that different names stay different."""
    shown = [name.replace(" components", " comp.") for name in names]
    longest = max(text_width(name, small(style)) for name in shown)
    short = short_cell_names(shown, int(max(map(len, shown)) * min(1, room / longest)))
    return [short[name] for name in shown]


def _draw_agreement(ax: Axes, rows: pd.DataFrame, table: pd.DataFrame, palette: Sequence[str]) -> None:
    y = np.arange(len(rows))
    ax.axvline(table["chance"].iloc[0], color=FAINT, linestyle="--", linewidth=0.8)
    ax.hlines(y, rows[["agreement", "foreign"]].min(axis=1), rows[["agreement", "foreign"]].max(axis=1), PALE, zorder=1)
    ax.scatter(rows["foreign"], y, 14, "white", edgecolors=palette[0], linewidths=0.9, zorder=2)
    ax.scatter(rows["agreement"], y, 14, palette[0], zorder=3)
    ax.set_xlabel("Agreement\n(mean ARI)")


def _draw_others(ax: Axes, rows: pd.DataFrame, table: pd.DataFrame, palette: Sequence[str]) -> None:
    y = np.arange(len(rows))
    ax.scatter(rows["stability"], y, 12, palette[1], marker="s")
    ax.scatter(rows["resampled"], y, 12, "white", marker="s", edgecolors=palette[1], linewidths=0.9)
    ax.scatter(rows["silhouette"], y, 12, palette[2], marker="D")
    ax.set_xlabel("Stability (ARI),\nsilhouette")


def _draw_rank(ax: Axes, rows: pd.DataFrame, table: pd.DataFrame, palette: Sequence[str]) -> None:
    y = np.arange(len(rows))
    ax.hlines(y, rows["rank_low"], rows["rank_high"], FAINT, linewidth=1.2)
    ax.scatter(rows["rank"], y, 10, INK, zorder=2)
    ax.set(xlabel="Rank, 95 %\ninterval", xlim=(0, len(table) + 1))


def _draw_labels(ax: Axes, rows: pd.DataFrame, table: pd.DataFrame, palette: Sequence[str]) -> None:
    y = np.arange(len(rows))
    ax.errorbar(rows["ari"], y, xerr=rows["ari_sd"].fillna(0), fmt="o", color=INK, markersize=3, linewidth=0.8)
    ax.set_xlabel("ARI with\nlabels ± sd")


def _explanation(table: pd.DataFrame, rows: pd.DataFrame) -> str:
    first, hidden = table.iloc[0], len(table) - len(rows)
    left_out = f" Not drawn: {count(hidden, 'cell')} in the middle." if hidden else ""
    opinions = count(first["n_opinions"], "opinion")
    sentences = [f"{len(table)} cells, {opinions}, n = {first['n_images']} images.{left_out}"]
    sentences.append(VERDICTS[first["verdict"]])
    if scored := picks(table):
        listed = ", ".join(f"{RULES[rule]} {decimal(value)}" for rule, value in scored.items())
        best, median = table["ari"].max(), table["ari"].median()
        some = "" if first["n_labels"] == first["n_images"] else f" with {count(first['n_labels'], 'label')}"
        picked = f"ARI{some} of the cell picked by {listed}"
        sentences.append(f"{picked}; best cell {decimal(best)}, median {decimal(median)}.")
    else:
        sentences.append("No labels: the ARI of the picked cells is not known.")
    return " ".join(sentences)
