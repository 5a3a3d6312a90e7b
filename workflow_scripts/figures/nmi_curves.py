"""Plot normalised mutual information (NMI) against the number of clusters, with reference curves.

Values are means over the repeats, which are clusterings with different seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from workflow_scripts.figures.canvas import canvas, panels, panels_of, placeholder
from workflow_scripts.figures.colours import FAINT, INK, looks
from workflow_scripts.figures.legends import legend_below
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.figures.ticks import log_scale
from workflow_scripts.grid.axes import K_TITLE, axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import best_of_repeats
from workflow_scripts.metrics.reference_curves import CURVES, reference_curves
from workflow_scripts.wording import count

REFERENCES = {"refinement": "labels, refined", "random": "random labels", "orthogonal": "orthogonal to the labels"}
"""The names of the reference curves in the figure."""
POINT: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 3.5, "fillstyle": "none", "markeredgewidth": 1.1}
DASHES = {"refinement": (0, (5, 1.5)), "random": (0, (1, 1.2)), "orthogonal": (0, (5, 1.5, 1, 1.5))}


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the NMI with the labels (geometric mean) of every clusterer at each k, and of the reference curves.

    If a repeat stores all its restarts, the one with the lowest inertia is used. The reference curves use the same
    labels as the scores: for a fine-tuned network only those of images that it was not trained on.

    Returns
    -------
    DataFrame with one row per panel, curve and k; empty without labels:

    - `panel`: name of the points (features and reduction).
    - `curve`, `is_reference`: a clusterer, or one of `reference_curves.CURVES`.
    - `k`, `finds_k`: number of clusters, and whether the clusterer found it itself; it is then the mean over the
      repeats.
    - `nmi`, `sd`: mean and standard deviation (ddof 1) over the repeats; for the random curve over its draws.
    - `n`, `n_labels`: numbers of labelled images and of different labels.
    """
    panels, readers = pd.Series(cell_names(cells, axes_of("points"))), OneCell.each(cells, inputs)
    tables = []
    for panel, places in panels.groupby(panels, sort=False).groups.items():
        curves = pd.concat([_clusterer(readers[i]) for i in places])
        labels = readers[places[0]].labels()
        labels = labels[labels != ""].astype(str)
        ks = curves.loc[~curves["finds_k"], "k"].astype(int)
        own_ks = curves.loc[curves["finds_k"], "k"].round().astype(int)
        references = reference_curves(labels, [*ks, *own_ks], draws=figure["draws"]).assign(is_reference=True)
        both = pd.concat([curves, references.assign(finds_k=False)], ignore_index=True)
        tables.append(both.assign(panel=panel, n=len(labels), n_labels=len(np.unique(labels))))
    columns = ["panel", "curve", "is_reference", "finds_k", "k", "nmi", "sd", "n", "n_labels"]
    return pd.concat(tables, ignore_index=True)[columns].dropna(subset=["nmi"]).reset_index(drop=True)


def _clusterer(cell: OneCell) -> pd.DataFrame:
    means = (
        best_of_repeats(cell.scores())
        .groupby("k", dropna=False)
        .agg(nmi=("nmi_geometric", "mean"), sd=("nmi_geometric", "std"), own_k=("n_clusters", "mean"))
    )
    curve = means.reset_index().assign(curve=cell["clusterer"], is_reference=False, finds_k=means.index.isna())
    return curve.assign(k=curve["k"].astype(float).fillna(curve["own_k"].astype(float))).drop(columns="own_k")


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each set of points, with a line for each clusterer in front of the reference curves."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: mutual information compares clusters with labels.")
        if (table["n_labels"] < 2).all():
            return placeholder(figure, "All labels are of one class: there is no information to share with clusters.")
        names = list(dict.fromkeys(table["panel"]))
        down, across = panels_of(len(names), figure)
        made = canvas(figure, 58 * down + 22)
        axes = panels(made, len(names), figure, sharex=True, sharey=True)
        clusterers = list(dict.fromkeys(table.loc[~table["is_reference"], "curve"]))
        colours = {name: look.colour for name, look in looks(clusterers, style).items()}
        for ax, name in zip(axes, names, strict=True):
            _draw_panel(ax, table[table["panel"] == name], colours)
            ax.set_title(wrapped(name, 0.8 * figure["width"] / across, style["font_size"]))
            ax.set_xlabel(K_TITLE)
            ax.xaxis.set_tick_params(labelbottom=True)
        for ax in axes[::across]:
            ax.set_ylabel("NMI with the labels\n(geometric mean)")
        alone = _alone(table)
        entries = {
            name: Line2D([], [], color=colour, **(POINT if name in alone else {})) for name, colour in colours.items()
        }
        entries |= {REFERENCES[name]: Line2D([], [], color=INK, linestyle=DASHES[name]) for name in CURVES}
        legend_below(made, entries, style, wrapped(_explanation(table), figure["width"] - 4, small(style)))
    return made


def _draw_panel(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> None:
    for name in CURVES:
        curve = table[table["is_reference"] & (table["curve"] == name)].sort_values("k")
        ax.fill_between(
            curve["k"], curve["nmi"] - curve["sd"], curve["nmi"] + curve["sd"], color=FAINT, alpha=0.4, linewidth=0
        )
        ax.plot(curve["k"], curve["nmi"], color=INK, linestyle=DASHES[name], linewidth=0.9)
    ks = table.loc[~table["finds_k"], "k"]
    many = ks.max() > 10 * ks.min()
    for name, colour in colours.items():
        curve = table[~table["is_reference"] & (table["curve"] == name)].sort_values("k")
        alone = bool(curve["finds_k"].any()) or len(curve) < 10
        ax.fill_between(
            curve["k"], curve["nmi"] - curve["sd"], curve["nmi"] + curve["sd"], color=colour, alpha=0.2, linewidth=0
        )
        ax.plot(curve["k"], curve["nmi"], color=colour)
        if alone:
            ax.plot(curve["k"], curve["nmi"], color=colour, zorder=3, **POINT)  # on top of lines, and hiding no other
    if many:
        log_scale(ax, ks.min(), ks.max())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(0, 1.02)
    ax.grid(axis="y")


def _explanation(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    points = " A single point: the only k, given or found by the clusterer." if _alone(table) else ""
    return f"n = {first['n']} labelled images of {count(first['n_labels'], 'class', 'classes')}; bands: ± sd.{points}"


def _alone(table: pd.DataFrame) -> set[str]:
    """Return the names of the clusterers that have only one k, so that a point is drawn and not a curve."""
    sizes = table[~table["is_reference"]].groupby(["panel", "curve"]).size().groupby("curve").max()
    return set(sizes.index[sizes == 1])
