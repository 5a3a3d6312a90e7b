"""Measure and break texts, and shorten names."""

import textwrap
from collections.abc import Iterable

import numpy as np
from matplotlib.textpath import TextPath

MM_PER_INCH = 25.4
"""Millimetres in an inch; matplotlib measures figures in inches."""
POINTS_PER_MM = 72 / MM_PER_INCH
"""Points (the unit of font sizes) per millimetre."""


def wrapped(text: str, width: float, size: float) -> str:
    """Return `text` broken into lines of at most `width` mm, for a font of `size` points."""
    length = max(10, int(len(text) * width / max(text_width(text, size), 1)))
    lines = textwrap.wrap(text, length)
    while length > 10 and max((text_width(line, size) for line in lines), default=0) > width:
        length -= 1
        lines = textwrap.wrap(text, length)
    return "\n".join(lines)


def text_width(text: str, size: float) -> float:
    """Return the width in millimetres of one line of `text` at `size` points in the font of the theme."""
    if not text.strip():
        return 0.0
    outline = TextPath((0, 0), text, size=size)
    # glyphs have a point wherever they are widest, so their curves need not be searched, which takes ten times as long
    return float(np.ptp(outline.vertices[outline.codes != TextPath.CLOSEPOLY, 0])) / POINTS_PER_MM


def shortened(name: str, length: int = 20) -> str:
    """Return a name cut to at most `length` characters."""
    return name if len(name) <= length else name[: length - 1] + "…"


def short_names(names: Iterable[str], length: int = 20) -> dict[str, str]:
    """Return each name cut to at most `length` characters, so that different names stay different.

    Names that begin alike lose their middle instead of their end; if this is not enough, they end with a number.
    """
    unique = list(dict.fromkeys(names))
    for cut in (shortened, _without_middle):
        short = {name: cut(name, length) for name in unique}
        if len(set(short.values())) == len(unique):
            return short
    marks = {name: f"…{number}" for number, name in enumerate(unique, 1) if len(name) > length}
    return {name: name[: length - len(marks[name])] + marks[name] if name in marks else name for name in unique}


def _without_middle(name: str, length: int) -> str:
    head = (length - 1) // 2
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length :]}"
