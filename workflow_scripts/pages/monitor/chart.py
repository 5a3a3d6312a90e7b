"""Draw control charts: novelty, brightness and sharpness of new images and their batches, beside the known images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from workflow_scripts.figures.canvas import canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.legends import legend_above
from workflow_scripts.figures.saving import save
from workflow_scripts.figures.theme import theme
from workflow_scripts.models.control_chart import alarms_of
from workflow_scripts.models.monitored_images import CHARTS
from workflow_scripts.wording import percent

SIZE = {"width": 180, "height": None, "title": ""}
CENTRAL = (0.05, 0.95)
"""Quantiles of the known images; the band of a chart lies between them."""
TITLES = {
    "novelty": "Novelty (1: threshold of outliers)",
    "brightness": "Brightness (share of the range)",
    "sharpness": "Sharpness",
}


def write_charts(
    chart: pd.DataFrame,
    images: pd.DataFrame,
    known: pd.DataFrame,
    rate: float,
    style: Mapping[str, Any],
    svg_path: str,
    png_path: str,
) -> None:
    """Write the control charts of batches of new images as SVG and PNG, with a panel for each of `CHARTS`.

    Parameters
    ----------
    chart : one row per batch, from `models.control_chart`.
    images : one row per new image, with its batch.
    known : the known images, which the batches are compared with.
    rate : rate of false alarms of each chart, in (0, 1).
    style : settings of the look of figures.
    svg_path, png_path : paths of the files to write.
    """
    with theme(style):
        empty = placeholder(SIZE, "No batch is full yet.") if chart.empty else None
        made = empty or _figure(chart, images, known, rate, style)
    save(made, svg_path, png_path, style)


def _figure(
    chart: pd.DataFrame, images: pd.DataFrame, known: pd.DataFrame, rate: float, style: Mapping[str, Any]
) -> Figure:
    tested = images[images["batch"].isin(chart["batch"])]
    made = canvas(SIZE, 42 * len(CHARTS) + 22)
    red = colours(style)[2]
    for ax, name in zip(made.subplots(len(CHARTS), 1, sharex=True), CHARTS, strict=True):
        _panel(ax, name, chart, tested, known[name].to_numpy(), red)
    low, high = chart["images"].min(), chart["images"].max()
    ax.set_xlabel(f"Batch of {low} images" if low == high else f"Batch of {low} to {high} images")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(made, _legend(red), style)
    compared = f"{len(known)} known images"
    if "group" in known:
        compared = f"{known['group'].nunique()} known groups, by the means of their images,"
    words = (
        f"Alarm: a batch that differs from the {compared} with p of at most {rate:g} in an exact permutation test. By "
        f"chance, {percent(rate)} of all batches of known images have one, in each chart."
    )
    note(made, words, style)
    return made


def _panel(ax: Axes, name: str, chart: pd.DataFrame, tested: pd.DataFrame, known: np.ndarray, red: str) -> None:
    low, middle, high = np.quantile(known, [CENTRAL[0], 0.5, CENTRAL[1]])
    ax.axhspan(low, high, color=PALE, alpha=0.5, linewidth=0)
    ax.axhline(middle, color=FAINT, linewidth=0.8)
    batches = chart["batch"].to_numpy()
    places = [number + np.linspace(-0.3, 0.3, n) for number, n in zip(batches, chart["images"], strict=True)]
    ax.plot(np.concatenate(places), tested[name], ".", color=FAINT, markersize=2, rasterized=True)
    ax.plot(batches, chart[name], color=INK, marker="o", markersize=3)
    alarms = alarms_of(name, chart)
    ax.plot(batches[alarms], chart[name][alarms], "o", color=red, markersize=6)
    ax.set_title(TITLES[name])
    ax.set_xlim(0.4, len(batches) + 0.6)
    if name == "novelty":
        ax.axhline(1, color=red, linewidth=0.8, linestyle="--")


def _legend(red: str) -> dict[str, Line2D]:
    return {
        "Median of the batch": Line2D([], [], color=INK, marker="o", markersize=3),
        "Alarm": Line2D([], [], linestyle="", color=red, marker="o", markersize=6),
        "An image": Line2D([], [], linestyle="", color=FAINT, marker=".", markersize=4),
        "Known images: median, and nine of ten": Line2D([], [], color=PALE, linewidth=6),
    }
