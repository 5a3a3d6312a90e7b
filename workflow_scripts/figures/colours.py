"""Choose the colours and markers of classes, and of the clusters of each class."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex, to_rgb

from workflow_scripts.io.manifest import classes, read_manifest
from workflow_scripts.metrics.votes import apart

INK, FAINT, PALE = "#333333", "#8a8a8a", "#d4d4d4"
"""Greys of texts, of secondary lines, and of what is only background."""
MARKERS = ("o", "s", "D", "h", "p")
"""Markers of classes; the next one is used when the colours of the palette are used up."""
CYCLES = (("white", 0.0), ("white", 0.4), ("black", 0.45))
"""Colour and amount that are mixed into the palette when it is used for the first, second and third time."""
CLUSTER_MARKERS = ("^", "v", "P", "X")
"""Markers of the second, third, ... cluster of a class."""
SHADES = (("black", 0.4), ("white", 0.45), ("black", 0.65), ("white", 0.65))
"""Colour and amount that are mixed into the colour of a class for its second, third, ... cluster."""


@dataclass(frozen=True)
class Look:
    """A colour (`#rrggbb`) and a matplotlib marker, which together tell a class or cluster from all others."""

    colour: str
    marker: str


NOBODY = Look(PALE, "o")
"""Look of noise and of images without a label."""
UNLABELLED = "no label"
"""The name in the legend for images without a label, unless a class has this name."""


def colours(style: Mapping[str, Any]) -> Sequence[str]:
    """Return the colours of the palette as hex strings."""
    return [to_hex(colour) for colour in mpl.color_sequences[style["palette"]]]


def looks(names: Sequence[str], style: Mapping[str, Any]) -> dict[str, Look]:
    """Return a look for each of `names`: first the colours of the palette, then mixed colours with other markers."""
    palette = colours(style)
    looks_of = {}
    for i, name in enumerate(names):
        cycle, place = divmod(i, len(palette))
        looks_of[name] = Look(_mixed(palette[place], *CYCLES[cycle % len(CYCLES)]), MARKERS[cycle % len(MARKERS)])
    return looks_of


def class_looks(labels: Iterable[str | None], manifest: str, style: Mapping[str, Any]) -> dict[str, Look]:
    """Return the look of each class in `labels`, sorted by name.

    `manifest` is the path of the manifest of the whole data set. The look of a class depends on its position among all
    classes of the manifest, so it is the same in all figures of a data set.
    """
    present = set(labels)
    return {name: look for name, look in looks(classes(read_manifest(manifest)), style).items() if name in present}


def frame_looks(labels: Collection[str | None], manifest: str, style: Mapping[str, Any]) -> dict[str, Look]:
    """Return the looks of frames around images with these labels: those of `class_looks`, and the look of images
    without a label if there are both. Without any label there are no looks."""
    by_class = class_looks(labels, manifest, style)
    some_unlabelled = by_class and any(label not in by_class for label in labels)
    return by_class | ({apart(UNLABELLED, by_class): NOBODY} if some_unlabelled else {})


def shade(look: Look, rank: int) -> Look:
    """Return the look of the `rank`-th cluster (from 1) of a class that has the look `look`.

    The first cluster has the look of the class, the others a darker or paler colour and another marker.
    """
    if rank == 1:
        return look
    mixed = _mixed(look.colour, *SHADES[(rank - 2) % len(SHADES)])
    return Look(mixed, CLUSTER_MARKERS[(rank - 2) % len(CLUSTER_MARKERS)])


def _mixed(colour: str, towards: str, amount: float) -> str:
    return to_hex(tuple((1 - amount) * np.array(to_rgb(colour)) + amount * np.array(to_rgb(towards))))
