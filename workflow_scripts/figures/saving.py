"""Save figures so that the same figure always has the same bytes."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from workflow_scripts.figures.fonts import NO_FONT, available, has_missing_glyphs
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.files import replacing
from workflow_scripts.runlog import NOTICE, log

PASSES = 3
"""Largest number of times that the layout is computed. Sizes of panels and ticks depend on each other: once is too
few."""


def _lay_out(made: Figure) -> None:
    """Repeat the layout until the panels stay where they are, and fix their rounded positions.

    The layout solver adds numbers in the order of memory addresses, so their last bits vary from run to run. Ids in an
    SVG are hashes of positions, so they would vary too.
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
    """Return the corners of each of the A panels, (A, 2, 2) float64, rounded to six decimals."""
    corners = [ax.get_position(original=True).get_points() for ax in made.axes]
    return np.array(corners).round(6)


def save(made: Figure, svg_path: str | Path, png_path: str | Path, style: Mapping[str, Any]) -> None:
    """Write the figure as SVG and PNG, and log a notice if the font, or a font for a character, is not installed."""
    undated = {"svg": {"Date": None}, "png": {"Software": None}}
    with ExitStack() as stack:
        stack.enter_context(theme(style))
        _lay_out(made)
        for kind, path in (("svg", svg_path), ("png", png_path)):
            temporary = stack.enter_context(replacing(path))
            made.savefig(temporary, format=kind, dpi=style["dpi"], metadata=undated[kind])
        if has_missing_glyphs(made, style):
            log.log(NOTICE, NO_FONT)
        if (font := available(style["font"])) != style["font"]:
            log.log(NOTICE, "style.font: found %r, which is not installed; figures are in %s", style["font"], font)
