"""Set matplotlib's parameters for all figures."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib.style

from workflow_scripts.figures.colours import INK
from workflow_scripts.figures.fonts import available, fonts_of_other_scripts


def _parameters(style: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of matplotlib for the settings of the style."""
    size = style["font_size"]
    return {
        "font.family": [available(style["font"]), *fonts_of_other_scripts()],
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
    """Apply matplotlib's defaults and the style of the settings within a `with` block.

    The user's matplotlibrc has no effect.
    """
    with matplotlib.style.context(["default", _parameters(style)]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # `save` says it once
        yield


def small(style: Mapping[str, Any]) -> float:
    """Return the font size of ticks, legends and notes in points."""
    return 0.875 * style["font_size"]
