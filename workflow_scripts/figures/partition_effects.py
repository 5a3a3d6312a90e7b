"""Plot how much of the disagreement between cells each choice explains, without labels.

A cell is one combination of choices. Two cells disagree if they put the same images into different clusters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workflow_scripts.consensus.effects import partition_effects
from workflow_scripts.consensus.levels import levels_of
from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.names import term_in_words
from workflow_scripts.figures.partitions import NO_CELLS_TO_COMPARE, choices_of
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.wording import decimal, in_sentence, listed

ROW = 5.5
"""Height of a row in millimetres."""
SIGNIFICANT = 0.05


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the effects of the choices on the partitions of the cells.

    Returns
    -------
    DataFrame with the columns of `consensus.effects.partition_effects`, and `levels` (number of values of the choice;
    null for pairs of choices), `n_cells` and `n_images`. Only the strongest pairs are kept, as many as the setting
    `pairs` says. Empty if there is only one cell.
    """
    if len(cells) < 2:
        return pd.DataFrame(columns=["term"])
    choices = choices_of(cells)
    agreement, n_images = read_agreement(inputs["agreement"][0], cells)
    table = partition_effects(agreement, choices, n_permutations=figure["n_permutations"], seed=figure["seed"])
    pairs = table[table["order"] == 2].nlargest(figure["pairs"], "share")
    table = pd.concat([table[table["order"] == 1], pairs], ignore_index=True)
    n_levels = {axis: len(levels) for axis, (_, levels) in levels_of(choices).items()}
    table["levels"] = table["term"].map(n_levels).astype("Int64")
    return table.assign(n_cells=len(cells), n_images=n_images)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw two panels: the share of disagreement that each choice explains, and the agreement (ARI) that is lost if
    only this choice changes."""
    with theme(style):
        if table.empty:
            return placeholder(figure, NO_CELLS_TO_COMPARE)
        if table["share"].isna().all():
            return placeholder(figure, "All cells have the same partition: no choice matters.")
        mains = table[table["order"] == 1]
        made = canvas(figure, ROW * len(table) + 28)
        shares, added = made.subplots(1, 2, sharey=True)
        _draw_shares(shares, table, colours(style))
        _draw_added(added, mains)
        shares.set_yticks(range(len(table)), [term_in_words(term) for term in table["term"]])
        shares.set_ylim(len(table) - 0.5, -0.5)
        first = table.iloc[0]
        dark = f"Filled: p < {SIGNIFICANT:g} by permutation" + (
            "; pale: pairs of choices" if len(table) > len(mains) else ""
        )
        what = "Right: ARI lost by a change of this choice alone; grey: what chance gives in 95 % of cases"
        cells = f"{first['n_cells']} cells, n = {first['n_images']} images; no labels are needed"
        note(made, f"{cells}. {dark}. {what}.{_untested(mains)}", style)
    return made


def _untested(mains: pd.DataFrame) -> str:
    """Return a sentence that names the choices for which there are too few cells to be significant; "" if none is."""
    terms = mains.loc[mains["least_p"] >= SIGNIFICANT, "term"]
    names = listed([in_sentence(term_in_words(term)) for term in terms])
    return f" Too few cells for p < {SIGNIFICANT:g}: {names}." if names else ""


def _draw_shares(ax: Axes, table: pd.DataFrame, palette: Sequence[str]) -> None:
    y = np.arange(len(table))
    sure = table["p"] < SIGNIFICANT
    colour = [palette[0] if order == 1 else PALE for order in table["order"]]
    face = [
        c if is_sure or order == 2 else "white" for c, is_sure, order in zip(colour, sure, table["order"], strict=True)
    ]
    ax.barh(y, 100 * table["share"], 0.65, color=face, edgecolor=colour, linewidth=0.8)
    for place, share in enumerate(100 * table["share"]):
        ax.annotate(
            decimal(share, ".0f"), (max(share, 0), place), (4, 0), textcoords="offset points", va="center", size="small"
        )
    ax.set(
        xlabel="Share of the\ndisagreement (%)",
        xlim=(min(0, 100 * table["share"].min()), 115 * table["share"].max() + 1),
    )
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(axis="x")


def _draw_added(ax: Axes, mains: pd.DataFrame) -> None:
    y = np.arange(len(mains))
    ax.hlines(y, mains["chance_low"], mains["chance_high"], PALE, linewidth=5)
    ax.axvline(0, color=FAINT, linewidth=0.6)
    ax.scatter(mains["added"], y, 16, INK, zorder=2)
    ax.set_xlabel("Agreement lost\n(ARI)")
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
