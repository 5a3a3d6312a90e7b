"""Measure and break texts, and shorten names."""

import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.textpath import TextPath

MM_PER_INCH = 25.4
"""Millimetres in an inch; matplotlib measures figures in inches."""
POINTS_PER_MM = 72 / MM_PER_INCH
"""Points (the unit of font sizes) per millimetre."""
LEAST_END = 6
"""Number of characters at the end of a cell's name that always stay."""


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


def names_of_width(names: Iterable[str], width: float, size: float, length: int = 20) -> dict[str, str]:
    """Return each name cut to `width` mm for a font of `size` points, and to at most `length` characters.

    Different names stay different. Names keep six characters, even if these are wider.
    """
    unique = list(dict.fromkeys(names))
    for most in range(length, 5, -1):
        short = short_names(unique, most)
        if all(text_width(name, size) <= width for name in short.values()):
            break
    return short


def _without_middle(name: str, length: int) -> str:
    head = (length - 1) // 2
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length :]}"


def short_cell_names(names: Iterable[str], length: int) -> dict[str, str]:
    """Return each name cut to about `length` characters, so that different names stay different.

    Names that are too long lose their middle, because the end of a cell's name is its clusterer. If some would become
    equal, only these lose their beginning instead: they keep the words in which they differ, and their end.
    """
    unique = list(dict.fromkeys(names))
    alike: dict[str, list[str]] = {}
    for name in unique:
        alike.setdefault(_with_more_of_the_end(name, length), []).append(name)
    short: dict[str, str] = {}
    for text, equal in alike.items():
        short |= {equal[0]: text} if len(equal) == 1 else _with_what_differs(equal, length)
    return short if len(set(short.values())) == len(unique) else short_names(unique, length)


def _with_more_of_the_end(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: length // 3]}…{name[-(length - length // 3 - 1) :]}"


def _with_what_differs(names: Sequence[str], length: int) -> dict[str, str]:
    """Return for each name the words that not all of the names have, and as much of its end as fits."""
    words = [name.split(" ") for name in names]
    common = set(words[0]).intersection(*words)
    differing = [" ".join(word for word in of_name if word not in common) for of_name in words]
    short = short_names(differing, max(3, length - LEAST_END - 2))
    parts = [short[part].rstrip("…") for part in differing]
    ends = [name[-max(LEAST_END, length - len(part) - 2) :] for name, part in zip(names, parts, strict=True)]
    return {name: f"…{part}…{end}" for name, part, end in zip(names, parts, ends, strict=True)}
