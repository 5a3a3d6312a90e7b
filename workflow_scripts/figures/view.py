"""Draw maps of three dimensions on the page from a fixed direction, without perspective."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workflow_scripts.figures.colours import FAINT, INK

_AZIMUTH, _ELEVATION = np.radians((-60, 25))  # where the viewer is, in the convention of matplotlib's 3-D axes
_SIDE, _HEIGHT = ((np.sin(angle), np.cos(angle)) for angle in (_AZIMUTH, _ELEVATION))
VIEW = np.array(
    [
        (-_SIDE[0], _SIDE[1], 0),
        (-_HEIGHT[0] * _SIDE[1], -_HEIGHT[0] * _SIDE[0], _HEIGHT[1]),
        (_HEIGHT[1] * _SIDE[1], _HEIGHT[1] * _SIDE[0], _HEIGHT[0]),
    ]
)
"""Three unit vectors in the coordinates of a map: to the right on the page, up on the page, and towards the viewer."""
_NAMED: tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ((0, 0, 0), (1, 0, 0), {"ha": "right", "va": "top"}),
    ((1, 0, 0), (1, 1, 0), {"ha": "left", "va": "top"}),
    ((0, 0, 0), (0, 0, 1), {"ha": "right", "va": "center", "rotation": 90}),
)  # edges of the box, by their corners, that carry the names of the axes


def on_page(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a map with the places on the page as `x, y`; for a map of three dimensions also `depth`.

    `depth` is larger for images nearer to the viewer. The table of a map of two dimensions is returned as it is.
    """
    if "z" not in table or table["z"].isna().all():
        return table
    x, y, depth = (table[["x", "y", "z"]].to_numpy(float) @ VIEW.T).T
    return table.assign(x=x, y=y, depth=depth)


def draw_box(ax: Axes, table: pd.DataFrame, name: str) -> None:
    """Draw the edges of a box around the points of `table`, a map of three dimensions from `on_page`.

    Three of the edges get `name` and a number as the names of the map's axes.
    """
    points = table[["x", "y", "depth"]].to_numpy() @ VIEW
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    corners = {corner: (low + span * corner) @ VIEW[:2].T for corner in product((0, 1), repeat=3)}
    for start, end in product(corners, repeat=2):
        if start < end and sum(np.not_equal(start, end)) == 1:
            ax.plot(*np.transpose([corners[start], corners[end]]), color=FAINT, linewidth=0.4, zorder=0)
    for number, (start, end, how) in enumerate(_NAMED, 1):
        x, y = (corners[start] + corners[end]) / 2
        ax.text(x, y, f" {name} {number} ", color=INK, **how)
