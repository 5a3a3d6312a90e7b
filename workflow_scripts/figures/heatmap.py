"""Plot the mean of a metric for each pair of values of two choices.

The mean is over all other choices, and over the repeats (clusterings of the same choices with different seeds).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import seaborn
from matplotlib.figure import Figure

from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.effects import scores_of_product, varying
from workflow_scripts.figures.names import BESIDE_ACCURACY, NEEDS_LABELS, accuracy_note, n_in_words, shown
from workflow_scripts.figures.texts import text_width, wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import TITLES
from workflow_scripts.grid.cells import word
from workflow_scripts.io.cells import OneCell
from workflow_scripts.metrics.effects import variance_shares
from workflow_scripts.scores import METRICS

MATRIX = 0.55
"""Width of the matrix as a share of the width of the figure. Its fields have numbers if they are wide enough for
them."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the mean of the metric for each pair of values of two choices, over all other choices and the repeats.

    Returns
    -------
    DataFrame with one row per pair of values; empty if the metric needs labels and there are none:

    - `x_axis`, `y_axis`: the two choices.
    - `x`, `y`: their values in words.
    - `metric`, `mean`: name of the metric, and its mean in the units of the axis label.
    - `sd`: standard deviation of the means of the repeats (ddof 1).
    - `n`: number of clusterings.
    - `largest_class`, `accuracy_matched`, `ari`: means of further scores (shares).
    """
    metric = figure["metric"]
    scores = scores_of_product(OneCell.each(cells, inputs))
    if scores[metric].isna().any():
        return pd.DataFrame(columns=["metric"])
    scores[metric] = shown(metric, scores[metric])
    x, y = figure["axes"] or _strongest(scores, metric)
    repeats = scores.groupby([x, y, "repeat"])[metric].agg(["mean", "size"]).reset_index()
    table = repeats.groupby([x, y]).agg(sd=("mean", "std"), mean=("mean", "mean"), n=("size", "sum"))
    table = table.join(scores.groupby([x, y])[[*BESIDE_ACCURACY]].mean()).reset_index()
    values = {"x": [word(x, value) for value in table[x]], "y": [word(y, value) for value in table[y]]}
    return table[["mean", "sd", "n", *BESIDE_ACCURACY]].assign(**values, x_axis=x, y_axis=y, metric=metric)


def _strongest(scores: pd.DataFrame, metric: str) -> tuple[str, str]:
    """Return the two choices that explain the largest shares of the variance. The first of them (x) has more values.

    Raises `UserError` if only one choice varies.
    """
    factors = varying(scores)
    if len(factors) < 2:
        raise UserError(f"config: figures: heatmap: found {factors[0]} as the only choice that varies, allowed: two")
    shares = variance_shares(scores, factors, metric)
    main = shares[shares["order"] == 1].groupby("term")["share"].mean().nlargest(2)
    x, y = sorted(main.index, key=lambda factor: -scores[factor].nunique())
    return x, y


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a heatmap of the means; the numbers are written into it if there is room for them."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NEEDS_LABELS)
        columns, rows = list(dict.fromkeys(table["x"])), list(dict.fromkeys(table["y"]))
        means = table.pivot(index="y", columns="x", values="mean").loc[rows, columns]
        made = canvas(figure, max(9 * len(rows), 36) + 26)
        ax = made.subplots()
        metric = METRICS[table["metric"].iloc[0]]
        number = ".1f" if metric.percent else ".2f"
        longest = max(text_width(format(mean, number), style["font_size"]) for mean in table["mean"])
        seaborn.heatmap(
            means,
            cmap="viridis",
            annot=bool(longest < MATRIX * figure["width"] / len(columns)),
            annot_kws={"size": style["font_size"]},
            fmt=number,
            cbar_kws={"label": wrapped(metric.axis_label, 34, style["font_size"])},
            xticklabels=[_without_noun(column) for column in columns],
            yticklabels=[_without_noun(row) for row in rows],
            ax=ax,
        )
        ax.tick_params(axis="y", rotation=0)
        ax.set(xlabel=TITLES[table["x_axis"].iloc[0]], ylabel=TITLES[table["y_axis"].iloc[0]])
        means = f"means over all other choices and repeats, {table['n'].iloc[0]} clusterings per field"
        metrics = table["metric"].unique()
        note(made, f"{n_in_words(inputs, metrics)}; {means}." + accuracy_note(metrics, table), style)
    return made


def _without_noun(level: str) -> str:
    """Return a value such as `50 components` without its noun, which already stands in the label of the axis."""
    return re.sub(" components?$", "", level)
