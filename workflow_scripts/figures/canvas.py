"""Make empty figures of the right size, and write notes and placeholders on them."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from workflow_scripts.figures.colours import INK
from workflow_scripts.figures.texts import MM_PER_INCH, wrapped
from workflow_scripts.figures.theme import small

TITLE_MM = 5
"""Height of a figure's title in millimetres."""
NARROW_BELOW_MM = 120
"""Width in millimetres below which a figure puts its panels below each other; one column of a journal is narrower."""


def canvas(figure: Mapping[str, Any], height: float) -> Figure:
    """Return an empty figure with the title and the size of the settings.

    If the settings give no height, the figure is `height` mm high, and higher by `TITLE_MM` if it has a title.
    """
    above = TITLE_MM if figure["title"] else 0
    size = (figure["width"] / MM_PER_INCH, (figure["height"] or height + above) / MM_PER_INCH)
    made = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02))
    if figure["title"]:
        made.suptitle(figure["title"], x=0.01, ha="left")
    return made


def panels_of(n: int, figure: Mapping[str, Any]) -> tuple[int, int]:
    """Return the number of rows and the number of columns of n panels: two columns at most, one in a narrow figure."""
    columns = min(n, 1 if figure["width"] < NARROW_BELOW_MM else 2)
    return ceil(n / columns), columns


def panels(made: Figure, n: int, figure: Mapping[str, Any], **options: Any) -> Sequence[Axes]:
    """Return the axes of n panels on a figure, in the rows and columns of `panels_of`, from left to right.

    If the last row has room for another panel, this place stays empty. `options` are those of `Figure.subplots`.
    """
    axes = made.subplots(*panels_of(n, figure), squeeze=False, **options).ravel()
    for ax in axes[n:]:
        ax.axis("off")
    return axes[:n]


def placeholder(figure: Mapping[str, Any], sentence: str) -> Figure:
    """Return a figure with one sentence that says why the figure cannot be drawn."""
    made = canvas(figure, height=25)
    size = mpl.rcParams["font.size"]
    made.text(0.5, 0.45, wrapped(sentence, figure["width"] - 6, size), ha="center", va="center", color=INK)
    return made


def note(made: Figure, text: str, style: Mapping[str, Any]) -> None:
    """Write a sentence below the panels, wrapped to the width of the figure."""
    lines = wrapped(text, width_of(made) - 4, small(style))
    made.supxlabel(lines, x=0.01, ha="left", size=small(style), color=INK, linespacing=1.3)


def width_of(made: Figure) -> float:
    """Return the width of the figure in millimetres."""
    return made.get_size_inches()[0] * MM_PER_INCH
