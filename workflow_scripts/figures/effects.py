"""Plot how much each choice matters: the share of a metric's variance that it explains.

The shares are computed over cells with all combinations of the choices, for each repeat (the clusterings with one seed)
on its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, colours
from workflow_scripts.figures.names import n_in_words, over_repeats, shown, term_in_words
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import best_of_repeats
from workflow_scripts.metrics.effects import variance_shares
from workflow_scripts.scores import METRICS

FACTORS = (*AXES, "k")
ROW = 5.5
"""Height of a row in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the share of the variance that each choice, and each of the strongest pairs of choices, explains.

    Returns
    -------
    DataFrame with one row per metric, repeat and term (a choice or a pair of choices); empty if all metrics need labels
    and there are none:

    - `metric`: name of the metric.
    - the columns of `metrics.effects.variance_shares`, such as `share` (percent of the variance) and `span` (range of
      the marginal means, in the units of the axis label).
    - `mean`, `sd`, `span_mean`, `span_sd`: mean and standard deviation (ddof 1) of share and span over the repeats.
    - `n_cells`: number of cells.
    - `rank`: place within the metric, 1 for the largest mean share.
    """
    scores = scores_of_product(OneCell.each(cells, inputs))
    tables = [_ranked(scores, metric, figure["pairs"]) for metric in figure["metrics"] if scores[metric].notna().all()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["metric"])


def scores_of_product(cells: Sequence[OneCell]) -> pd.DataFrame:
    """Return the scores of the best restart of each repeat of all cells, with a column for each axis and for k.

    A cell is one combination of choices. That the cells are all combinations is checked before the first job
    (`grid.checks`).
    """
    tables = [best_of_repeats(cell.scores()).assign(**_choices(cell)) for cell in cells]
    return pd.concat(tables, ignore_index=True)


def varying(scores: pd.DataFrame) -> list[str]:
    """Return the names of the choices (axes, and `k`) that have several values in the table of scores."""
    return [factor for factor in FACTORS if scores[factor].nunique() > 1]


def _choices(cell: OneCell) -> dict[str, Any]:
    return {axis: cell[axis] for axis in AXES}


def _ranked(scores: pd.DataFrame, metric: str, n_pairs: int) -> pd.DataFrame:
    factors = varying(scores)
    table = variance_shares(scores.assign(**{metric: shown(metric, scores[metric])}), factors, metric)
    table["share"] *= 100
    for name, column in (("", "share"), ("span_", "span")):
        repeats = table.groupby("term")[column]
        table[f"{name}mean"], table[f"{name}sd"] = repeats.transform("mean"), repeats.transform("std")
    pairs = table[table["order"] == 2].drop_duplicates("term").nlargest(n_pairs, "mean")["term"]
    kept = table[(table["order"] == 1) | table["term"].isin(pairs)]
    kept = kept.assign(rank=kept["mean"].rank(method="dense", ascending=False).astype(int), metric=metric)
    n_cells = len(scores) // scores["repeat"].nunique()
    return kept.assign(n_cells=n_cells).sort_values(["rank", "repeat"])


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each metric, with a bar for each term.

    A term is a choice or a pair of choices. Points on the bar show the repeats; a number beside it is the range of the
    marginal means.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: the metrics of this figure compare clusters with labels.")
        metrics = list(dict.fromkeys(table["metric"]))
        across = 1 if figure["width"] < NARROW_BELOW_MM else len(metrics)
        rows = table["term"].nunique()
        made = canvas(figure, (len(metrics) // across) * (ROW * rows + 14) + 12)
        axes = made.subplots(len(metrics) // across, across, squeeze=False).ravel()
        for ax, metric in zip(axes, metrics, strict=True):
            _draw_metric(ax, table[table["metric"] == metric], colours(style))
        cells = f"{n_in_words(inputs, metrics)}, {table['n_cells'].iloc[0]} cells, full product"
        repeats = over_repeats(table["repeat"].nunique())
        what = f"bars: {repeats}; points: repeats; numbers: range of the marginal means; grey: pairs of choices"
        note(made, f"{cells}; {what}. Functional ANOVA (Hutter et al. 2014).", style)
    return made


def _draw_metric(ax: Axes, table: pd.DataFrame, palette: Sequence[str]) -> None:
    terms = table.drop_duplicates("term").reset_index(drop=True)
    y = np.arange(len(terms))
    colour = [palette[0] if order == 1 else FAINT for order in terms["order"]]
    ax.barh(y, terms["mean"], 0.7, xerr=terms["sd"].fillna(0), color=colour, alpha=0.55, error_kw={"linewidth": 0.8})
    place = table["term"].map({term: i for i, term in enumerate(terms["term"])})
    ax.scatter(table["share"], place, 5, "white", edgecolors="#555555", linewidths=0.5, zorder=3)
    percent = METRICS[table["metric"].iloc[0]].percent
    highest = table.groupby("term")["share"].max()[terms["term"]].to_numpy()
    right = np.maximum(terms["mean"] + terms["sd"].fillna(0), highest)
    for place_of_term, (end, span) in enumerate(zip(right, terms["span_mean"], strict=True)):
        text = f"{span:.1f} points" if percent else f"{span:.2f}"
        ax.annotate(text, (end, place_of_term), (4, 0), textcoords="offset points", va="center", size="small")
    ax.set_yticks(y, [term_in_words(term) for term in terms["term"]])
    ax.set(ylim=(len(terms) - 0.5, -0.5), xlim=(0, 1.28 * right.max()), xlabel="Share of the variance (%)")
    ax.set_title(METRICS[table["metric"].iloc[0]].title)
    ax.grid(axis="x")
