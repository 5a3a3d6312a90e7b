"""Choose the ticks of axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter


def log_scale(ax: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic for values from `low` to `high`.

    Ticks are at 1, 10, 100, ...; if the range is smaller than a factor of 100, also at 2, 5, 20, ...
    """
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def far_apart(places: Sequence[float], sizes: Sequence[float], apart: float) -> list[int]:
    """Return the indices, ascending, of places that are at least `apart` from each other.

    Of two places that are nearer, the one with the larger of `sizes` is kept.
    """
    kept: list[int] = []
    for i in np.argsort(-np.asarray(sizes), kind="stable").tolist():
        if all(abs(places[i] - places[j]) >= apart for j in kept):
            kept.append(i)
    return sorted(kept)
