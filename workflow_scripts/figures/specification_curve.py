"""Plot the specification curve: all cells (combinations of choices) sorted by score, with their choices below.

Lines show the spread over the repeats, which are clusterings of a cell with different seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workflow_scripts.consensus.agreement import agreement_with
from workflow_scripts.consensus.trust import heard, opinions, support, votes
from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.names import BESIDE_ACCURACY, accuracy_note, n_in_words, shown
from workflow_scripts.figures.partitions import NO_CELLS_TO_COMPARE, Partitions, read_partitions
from workflow_scripts.figures.texts import short_names, shortened, text_width
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.grid.axes import TITLES
from workflow_scripts.grid.cells import word
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.io.tables import best_of_repeats, read_scores, with_k
from workflow_scripts.scores import METRICS

AGREEMENT = "agreement"
"""Name of the score that needs no labels: the mean agreement with the other cells."""
ROW = 3.6
"""Height in millimetres of the row of dots for a value of a choice."""
NAMES_SHARE = 0.28
"""Share of the figure's width that the names of the values of choices may take."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the cells, sorted by a metric or by their agreement with the other cells.

    Returns
    -------
    DataFrame with one row per cell, the best first; empty if there is only one cell:

    - `place`, `name`: place in the order (from 1), and name of the cell.
    - one column for each axis on which the cells differ, with values in words.
    - `metric`, `metric_name`: the metric of the settings, and its name in words. If the metric needs labels and there
      are none, or labels of one class, it is `agreement`.
    - `value`: mean of the metric over the repeats, in the units of the axis label. If the metric is `agreement`, it is
      the agreement of the cell's best partition.
    - `low`, `high`, `n_repeats`: smallest and largest value over the repeats (null for one repeat), and number of
      repeats.
    - `largest_class`, `accuracy_matched`, `ari`: means over the repeats (shares); not with `agreement`.
    """
    if len(cells) < 2:
        return pd.DataFrame(columns=["name"])
    partitions = read_partitions(cells, inputs["clusters"], figure["k"])
    metric = figure["metric"]
    cell_scores = [] if metric == AGREEMENT else _scores(figure, inputs["scores"])
    scores = [shown(metric, repeats[metric]) for repeats in cell_scores]
    if not scores or all(values.isna().all() for values in scores) or _needs_classes(metric, cell_scores):
        metric = AGREEMENT
        values, scores = _agreements(partitions, read_agreement(inputs["agreement"][0], cells)[0])
    else:
        values = np.array([values.mean() for values in scores])
    several = [len(values) > 1 for values in scores]
    table = pd.DataFrame(
        {axis: [word(axis, level) for level in partitions.choices[axis]] for axis in partitions.choices}
    )
    table = table.assign(
        name=partitions.names,
        metric=metric,
        metric_name="Agreement with the other cells" if metric == AGREEMENT else METRICS[metric].axis_label,
        value=values,
        low=[values.min() if more else np.nan for values, more in zip(scores, several, strict=True)],
        high=[values.max() if more else np.nan for values, more in zip(scores, several, strict=True)],
        n_repeats=[len(values) for values in scores],
        **{name: [repeats[name].mean() for repeats in cell_scores] for name in BESIDE_ACCURACY if cell_scores},
    )
    table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "place", np.arange(len(table)) + 1)
    return table


def _scores(figure: Mapping[str, Any], paths: Sequence[str]) -> list[pd.DataFrame]:
    return [best_of_repeats(with_k(read_scores(path), figure["k"])) for path in paths]


def _needs_classes(metric: str, scores: Sequence[pd.DataFrame]) -> bool:
    """Return whether the metric needs labels and all labels are of one class, so that it says nothing."""
    return METRICS[metric].needs_labels and all((repeats["largest_class"] == 1).all() for repeats in scores)


def _agreements(partitions: Partitions, between: np.ndarray) -> tuple[np.ndarray, list[pd.Series]]:
    """Return the agreement of each cell with the other cells, (C,), and for each cell a series with the agreement of
    its repeats.

    An opinion is a set of cells with nearly the same partition. The agreement of a cell is its mean ARI with the cells
    of the other opinions, where each opinion counts once (see `consensus.trust`). `between` (C, C) is the ARI of each
    pair of cells.
    """
    opinion = opinions(between)
    vote, counts = votes(between, opinion), heard(opinion)
    by_repeat = [
        pd.Series(np.average(agreement_with(partitions.best, of_cell), axis=1, weights=vote * others))
        for of_cell, others in zip(partitions.repeats, counts, strict=True)
    ]
    return support(between, vote, counts), by_repeat


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the curve, and below it a row of dots for each value of each choice."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NO_CELLS_TO_COMPARE)
        levels = [
            (axis, level) for axis in TITLES if axis in table for level in dict.fromkeys(sorted_levels(table[axis]))
        ]
        made = canvas(figure, 48 + ROW * len(levels) + 12)
        heights = [44, ROW * len(levels)]
        curve, matrix = made.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": heights})
        palette = colours(style)
        _draw_curve(curve, table, palette[0])
        _draw_matrix(matrix, table, levels, palette, NAMES_SHARE * figure["width"], style)
        n = n_in_words(inputs, {*METRICS}.intersection(table["metric"]))
        note(made, f"{n}, {_explanation(table)}", style)
    return made


def sorted_levels(levels: pd.Series) -> list[str]:
    """Return the different levels (values of a choice), sorted by the number that they begin with, then by name."""

    def key(level: str) -> tuple[int, float, str]:
        first = level.split(" ")[0]
        return (0, float(first), level) if first.isdecimal() else (1, 0.0, level)

    return sorted(levels.unique(), key=key)


def _draw_curve(ax: Axes, table: pd.DataFrame, colour: str) -> None:
    size = float(np.clip(600 / len(table), 1.5, 14))
    known = table.dropna(subset=["low"])
    ax.vlines(known["place"], known["low"], known["high"], PALE, linewidth=float(np.clip(120 / len(table), 0.4, 2.5)))
    ax.scatter(table["place"], table["value"], size, colour, zorder=2)
    ax.axhline(table["value"].median(), color=FAINT, linestyle="--", linewidth=0.8)
    metric = table["metric"].iloc[0]
    ax.set_ylabel("Agreement with\nthe other cells (ARI)" if metric == AGREEMENT else METRICS[metric].axis_label)
    ax.grid(axis="y")
    ax.tick_params(axis="x", length=0, labelbottom=False)


def _draw_matrix(
    ax: Axes,
    table: pd.DataFrame,
    levels: Sequence[tuple[str, str]],
    palette: Sequence[str],
    room: float,
    style: Mapping[str, Any],
) -> None:
    """Draw a row of dots for each level, with the level's name beside it. There are `room` millimetres for the
    names."""
    axes = list(dict.fromkeys(axis for axis, _ in levels))
    size = float(np.clip(400 / len(table), 0.8, 9))
    for row, (axis, level) in enumerate(levels):
        has = table.loc[table[axis] == level, "place"]
        ax.scatter(table["place"], np.full(len(table), row), size, PALE, marker="|", linewidths=0.5)
        ax.scatter(has, np.full(len(has), row), size, palette[axes.index(axis) % len(palette)])
        if row and levels[row - 1][0] != axis:
            ax.axhline(row - 0.5, color=PALE, linewidth=0.6)
    short = {axis: _names_within([level for of, level in levels if of == axis], room, style) for axis in axes}
    ax.set_yticks(range(len(levels)), [short[axis][level] for axis, level in levels])
    ax.set_ylim(len(levels) - 0.4, -0.6)
    ax.set_xlim(0.3, len(table) + 0.7)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("Cells, the best first")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for text, (axis, _) in zip(ax.get_yticklabels(), levels, strict=True):
        text.set_color(INK if len(axes) == 1 else _darker(palette[axes.index(axis) % len(palette)]))


def _names_within(levels: Sequence[str], room: float, style: Mapping[str, Any]) -> dict[str, str]:
    """Return the levels of one axis, shortened to `room` mm so that different levels stay different."""
    widths = {level: text_width(level, small(style)) for level in levels}
    lengths = {level: int(len(level) * room / wide) for level, wide in widths.items() if wide > room}
    short = {level: shortened(level, lengths[level]) if level in lengths else level for level in levels}
    return short if len(set(short.values())) == len(short) else short_names(levels, min(lengths.values()))


def _darker(colour: str) -> str:
    """Return the colour, darkened to be readable as text."""
    red, green, blue = (int(int(colour[i : i + 2], 16) * 0.6) for i in (1, 3, 5))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _explanation(table: pd.DataFrame) -> str:
    metric = table["metric"].iloc[0]
    what = "agreement, which needs no labels" if metric == AGREEMENT else "mean"
    repeats = table["n_repeats"].max()
    bars = f"lines: smallest to largest over up to {repeats} repeats; " if repeats > 1 else ""
    beside = accuracy_note([metric], table)
    return f"{len(table)} cells; dots: {what}; {bars}dashed: median. Below, the choices of each cell.{beside}"
