"""Plot metrics against one choice, with the mean, the spread and the value of every repeat.

A cell is one combination of choices. A repeat is a set of restarts with its own seed; its best restart counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from workflow_scripts.figures.canvas import canvas, note, panels, panels_of, placeholder
from workflow_scripts.figures.colours import Look, looks
from workflow_scripts.figures.legends import columns_within, panel_legend
from workflow_scripts.figures.names import BESIDE_ACCURACY, accuracy_note, n_in_words, shown
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.ticks import log_scale
from workflow_scripts.grid.axes import AXES, PARTS, TITLES
from workflow_scripts.grid.cells import axes_to_mention, word
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.tables import best_of_repeats, with_k
from workflow_scripts.scores import METRICS
from workflow_scripts.wording import count

NUMERIC = ("n_components", "k")
"""Choices that are drawn on an axis of numbers."""
WITHOUT_LABELS = ("silhouette", "inertia")
"""The metrics that are shown if none of the wanted ones has a value."""
FREED = {"reducer": PARTS["reducer"], "k": ()}
"""The axes on which compared cells may differ if `x` or `hue` is a key; for any other choice, the axis of that name."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the metrics of every repeat for each `x` and `hue`, with mean and standard deviation over the repeats.

    `x` and `hue` are the choices, named in the settings, that the x axis and the colours show. Only cells that agree in
    all other choices are compared. If there are several groups of such cells, the largest is taken; of equally large
    ones, the first. In a study that varies one axis at a time, it is the group around the baseline. If a repeat stores
    all its restarts, the one with the lowest inertia is used. Wanted metrics without values, for instance because there
    are no labels, are left out. If none has values, silhouette and inertia replace them.

    Returns
    -------
    DataFrame with one row per metric, `x`, `hue` and repeat:

    - `metric`: name of the metric.
    - `x`: a number for `n_components` (as used) and for `k`; otherwise a name.
    - `hue`: a name; empty if the settings name no such choice.
    - `repeat`, `value`: number of the repeat, and its value in the units of the axis label.
    - `mean`, `sd`, `n_repeats`: over the repeats (ddof 1; `sd` is null for one repeat).
    - `largest_class`, `accuracy_matched`, `ari`: further scores of the repeat (shares).
    - `axis`: title of the x axis.
    - `fixed`: text with the other choices, which the cells have in common.
    """
    chosen = _comparable(cells, figure)
    readers = OneCell.each(cells, inputs)
    scores = pd.concat([_best_repeats(readers[i].scores(), figure).assign(**_place(cells[i], figure)) for i in chosen])
    if figure["x"] in NUMERIC:
        scores["x"] = scores["n_components_used" if figure["x"] == "n_components" else "k"].astype(float)
    long = scores.melt(["x", "hue", "repeat"], _metrics(figure["metrics"], scores), var_name="metric")
    # two numbers of components may be capped to the same number, which gives the same results twice
    long = long.dropna(subset=["x"]).drop_duplicates(["metric", "x", "hue", "repeat"])
    for metric in long["metric"].unique():
        is_metric = long["metric"] == metric
        long.loc[is_metric, "value"] = shown(metric, long.loc[is_metric, "value"])
    repeats = long.groupby(["metric", "x", "hue"])["value"]
    long["mean"], long["sd"], long["n_repeats"] = (repeats.transform(how) for how in ("mean", "std", "count"))
    long = long.join(scores.groupby(["x", "hue", "repeat"])[[*BESIDE_ACCURACY]].first(), on=["x", "hue", "repeat"])
    columns = ["metric", "x", "hue", "repeat", "value", "mean", "sd", "n_repeats", *BESIDE_ACCURACY]
    in_words = {"axis": TITLES[figure["x"]], "fixed": _fixed(cells[chosen[0]], figure, scores)}
    return long[columns].assign(**in_words).reset_index(drop=True)


def _comparable(cells: Sequence[Mapping[str, Any]], figure: Mapping[str, Any]) -> list[int]:
    """Return the indices of the cells in the largest group of cells that differ only in `x` and `hue`.

    If several groups are equally large, the first one is taken.
    """
    free = _free(figure)

    def rest(cell: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(cell[axis] for axis in AXES if axis not in free)

    common = Counter(map(rest, cells)).most_common(1)[0][0]
    return [i for i, cell in enumerate(cells) if rest(cell) == common]


def _free(figure: Mapping[str, Any]) -> set[str]:
    return {axis for choice in (figure["x"], figure["hue"]) if choice for axis in FREED.get(choice, (choice,))}


def _place(cell: Mapping[str, Any], figure: Mapping[str, Any]) -> dict[str, Any]:
    x, hue = figure["x"], figure["hue"]
    return {"x": None if x in NUMERIC else word(x, cell[x]), "hue": word(hue, cell[hue]) if hue else ""}


def _best_repeats(scores: pd.DataFrame, figure: Mapping[str, Any]) -> pd.DataFrame:
    return best_of_repeats(scores if figure["x"] == "k" else with_k(scores, figure["k"]))


def _metrics(wanted: Sequence[str], scores: pd.DataFrame) -> list[str]:
    """Return the wanted metrics that have values; if none has, those of `WITHOUT_LABELS` that have values."""
    available = [metric for metric in wanted if scores[metric].notna().any()]
    return available or [metric for metric in WITHOUT_LABELS if scores[metric].notna().any()]


def _fixed(cell: Mapping[str, Any], figure: Mapping[str, Any], scores: pd.DataFrame) -> str:
    fixed = [axis for axis in AXES if axis not in _free(figure)]
    words = [word(axis, cell[axis]) for axis in axes_to_mention(cell, fixed)]
    ks = scores["k"].dropna().unique()
    if figure["x"] != "k" and len(ks) == 1:
        words.append(f"k = {ks[0]:.0f}")
    n_init = scores["n_init"].unique()
    if len(n_init) == 1 and pd.notna(n_init[0]):
        words.append(f"best of {n_init[0]:.0f} restarts")
    return ", ".join(words)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each metric: lines with bands if x is a number, points with bars if x is a name."""
    manifest = read_manifest(inputs["manifest"])
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: the metrics of this figure compare clusters with labels.")
        metrics, hues = list(dict.fromkeys(table["metric"])), list(dict.fromkeys(table["hue"]))
        numeric = pd.api.types.is_numeric_dtype(table["x"])
        down, across = panels_of(len(metrics), figure)
        height = 45 if numeric else 14 + max(14, 5 * table["x"].nunique() * max(1, 0.7 * len(hues)))
        made = canvas(figure, down * height + 14 + 5 * bool(len(hues) > 1))
        axes = panels(made, len(metrics), figure, sharey=not numeric)
        hue_looks = _hue_looks(hues, style)
        for ax, metric in zip(axes, metrics, strict=True):
            (_draw_numbers if numeric else _draw_names)(ax, table[table["metric"] == metric], hue_looks)
            if numeric:
                ax.set_ylabel(wrapped(METRICS[metric].axis_label, 38, style["font_size"]))
            else:
                ax.set_xlabel(METRICS[metric].axis_label)
            if METRICS[metric].percent:
                _up_to_hundred(ax.yaxis if numeric else ax.xaxis)
        note(made, _explanation(table, manifest, n_in_words(inputs, table["metric"].unique())), style)
        if len(hues) > 1:
            entries = {hue: _entry(look) for hue, look in hue_looks.items()}
            panel_legend(axes[0], entries, columns_within(0.75 * figure["width"] / across, hues, style))
    return made


def _explanation(table: pd.DataFrame, manifest: pd.DataFrame, n: str) -> str:
    n_repeats = sorted(set(table["n_repeats"]) - {0})
    fewest = "" if len(n_repeats) == 1 else f"{n_repeats[0]} to "
    repeats = f"{fewest}{count(n_repeats[-1], 'repeat')} (open points)"
    spread = "mean ± sd" if n_repeats[-1] > 1 else "no sd"
    unlabelled = "" if manifest["label"].notna().any() else "No labels: metrics that need none. "
    fixed = f"Fixed: {table['fixed'].iloc[0]}.{accuracy_note(table['metric'].unique(), table)}"
    return f"{unlabelled}{n}, {repeats}, {spread}. {fixed}"


def _hue_looks(hues: Sequence[str], style: Mapping[str, Any]) -> dict[str, Look]:
    """Return for each value of `hue` a look with its own colour and marker."""
    markers = ("o", "^", "s", "D", "v", "P", "X")
    by_colour = looks(hues, style)
    return {hue: Look(by_colour[hue].colour, markers[i % len(markers)]) for i, hue in enumerate(hues)}


def _up_to_hundred(axis: Axis) -> None:
    """End the axis at 100 %, which a band of mean ± sd may exceed."""
    low, high = axis.get_view_interval()
    axis.set_view_interval(low, min(high, 101), ignore=True)


def _entry(look: Look) -> Line2D:
    return Line2D([], [], color=look.colour, marker=look.marker, markersize=4)


def _draw_numbers(ax: Axes, table: pd.DataFrame, hue_looks: Mapping[str, Look]) -> None:
    for hue, look in hue_looks.items():
        rows = table[table["hue"] == hue].sort_values("x")
        line = rows.drop_duplicates("x")
        low, high = line["mean"] - line["sd"], line["mean"] + line["sd"]
        ax.fill_between(line["x"], low, high, color=look.colour, alpha=0.2, linewidth=0)
        ax.plot(line["x"], line["mean"], color=look.colour, marker=look.marker, markersize=4)
        ax.scatter(rows["x"], rows["value"], 7, "white", edgecolors=look.colour, linewidths=0.6, zorder=1.9)
    ax.set_xlabel(table["axis"].iloc[0])
    lowest, highest = table["x"].min(), table["x"].max()
    if highest > 10 * lowest:
        log_scale(ax, lowest, highest)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y")


def _draw_names(ax: Axes, table: pd.DataFrame, hue_looks: Mapping[str, Look]) -> None:
    names = list(dict.fromkeys(table["x"]))
    step = 0.7 / len(hue_looks)
    for i, (hue, look) in enumerate(hue_looks.items()):
        rows = table[table["hue"] == hue]
        y = rows["x"].map(names.index) + (i - (len(hue_looks) - 1) / 2) * step
        ax.scatter(rows["value"], y + 0.45 * step, 7, "white", edgecolors=look.colour, linewidths=0.6, zorder=1.9)
        mean = rows.assign(y=y).drop_duplicates("x")
        spread = mean["sd"].fillna(0)
        ax.errorbar(mean["mean"], mean["y"], xerr=spread, color=look.colour, fmt=look.marker, markersize=4)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x")
