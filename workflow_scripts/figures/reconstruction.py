"""Compare the reconstruction error of autoencoders on held-out images with that of a PCA with as many components."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from workflow_scripts.figures.canvas import canvas, panels, panels_of
from workflow_scripts.figures.colours import FAINT, INK, colours
from workflow_scripts.figures.legends import legend_below
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io import store
from workflow_scripts.wording import count

ROW = 5.0
"""Height of a row in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the held-out reconstruction error of each autoencoder, and of a PCA with as many components.

    Returns
    -------
    DataFrame with one row per set of features and autoencoder, sorted by features, number of codes and error:

    - `series`: name of the features.
    - `decomposition`, `architecture`: name and layers of the autoencoder.
    - `n_codes`: number of its codes, which are its components.
    - `error`, `error_se`: mean squared error over images and features, and its standard error over the images.
    - `pca_error`, `pca_error_se`: the same for the PCA.
    - `variance`: variance of the held-out images about the mean of the training images.
    - `share`, `share_se`, `pca_share`, `pca_share_se`: the errors in percent of this variance.
    - `n_judging`, `epochs`: number of held-out images, and number of epochs of the training.
    - `best`: whether the error is the lowest for these features and this number of codes.
    """
    rows = []
    names = cell_names(cells, axes_of("features"))
    for name, cell, path in zip(names, cells, inputs["decomposed"], strict=True):
        with store.reading(path) as file:
            errors = {prefix: file.attrs[f"{prefix}reconstruction_error"] for prefix in ("", "pca_")}
            spread = {prefix: file.attrs[f"{prefix}reconstruction_error_se"] for prefix in ("", "pca_")}
            variance = file.attrs["variance"]
            row = {"series": name, "decomposition": cell["decomposition"], "variance": variance}
            row |= {"architecture": store.text(file, "architecture"), "n_judging": file.attrs["n_judging"]}
            row |= {"n_codes": file["scores"].shape[1], "epochs": np.count_nonzero(file["curves"][:, 1])}
        for prefix in ("", "pca_"):
            row |= {f"{prefix}error": errors[prefix], f"{prefix}error_se": spread[prefix]}
            shares = {f"{prefix}share": errors[prefix], f"{prefix}share_se": spread[prefix]}
            row |= {key: 100 * value / variance for key, value in shares.items()}
        rows.append(row)
    table = pd.DataFrame(rows).sort_values(["series", "n_codes", "error"], kind="stable", ignore_index=True)
    return table.assign(best=~table.duplicated(["series", "n_codes"]))


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a panel for each set of features and a row for each autoencoder, grouped by the number of codes."""
    names = list(dict.fromkeys(table["series"]))
    with theme(style):
        down, across = panels_of(len(names), figure)
        most = table["series"].value_counts().max() + table.groupby("series")["n_codes"].nunique().max()
        made = canvas(figure, down * (ROW * most + 14) + 13)
        for ax, name in zip(panels(made, len(names), figure), names, strict=True):
            series_rows = table[table["series"] == name]
            _draw_panel(ax, series_rows, style)
            title = f"{name}, {count(series_rows['n_judging'].iloc[0], 'image')} held out"
            ax.set_title(wrapped(title, figure["width"] / across - 35, style["font_size"]))
        how: dict[str, Any] = {"linestyle": "", "markersize": 4.5}
        first, second = colours(style)[:2]
        handles = {
            "autoencoder": Line2D([], [], marker="o", color=first, **how),
            "best for its number of codes": Line2D([], [], marker="*", color=first, **{**how, "markersize": 8}),
            "PCA, as many components": Line2D([], [], marker="D", color=second, markerfacecolor="white", **how),
        }
        legend_below(made, handles, style, "Bars: \N{PLUS-MINUS SIGN} standard error over the held-out images.")
    return made


def _draw_panel(ax: Axes, table: pd.DataFrame, style: Mapping[str, Any]) -> None:
    place, ticks = 0.0, []
    twice = set(table.loc[table.duplicated("architecture"), "architecture"])
    first, second = colours(style)[:2]
    for n_codes, rows in table.groupby("n_codes"):
        ax.text(0.01, place, count(n_codes, "code"), transform=ax.get_yaxis_transform(), va="center", color=FAINT)
        for row in rows.itertuples():
            place += 1
            name = f"{row.architecture} ({row.decomposition})" if row.architecture in twice else row.architecture
            ticks.append((place, name, row.best))
            pca: dict[str, Any] = {"marker": "D", "markersize": 4, "markerfacecolor": "white", "color": second}
            ax.errorbar(row.pca_share, place, xerr=row.pca_share_se, elinewidth=0.7, **pca)
            marker: dict[str, Any] = {"marker": "*", "markersize": 8} if row.best else {"marker": "o", "markersize": 4}
            ax.errorbar(row.share, place, xerr=row.share_se, color=first, elinewidth=0.7, **marker)
        place += 1
    ax.set_yticks([tick[0] for tick in ticks], [tick[1] for tick in ticks])
    for label, (_, _, best) in zip(ax.get_yticklabels(), ticks, strict=True):
        label.set(fontweight="bold" if best else "normal", color=INK)
    ax.set(xlim=(0, None), ylim=(place, -0.7), xlabel="Variance not reconstructed\u00a0(%)")
    ax.grid(axis="x")
