"""Saving of figures with reproducible bytes."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from workflow_scripts.figures.fonts import NO_FONT, has_boxes
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.store import replacing
from workflow_scripts.runlog import NOTICE, log

PASSES = 3
"""Largest number of layout passes: the sizes of panels and the ticks depend on each other, so one is not enough."""


def _lay_out(made: Figure) -> None:
    """Repeat the layout until the panels stay where they are, and fix their rounded positions.

    The layout solver adds in the order of memory addresses, so the last bits vary; names in an SVG are hashes of
    positions.
    """
    positions = _positions(made)
    for _ in range(PASSES):
        made.draw_without_rendering()
        before, positions = positions, _positions(made)
        if np.array_equal(before, positions):
            break
    made.set_layout_engine("none")
    for ax, corners in zip(made.axes, positions, strict=True):
        ax.set_position(Bbox(corners))


def _positions(made: Figure) -> np.ndarray:
    """Return the corners of every panel, (A, 2, 2), rounded."""
    corners = [ax.get_position(original=True).get_points() for ax in made.axes]
    return np.array(corners).round(6)


def save(made: Figure, svg_path: str | Path, png_path: str | Path, style: Mapping[str, Any]) -> None:
    """Write the figure as SVG and PNG; the same figure always gives the same bytes."""
    undated = {"svg": {"Date": None}, "png": {"Software": None}}
    with ExitStack() as stack:
        stack.enter_context(theme(style))
        _lay_out(made)
        for kind, path in (("svg", svg_path), ("png", png_path)):
            temporary = stack.enter_context(replacing(path))
            made.savefig(temporary, format=kind, dpi=style["dpi"], metadata=undated[kind])
        if has_boxes(made, style):
            log.log(NOTICE, NO_FONT)
