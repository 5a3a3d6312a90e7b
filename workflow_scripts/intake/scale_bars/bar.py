"""The bar of a scale in a stripe: solid, with end caps or ticks, broken by its text, or a row of ticks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

SHORTEST_PART, SHORTEST, LONGEST = 0.02, 0.035, 0.6
"""Length of a line that may be a part of a bar, and of a whole bar, of the picture's width."""
SLIMMEST = 4.0
"""Least length of a line, of its thickness."""
TICKS = 9
"""Fewest ticks that make a bar without a line. Hitachi draws eleven; the strokes of `mm` are six."""


@dataclass(frozen=True)
class Box:
    """Rows `top` to `bottom` and columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def distance(self, other: "Box") -> int:
        """Pixels between two boxes, along the axis on which they are farther apart."""
        across = max(self.left - other.right, other.left - self.right)
        down = max(self.top - other.bottom, other.top - self.bottom)
        return max(across, down, 0)


@dataclass(frozen=True)
class Bar:
    """A bar's extent, its length in pixels, and the gap that its text stands in, if it is broken by it."""

    box: Box
    length: float
    gap: Box | None = None

    def of(self, labels: np.ndarray) -> np.ndarray:
        """Of a stripe's labelled parts, (h, W), those that the bar consists of."""
        box = self.box
        inside = labels[box.top : box.bottom, box.left : box.right]
        if self.gap:
            inside = np.delete(inside, np.s_[self.gap.left - box.left : self.gap.right - box.left], axis=1)
        return np.unique(inside)


def parts(mask: np.ndarray) -> np.ndarray:
    """The connected parts of a mask, (h, w) bool, numbered from 1 on."""
    return ndimage.label(mask, np.ones((3, 3)))[0]


def boxes(mask: np.ndarray) -> list[Box]:
    """The boxes around the connected parts of a mask, (h, w) bool, in the order of `parts`."""
    found = ndimage.find_objects(parts(mask))
    return [Box(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in found]


def find_bars(ink: np.ndarray) -> list[Bar]:
    """All that may be the bar in a stripe's ink, (h, W) bool.

    The length of a line counts from end to end, that of a row of ticks from the first to the last, each in its middle.
    Lines of a table, longer than `LONGEST` of the width, are none.
    """
    lines = list(_lines(ink))
    pairs = [
        (left, right) for left in lines for right in lines if left.right < right.left and _is_broken(ink, left, right)
    ]
    paired = {line for pair in pairs for line in pair}
    bars = [_joined(left, right) for left, right in pairs]
    bars += [Bar(line, line.width) for line in lines if line not in paired and line.width >= SHORTEST * ink.shape[1]]
    return bars + list(_ticks(ink))


def _lines(ink: np.ndarray) -> Iterator[Box]:
    """Horizontal lines: what is left of the ink where only runs of some length stay."""
    width = ink.shape[1]
    shortest = max(12, int(SHORTEST_PART * width))
    for box in boxes(ndimage.binary_opening(ink, np.ones((1, shortest)))):
        is_slim = box.width <= LONGEST * width and box.width >= SLIMMEST * box.height
        if is_slim and box.top > 0 and box.bottom < len(ink):
            yield box


def _is_broken(ink: np.ndarray, left: Box, right: Box) -> bool:
    """Whether two lines are the ends of one bar: of one height, in one row, with text between them and no line."""
    if abs(left.top - right.top) > 1 or abs(left.bottom - right.bottom) > 1:
        return False
    if abs(left.width - right.width) > 0.2 * max(left.width, right.width) + 2:
        return False
    between = ink[:, left.right : right.left]
    is_parted = between.all(axis=0).any()
    return not is_parted and bool(between[left.top - 1 : left.bottom + 1].any())


def _joined(left: Box, right: Box) -> Bar:
    top, bottom = min(left.top, right.top), max(left.bottom, right.bottom)
    gap = Box(top, bottom, left.right, right.left)
    return Bar(Box(top, bottom, left.left, right.right), right.right - left.left, gap)


def _ticks(ink: np.ndarray) -> Iterator[Bar]:
    """A row of at least `TICKS` slim marks of one size at even distances."""
    height, width = ink.shape
    marks = [box for box in boxes(ink) if box.width <= max(4, 0.006 * width) and 3 <= box.height <= height / 2]
    for top, bottom in sorted({(box.top, box.bottom) for box in marks}):
        alike = [box for box in marks if abs(box.top - top) <= 1 and abs(box.bottom - bottom) <= 1]
        middles = np.array(sorted((box.left + box.right - 1) / 2 for box in alike))
        steps = np.diff(middles)
        if len(middles) >= TICKS and steps.min() >= 4 and np.ptp(steps) <= 2:
            left, right = round(middles[0]), round(middles[-1]) + 1
            yield Bar(Box(top, bottom, left, right), float(middles[-1] - middles[0]))
            return
