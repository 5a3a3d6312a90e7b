"""Plot the learning curves of autoencoders: the error after each epoch of each phase of the training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from workflow_scripts.figures.canvas import canvas, panels, panels_of
from workflow_scripts.figures.colours import FAINT, colours
from workflow_scripts.figures.legends import legend_below
from workflow_scripts.figures.names import n_in_words
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io import store


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the learning curves of each autoencoder.

    Returns
    -------
    DataFrame with one row per autoencoder, phase and epoch:

    - `series`, `architecture`: name of the cell, and layers of the autoencoder.
    - `phase`, `number`: name and number of the phase, from 0.
    - `epoch`: number within the phase; 0 before the first epoch.
    - `step`: epochs since the start of the training.
    - `training`, `stopping`: error on the training images, and on held-out images that decide when the phase ends. It
      is the mean squared reconstruction error of the layers that the phase trains; the features have mean variance 1.
    """
    tables = []
    names = cell_names(cells, axes_of("decomposed"))
    for name, path in zip(names, inputs["decomposed"], strict=True):
        with store.reading(path) as file:
            number, epoch, training, stopping = file["curves"][:].T
            phases = [next(iter(phase)) for phase in store.attribute(file, "settings")["phases"]]
            architecture = store.text(file, "architecture")
        rows = {"number": number.astype(int), "epoch": epoch.astype(int), "step": np.cumsum(epoch > 0)}
        rows |= {"training": training, "stopping": stopping}
        named = [phases[i] for i in rows["number"]]
        tables.append(pd.DataFrame(rows).assign(series=name, architecture=architecture, phase=named))
    return pd.concat(tables, ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each autoencoder. Each phase of the training has its name and begins at a vertical line."""
    names = list(dict.fromkeys(table["series"]))
    down, across = panels_of(len(names), figure)
    first, second = colours(style)[:2]
    with theme(style):
        made = canvas(figure, 45 * down + 10)
        for ax, name in zip(panels(made, len(names), figure), names, strict=True):
            series_rows = table[table["series"] == name]
            _draw_panel(ax, series_rows, first, second, style)
            title = f"{name}: {series_rows['architecture'].iloc[0]}"
            ax.set_title(wrapped(title, figure["width"] / across - 15, style["font_size"]))
        handles = {"training": Line2D([], [], color=first), "held out (ends a phase)": Line2D([], [], color=second)}
        legend_below(made, handles, style, f"{n_in_words(inputs)}; the features have a mean variance of 1.")
    return made


def _draw_panel(ax: Axes, table: pd.DataFrame, first: str, second: str, style: Mapping[str, Any]) -> None:
    for number, phase_rows in table.groupby("number"):
        ax.plot(phase_rows["step"], phase_rows["training"], color=first)
        ax.plot(phase_rows["step"], phase_rows["stopping"], color=second)
        start = phase_rows["step"].iloc[0]
        if number:
            ax.axvline(start, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)))
        where: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "va": "bottom", "size": small(style)}
        ax.text(start + 0.01 * table["step"].max(), 0.02, phase_rows["phase"].iloc[0], color=FAINT, **where)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="Epochs", ylabel="Mean squared error", xlim=(0, table["step"].max()))
