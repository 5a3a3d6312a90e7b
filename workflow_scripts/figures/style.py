"""Style of all figures: fonts, sizes, colours of classes, layout, and saving with reproducible bytes."""

import textwrap
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from workflow_scripts.io.manifest import classes, read_manifest
from workflow_scripts.io.store import replacing
from workflow_scripts.runlog import NOTICE, log

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
TITLE = 5
"""Height of a figure's title in millimetres."""
ONE_COLUMN = 120
"""Width in millimetres below which a figure fills one journal column and puts its panels below each other."""
MARKERS = ("o", "s", "D", "h", "p")
"""Markers of classes; the next one is used when the colours of the palette are used up."""
CYCLES = (("white", 0.0), ("white", 0.4), ("black", 0.45))
"""Colour and amount that the palette is mixed with in the first, second and third cycle."""
CLUSTER_MARKERS = ("^", "v", "P", "X")
"""Markers of the second, third, ... cluster of a class."""
CHINESE_JAPANESE_KOREAN = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Microsoft YaHei", "Yu Gothic"),
    *("Malgun Gothic", "PingFang SC", "Hiragino Sans", "Arial Unicode MS"),
)
"""Common fonts of Linux, Windows and macOS with Chinese, Japanese or Korean letters."""
FONT_PACKAGE = "noto_cjk_sans_jp_regular"
"""The package of the extra `fonts`, with one of these fonts (SIL Open Font License 1.1)."""
NO_FONT = (
    "names have characters that no installed font has, and figures show boxes in their place: install a font that has "
    "them, for Chinese, Japanese and Korean by pip install '.[fonts]' or the system's package fonts-noto-cjk"
)
INK, FAINT, PALE = "#333333", "#8a8a8a", "#d4d4d4"
LINE = 4
"""Height of a line of a legend in millimetres."""
LEGEND = 90
"""Largest number of entries of a legend."""
PASSES = 3
"""Largest number of layout passes: the sizes of panels and the ticks depend on each other, so one is not enough."""
SHADES = (("black", 0.4), ("white", 0.45), ("black", 0.65), ("white", 0.65))
"""Colour and amount that the colour of a class is mixed with for its second, third, ... cluster."""


@dataclass(frozen=True)
class Look:
    """A colour (`#rrggbb`) and a matplotlib marker, together different from those of other classes."""

    colour: str
    marker: str


NOBODY = Look(PALE, "o")
"""Look of noise and of images without a label."""


@cache
def other_scripts() -> list[str]:
    """Return the installed fonts of `CHINESE_JAPANESE_KOREAN`, for the letters that the figures' font does not have."""
    package = find_spec(FONT_PACKAGE)
    for path in (package and package.submodule_search_locations) or ():
        for font in Path(path).glob("*.otf"):
            font_manager.fontManager.addfont(font)
    installed = set(font_manager.get_font_names())
    return [name for name in CHINESE_JAPANESE_KOREAN if name in installed]


def _parameters(style: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of matplotlib that make our style."""
    size = style["font_size"]
    return {
        "font.family": [style["font"], *other_scripts()],
        "text.parse_math": False,  # a $ in the name of a class is a $
        "text.hinting": "no_hinting",  # texts are as wide as `text_width` says at every resolution
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "figure.titlesize": size * 1.15,
        "xtick.labelsize": small(style),
        "ytick.labelsize": small(style),
        "legend.fontsize": small(style),
        "legend.title_fontsize": small(style),
        "legend.frameon": False,
        "legend.handlelength": 1.4,
        "legend.columnspacing": 1.2,
        "axes.titlelocation": "left",
        "axes.linewidth": 0.6,
        "axes.edgecolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.minor.size": 1.5,
        "lines.linewidth": 1.1,
        "grid.color": "#e6e6e6",
        "grid.linewidth": 0.5,
        "axes.axisbelow": True,
        "savefig.dpi": style["dpi"],
        "figure.dpi": style["dpi"],
        "svg.fonttype": "path",  # text as outlines looks the same in every browser
        "svg.hashsalt": "clustergrid",
    }


@contextmanager
def theme(style: Mapping[str, Any]) -> Iterator[None]:
    """Apply matplotlib's defaults and our style, independent of the user's matplotlibrc."""
    with matplotlib.style.context(["default", _parameters(style)]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # `save` says it once
        yield


def log_scale(ax: Axes, low: float, high: float) -> None:
    """Make the x axis logarithmic, for values from `low` to `high`: numbers at 1, 10, 100, and 2, 5, 20 if few fit."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def small(style: Mapping[str, Any]) -> float:
    """Return the font size of ticks, legends and notes in points."""
    return 0.875 * style["font_size"]


def canvas(figure: Mapping[str, Any], height: float) -> Figure:
    """Return an empty figure with its title, of the size in the settings; `height` (mm) is used if they give none."""
    above = TITLE if figure["title"] else 0
    size = (figure["width"] / MM_PER_INCH, (figure["height"] or height + above) / MM_PER_INCH)
    made = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02))
    if figure["title"]:
        made.suptitle(figure["title"], x=0.01, ha="left")
    return made


def panels_of(n: int, figure: Mapping[str, Any]) -> tuple[int, int]:
    """Return the numbers of rows and columns in which n panels stand: two columns at most, one in a narrow figure."""
    columns = min(n, 1 if figure["width"] < ONE_COLUMN else 2)
    return ceil(n / columns), columns


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


def wrapped(text: str, width: float, size: float) -> str:
    """Return `text` in lines of at most `width` mm at `size` points."""
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


def colours(style: Mapping[str, Any]) -> Sequence[str]:
    """Return the colours of the palette as hex strings."""
    return [to_hex(colour) for colour in mpl.color_sequences[style["palette"]]]


def looks(names: Sequence[str], style: Mapping[str, Any]) -> dict[str, Look]:
    """Return a look for each of `names`, in order: first the colours of the palette, then shades with other markers."""
    palette = colours(style)
    looks_of = {}
    for i, name in enumerate(names):
        cycle, place = divmod(i, len(palette))
        looks_of[name] = Look(_mixed(palette[place], *CYCLES[cycle % len(CYCLES)]), MARKERS[cycle % len(MARKERS)])
    return looks_of


def class_looks(labels: Iterable[str | None], manifest: str, style: Mapping[str, Any]) -> dict[str, Look]:
    """Return the look of each class in `labels`, in order; it is the same in all figures of the data set.

    `manifest` is the one of the whole data set: the place of a class among all its classes decides its look.
    """
    present = set(labels)
    return {name: look for name, look in looks(classes(read_manifest(manifest)), style).items() if name in present}


def shade(look: Look, rank: int) -> Look:
    """Return the look of the `rank`-th cluster (from 1) of the class with `look`: a darker or paler colour."""
    if rank == 1:
        return look
    mixed = _mixed(look.colour, *SHADES[(rank - 2) % len(SHADES)])
    return Look(mixed, CLUSTER_MARKERS[(rank - 2) % len(CLUSTER_MARKERS)])


def _mixed(colour: str, towards: str, amount: float) -> str:
    return to_hex(tuple((1 - amount) * np.array(to_rgb(colour)) + amount * np.array(to_rgb(towards))))


def legend_lines(names: Collection[str], width: float, style: Mapping[str, Any]) -> int:
    """Return the number of lines of a legend with these names below a figure of `width` mm."""
    shown = list(names)[: LEGEND + 1]
    return ceil(len(shown) / columns_within(width, shown, style))


def _capped(handles: Mapping[str, Line2D]) -> dict[str, Line2D]:
    """Return the first entries of a legend with too many, the number of the others, and that of no class."""
    last = {name: handle for name, handle in handles.items() if handle.get_color() == NOBODY.colour}
    first = {name: handle for name, handle in handles.items() if name not in last}
    if len(first) > LEGEND:
        first = dict(list(first.items())[:LEGEND]) | {f"and {len(first) - LEGEND} more": Line2D([], [], linestyle="")}
    return first | last


def fitting(places: Sequence[float], sizes: Sequence[float], apart: float) -> list[int]:
    """Return the indices of `places` that are at least `apart`; of two nearer ones, the one of larger size stays."""
    kept: list[int] = []
    for i in np.argsort(-np.asarray(sizes), kind="stable").tolist():
        if all(abs(places[i] - places[j]) >= apart for j in kept):
            kept.append(i)
    return sorted(kept)


def columns_within(width: float, names: Iterable[str], style: Mapping[str, Any]) -> int:
    """Return how many columns of a legend with these names fit into `width` mm."""
    return max(1, int(width / (max(text_width(name, small(style)) for name in names) + 8)))


def legend_below(
    made: Figure, handles: Mapping[str, Line2D], style: Mapping[str, Any], title: str | None = None
) -> None:
    """Draw a legend below the panels, in as many columns as fit into the figure's width."""
    handles = _capped(handles)
    columns = columns_within(width_of(made), handles, style)
    made.legend(list(handles.values()), list(handles), title=title, loc="outside lower center", ncols=columns)


def legend_on_top(made: Figure, handles: Mapping[str, Line2D], style: Mapping[str, Any]) -> None:
    """Draw a legend above the panels of a figure that has a note below them; its title is that of the figure.

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


def legend_above(ax: Axes, handles: Mapping[str, Line2D], columns: int) -> None:
    """Draw a legend on top of a panel."""
    where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderpad": 0}
    ax.legend(list(handles.values()), list(handles), ncols=columns, **where)


def dot(look: Look) -> Line2D:
    """Return a legend entry for points."""
    return Line2D([], [], linestyle="", marker=look.marker, color=look.colour, markersize=4)


def frame(look: Look) -> Line2D:
    """Return a legend entry for frames around images."""
    return Line2D([], [], linestyle="", marker="s", markerfacecolor="none", color=look.colour, markersize=5)


def frames_on_top(made: Figure, by_class: Mapping[str, Look], style: Mapping[str, Any]) -> None:
    """Draw a legend above the images for the colours of their frames, if there are any."""
    if by_class:
        short = short_names(by_class)
        legend_on_top(made, {short[name]: frame(look) for name, look in by_class.items()}, style)


def height_of_frames(by_class: Collection[str], width: float, style: Mapping[str, Any]) -> float:
    """Return the height in millimetres of the legend of `frames_on_top` above a figure of `width` mm."""
    return LINE * legend_lines(short_names(by_class).values(), width, style) + 1 if by_class else 0


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


def _has_boxes(made: Figure, style: Mapping[str, Any]) -> bool:
    """Return whether a text of the figure has a character that none of the fonts has."""
    fonts = [font_manager.get_font(font_manager.findfont(name)) for name in (style["font"], *other_scripts())]
    letters = {letter for text in made.findobj(Text) for letter in text.get_text() if not letter.isspace()}
    return any(not any(font.get_char_index(ord(letter)) for font in fonts) for letter in letters)


def save(made: Figure, svg_path: str | Path, png_path: str | Path, style: Mapping[str, Any]) -> None:
    """Write the figure as SVG and PNG; the same figure always gives the same bytes."""
    undated = {"svg": {"Date": None}, "png": {"Software": None}}
    with ExitStack() as stack:
        stack.enter_context(theme(style))
        _lay_out(made)
        for kind, path in (("svg", svg_path), ("png", png_path)):
            temporary = stack.enter_context(replacing(path))
            made.savefig(temporary, format=kind, dpi=style["dpi"], metadata=undated[kind])
        if _has_boxes(made, style):
            log.log(NOTICE, NO_FONT)
