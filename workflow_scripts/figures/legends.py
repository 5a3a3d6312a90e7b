"""Draw legends, and compute the room that they need."""

from collections.abc import Collection, Iterable, Mapping
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from workflow_scripts.figures.canvas import width_of
from workflow_scripts.figures.colours import NOBODY, Look
from workflow_scripts.figures.texts import short_names, text_width
from workflow_scripts.figures.theme import small

LINE_MM = 4
"""Height of a line of a legend in millimetres."""
MOST_ENTRIES = 90
"""Largest number of entries of a legend."""


def dot(look: Look) -> Line2D:
    """Return a legend entry for points with this look."""
    return Line2D([], [], linestyle="", marker=look.marker, color=look.colour, markersize=4)


def frame(look: Look) -> Line2D:
    """Return a legend entry for frames around images in the colour of this look."""
    return Line2D([], [], linestyle="", marker="s", markerfacecolor="none", color=look.colour, markersize=5)


def columns_within(width: float, names: Iterable[str], style: Mapping[str, Any]) -> int:
    """Return how many columns of a legend with these names fit into `width` mm."""
    return max(1, int(width / (max(text_width(name, small(style)) for name in names) + 8)))


def legend_lines(names: Collection[str], width: float, style: Mapping[str, Any]) -> int:
    """Return the number of lines of a legend with these names below a figure of `width` mm."""
    shown = list(names)[: MOST_ENTRIES + 1]
    return ceil(len(shown) / columns_within(width, shown, style))


def _capped(handles: Mapping[str, Line2D]) -> dict[str, Line2D]:
    """Return the first `MOST_ENTRIES` entries of a legend, by name.

    If there are more, a last entry says how many were left out. The pale entries of noise and of images without a label
    are always kept. They come at the end.
    """
    last = {name: handle for name, handle in handles.items() if handle.get_color() == NOBODY.colour}
    first = {name: handle for name, handle in handles.items() if name not in last}
    if len(first) > MOST_ENTRIES:
        first = dict(list(first.items())[:MOST_ENTRIES]) | {
            f"and {len(first) - MOST_ENTRIES} more": Line2D([], [], linestyle="")
        }
    return first | last


def legend_below(
    made: Figure, handles: Mapping[str, Line2D], style: Mapping[str, Any], title: str | None = None
) -> None:
    """Draw a legend below the panels, in as many columns as fit into the figure's width."""
    handles = _capped(handles)
    columns = columns_within(width_of(made), handles, style)
    made.legend(list(handles.values()), list(handles), title=title, loc="outside lower center", ncols=columns)


def legend_above(made: Figure, handles: Mapping[str, Line2D], style: Mapping[str, Any]) -> None:
    """Draw a legend above the panels of a figure that has a note below them.

    The title of the figure becomes that of the legend, because the layout has no room for both.
    """
    handles = _capped(handles)
    columns = columns_within(width_of(made), handles, style)
    title = made.get_suptitle()
    if title:
        made.suptitle("")
    size = 1.15 * style["font_size"]
    made.legend(
        list(handles.values()), list(handles), loc="outside upper left", ncols=columns, title=title or None,
        title_fontsize=size, alignment="left",
    )  # fmt: skip


def legend_beside(made: Figure, handles: Mapping[str, Line2D], style: Mapping[str, Any]) -> None:
    """Draw a legend to the right of the panels, in as many columns as the figure's height requires."""
    handles = _capped(handles)
    rows = made.get_size_inches()[1] * 72 / (1.6 * small(style)) - 1
    columns = ceil(len(handles) / max(rows, 1))
    made.legend(list(handles.values()), list(handles), loc="outside right center", ncols=columns)


def panel_legend(ax: Axes, handles: Mapping[str, Line2D], columns: int) -> None:
    """Draw a legend above a panel, outside its frame."""
    where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderpad": 0}
    ax.legend(list(handles.values()), list(handles), ncols=columns, **where)


def frame_legend(made: Figure, by_class: Mapping[str, Look], style: Mapping[str, Any]) -> None:
    """Draw a legend for the colours of the frames above the images, if there are classes."""
    if by_class:
        short = short_names(by_class)
        legend_above(made, {short[name]: frame(look) for name, look in by_class.items()}, style)


def frame_legend_height(by_class: Collection[str], width: float, style: Mapping[str, Any]) -> float:
    """Return the height in millimetres of the legend of `frame_legend` above a figure of `width` mm."""
    return LINE_MM * legend_lines(short_names(by_class).values(), width, style) + 1 if by_class else 0
