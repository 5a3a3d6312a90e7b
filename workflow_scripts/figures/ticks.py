"""Ticks of axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter


def log_scale(ax: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic, for values from `low` to `high`: numbers at 1, 10, 100, and 2, 5, 20 if few fit."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def fitting(places: Sequence[float], sizes: Sequence[float], apart: float) -> list[int]:
    """Return the indices of `places` that are at least `apart`; of two nearer ones, the one of larger size stays."""
    kept: list[int] = []
    for i in np.argsort(-np.asarray(sizes), kind="stable").tolist():
        if all(abs(places[i] - places[j]) >= apart for j in kept):
            kept.append(i)
    return sorted(kept)
