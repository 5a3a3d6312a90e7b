"""Detect scale bars: solid bars, lines with end caps or ticks, bars broken by their text, and rows of ticks."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, product, takewhile

import numpy as np
from scipy import ndimage

SHORTEST, LONGEST = 0.018, 0.6
"""Shortest and longest line that may be a bar or a part of one, as shares of the image's width."""
LEAST_LENGTH = 10
"""Least length of a line, pixels."""
THICKEST = 0.03
"""Largest thickness of a line, as a share of the image's height."""
SLIMMEST = 3.0
"""Least ratio of a line's length to its thickness."""
LEAST_CONTRAST = 45
"""Least difference between the grey levels of a bar and of the rows above and below it."""
UNIFORM = 24
"""Largest difference, in grey levels, of a bar's pixel from the median of the bar."""
SHARE_UNIFORM = 0.95
"""Least share of a bar's pixels that differ by no more than `UNIFORM`."""
LOWER = 0.3
"""The lower part of an image in which a row of ticks is looked for, as a share of its height."""
MOST_MARKS = 100
"""Largest number of marks of the same size in a row; more are a texture."""
TICKS = 11
"""Number of ticks of a bar without a line, as Hitachi draws it."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: rows `top` to `bottom` and columns `left` to `right`, both ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return the number of rows."""
        return self.bottom - self.top

    def distance(self, other: "Box") -> int:
        """Return the number of pixels between two boxes, along the axis on which they are farther apart; 0 if they
        overlap."""
        across = max(self.left - other.right, other.left - self.right)
        down = max(self.top - other.bottom, other.top - self.bottom)
        return max(across, down, 0)

    def moved(self, rows: int, columns: int) -> "Box":
        """Return the box, moved down by `rows` and to the right by `columns` pixels."""
        return Box(self.top + rows, self.bottom + rows, self.left + columns, self.right + columns)


@dataclass(frozen=True)
class Bar:
    """A scale bar.

    Attributes
    ----------
    box : the rectangle of the bar with its end caps and ticks.
    line : the rectangle of the bar's line alone.
    length : the length in pixels.
    level : the grey level of the bar.
    ground : the grey level of the background.
    gap : the rectangle of the gap in which the text stands; None if the bar has no gap.
    """

    box: Box
    line: Box
    length: float
    level: int
    ground: int
    gap: Box | None = None

    @property
    def start(self) -> tuple[float, float]:
        """Return the column of the bar's left end and the row of its middle, pixels."""
        return (self.box.left + self.box.right - self.length) / 2, (self.line.top + self.line.bottom) / 2

    def strength(self, grey: np.ndarray) -> np.ndarray:
        """Return how much each pixel of `grey` (h, w) uint8 is like the bar in grey level, (h, w) float32.

        It is 0 for the grey level of the background, 1 for that of the bar, and linear between them; it is clipped to
        0..1.
        """
        return np.clip((grey.astype(np.float32) - self.ground) / (self.level - self.ground), 0, 1)


def parts(mask: np.ndarray) -> np.ndarray:
    """Return the number of the connected part in which each pixel of a mask (h, w) bool lies, (h, w) int.

    The numbers begin at 1; pixels outside the mask get 0.
    """
    return ndimage.label(mask, np.ones((3, 3)))[0]


def boxes(mask: np.ndarray) -> list[Box]:
    """Return the boxes around the connected parts of a mask, (h, w) bool, in the order of `parts`."""
    slices = ndimage.find_objects(parts(mask))
    return [Box(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in slices]


def find_bars(grey: np.ndarray, height: int) -> list[Bar]:
    """Return everything that may be a scale bar, bright or dark, in some rows (h, W) uint8 of an image of `height`
    rows.

    The length of a solid bar is measured from end to end. For a line with end caps it is measured between the middles
    of the caps, and for a row of ticks from the first to the last tick. A line that is connected to more than its own
    caps and ticks is a line of a table or a part of the image. It is not returned.
    """
    width = grey.shape[1]
    bars: list[Bar] = []
    for is_bright in (True, False):
        # Dark bars are bright in the negative, so that only bright bars have to be found.
        image = grey if is_bright else 255 - grey
        thickest = max(4, round(THICKEST * height))
        lines = [line for box in _lines(image, width, thickest) if (line := _line(image, box, thickest))]
        pairs = [(one, other) for one in lines for other in lines if _is_broken(image, one, other)]
        paired = {line.box for pair in pairs for line in pair}
        of_colour = [bar for pair in pairs if (bar := _joined(image, *pair))]
        whole = [_whole(image, line) for line in lines if line.box not in paired and line.is_ended]
        of_colour += [bar for bar in whole if bar]
        of_colour += _ticks(image, width, height)
        bars += of_colour if is_bright else [_negative(bar) for bar in of_colour]
    return bars


@dataclass(frozen=True)
class _Line:
    """A horizontal line in an image.

    Attributes
    ----------
    box : the rectangle of the line.
    joined : the rectangle of everything that the line is connected to.
    level : the grey level of the line.
    ground : the grey level of the background.
    is_ended : whether both ends of the line are free.
    """

    box: Box
    joined: Box
    level: int
    ground: int
    is_ended: bool


def _lines(image: np.ndarray, width: int, thickest: int) -> Iterator[Box]:
    """Yield the rectangles of bright parts of `image` that may be lines, because they are long and thin (see
    `_long_runs`).

    `width` is the width of the image in pixels.
    """
    for box in boxes(_long_runs(image, max(LEAST_LENGTH, int(SHORTEST * width)), thickest)):
        is_inside = box.top > 0 and box.bottom < len(image)
        if is_inside and box.width <= LONGEST * width and box.width >= SLIMMEST * box.height:
            yield box


def _long_runs(image: np.ndarray, shortest: int, thickest: int) -> np.ndarray:
    """Return a mask of the pixels of `image` (h, W) uint8 that belong to long, thin, bright, horizontal lines, (h, W)
    bool.

    A line is a run of `shortest` or more pixels in a row of the image. Each pixel of the run is brighter than a pixel
    above it and a pixel below it in the same column. At most `thickest` + 1 rows lie between these two pixels.
    """
    opened = np.pad(image, ((thickest + 1, thickest + 1), (0, 0)), mode="edge")
    opened = ndimage.minimum_filter1d(opened, thickest + 2, axis=0)
    opened = ndimage.maximum_filter1d(opened, thickest + 2, axis=0, origin=-1 if thickest % 2 == 0 else 0)
    hat = image.astype(np.int16)
    hat -= opened[thickest + 1 : -thickest - 1]
    runs = ndimage.minimum_filter1d((hat >= LEAST_CONTRAST).view(np.uint8), shortest, axis=1, mode="constant")
    runs = ndimage.maximum_filter1d(runs, shortest, axis=1, origin=-1 if shortest % 2 == 0 else 0, mode="constant")
    return runs.view(bool)


def _line(image: np.ndarray, box: Box, thickest: int) -> _Line | None:
    """Return the line in a box; None if the box has more than one colour or little contrast to the rows above and below
    it."""
    core = image[box.top : box.bottom, box.left : box.right]
    middle = core[len(core) // 2]
    level = int(np.median(middle))
    if (np.abs(middle.astype(int) - level) <= UNIFORM).mean() < SHARE_UNIFORM:
        return None
    around = [image[row, box.left : box.right] for row in (box.top - 3, box.bottom + 2) if 0 <= row < len(image)]
    if not around:
        return None
    ground = int(np.median(np.concatenate(around)))
    if level - ground < LEAST_CONTRAST or any(level - np.median(row) < LEAST_CONTRAST for row in around):
        return None
    joined = _joined_to(image, ground + 0.6 * (level - ground), box, 3 * thickest)
    reach = 2 * box.height + 4
    is_ended = joined.left >= box.left - reach and joined.right <= box.right + reach
    is_ended &= box.left > 0 and box.right < image.shape[1]
    is_low = joined.height <= max(2.5 * thickest, 4 * box.height)
    return _Line(box, joined, level, ground, is_ended) if is_low else None


def _joined_to(image: np.ndarray, level: float, box: Box, reach: int) -> Box:
    """Return the rectangle of the pixels brighter than `level` that are connected to the line in `box`.

    Pixels more than `reach` pixels away from the line are not looked at.
    """
    top, left = max(0, box.top - reach), max(0, box.left - reach)
    labels = parts(image[top : box.bottom + reach, left : box.right + reach] > level)
    counts = np.bincount(labels[(box.top + box.bottom) // 2 - top, box.left - left : box.right - left])
    counts[0] = 0
    if not counts.sum():
        return box
    rows, columns = np.nonzero(labels == int(counts.argmax()))
    first, last = (int(rows.min()), int(columns.min())), (int(rows.max()) + 1, int(columns.max()) + 1)
    return Box(top + first[0], top + last[0], left + first[1], left + last[1])


def _is_broken(image: np.ndarray, left: _Line, right: _Line) -> bool:
    """Return whether two lines are the two ends of one bar that is broken by its text.

    They are in the same rows, have the same colour and about the same length, and there is text between them.
    """
    one, other = left.box, right.box
    is_free = (
        left.joined.left >= one.left - 4 * one.height - 4 and right.joined.right <= other.right + 4 * one.height + 4
    )
    if not is_free or one.right >= other.left or abs(one.top - other.top) > 1 or abs(one.bottom - other.bottom) > 1:
        return False
    if abs(one.width - other.width) > 0.2 * max(one.width, other.width) + 2 or abs(left.level - right.level) > UNIFORM:
        return False
    between, half = slice(one.right + 1, other.left - 1), (left.level + left.ground) / 2
    is_parted = (image[max(0, one.top - 12) : one.bottom + 12, between] > half).all(axis=0).any()
    is_written = (image[max(0, one.top - 1) : one.bottom + 1, between] > half).any()
    return not is_parted and bool(is_written) and one.width + other.width > 0.2 * (other.right - one.left)


def _whole(image: np.ndarray, line: _Line) -> Bar | None:
    ends = _ends(image, line, line)
    return Bar(line.joined, line.box, ends[1] - ends[0], line.level, line.ground) if ends else None


def _joined(image: np.ndarray, left: _Line, right: _Line) -> Bar | None:
    one, other = left.box, right.box
    top, bottom = min(left.joined.top, right.joined.top), max(left.joined.bottom, right.joined.bottom)
    ends = _ends(image, left, right)
    if ends is None:
        return None
    extent = Box(top, bottom, left.joined.left, right.joined.right)
    line = Box(one.top, one.bottom, one.left, other.right)
    gap = Box(one.top, one.bottom, one.right, other.left)
    return Bar(extent, line, ends[1] - ends[0], left.level, left.ground, gap)


def _ends(image: np.ndarray, left: _Line, right: _Line) -> tuple[float, float] | None:
    """Return the columns of the two ends of a bar: the middles of its caps, or the ends of its line if it has no caps.

    `left` and `right` are the lines at the left and the right end of the bar; they are the same line unless the bar is
    broken by its text. Returns None if only one end has a cap: then this is half of a broken bar.
    """
    one, other = _cap(image, left, at_left=True), _cap(image, right, at_left=False)
    if one is not None and other is not None:
        return one, other
    if one is not None or other is not None:
        return None
    return _edge(image, left, at_left=True), _edge(image, right, at_left=False)


def _cap(image: np.ndarray, line: _Line, *, at_left: bool) -> float | None:
    """Return the column of the middle of the vertical stroke at an end of a line, or None if there is none.

    A stroke thinner than the line is a tick of a ruler, and does not count as a cap.
    """
    box, joined = line.box, line.joined
    rows = [row for row in range(joined.top, joined.bottom) if row < box.top - 1 or row > box.bottom]
    reach = 3 * box.height + 6
    end = joined.left if at_left else joined.right
    columns = slice(max(0, end - 1), end + reach) if at_left else slice(max(0, end - reach), end + 1)
    if len(rows) < 2:
        return None
    ink = np.clip((image[rows, columns].astype(float) - line.ground) / (line.level - line.ground), 0, 1)
    profile = ink.mean(axis=0)
    strong = np.flatnonzero(profile >= 0.5 * max(profile.max(), 0.5))
    if not len(strong):
        return None
    breaks = np.flatnonzero(np.diff(strong) > 1)
    stroke = strong[: breaks[0] + 1] if at_left and len(breaks) else strong
    stroke = stroke[breaks[-1] + 1 :] if not at_left and len(breaks) else stroke
    is_slim = len(stroke) > max(3, 2 * box.height)
    distance = stroke[0] - 1 if at_left else len(profile) - 2 - stroke[-1]
    if is_slim or distance > 1 or box.height > 1.7 * len(stroke) + 1:
        return None
    weights = profile[stroke]
    return float(columns.start + (weights * (stroke + 0.5)).sum() / weights.sum())


def _edge(image: np.ndarray, line: _Line, *, at_left: bool) -> float:
    """Return the column at which a line ends, to a fraction of a pixel, from the grey levels near this end."""
    box = line.box
    inner = slice(box.top + (box.height > 2), box.bottom - (box.height > 2))
    end, reach = (box.left if at_left else box.right), 4
    columns = slice(max(0, end - reach), end + reach)
    ink = image[inner, columns].astype(float).mean(axis=0)
    share = np.clip((ink - line.ground) / (line.level - line.ground), 0, 1)
    return float(columns.stop - share.sum()) if at_left else float(columns.start + share.sum())


def _ticks(image: np.ndarray, width: int, height: int) -> Iterator[Bar]:
    """Yield a bar without a line: `TICKS` thin marks of the same size at equal distances. At most one is found.

    `width` and `height` are those of the whole image, pixels.
    """
    slimmest, above = max(4, round(0.006 * width)), max(0, len(image) - round(LOWER * height))
    image = image[above:]
    hat = image.astype(np.int16) - ndimage.grey_opening(image, (1, slimmest + 2))
    marks = [
        box for box in boxes(hat >= 2 * LEAST_CONTRAST) if box.width <= slimmest and 3 <= box.height <= 0.04 * height
    ]
    by_rows: defaultdict[tuple[int, int], list[Box]] = defaultdict(list)
    for box in marks:
        by_rows[box.top, box.bottom].append(box)
    for top, bottom in sorted(by_rows):
        near = product(range(top - 1, top + 2), range(bottom - 1, bottom + 2))
        alike = list(chain.from_iterable(by_rows.get(rows, ()) for rows in near))
        for chosen in _evenly(alike) if len(alike) <= MOST_MARKS else ():
            left, right = chosen[0], chosen[-1]
            row = (top + bottom) // 2
            level = int(np.median([image[row, (box.left + box.right) // 2] for box in chosen]))
            around = Box(above + top, above + bottom, left.left, right.right)
            ground = int(np.median(image[top:bottom, left.left : right.right]))
            if level - ground >= LEAST_CONTRAST:
                yield Bar(around, around, (right.left + right.right - left.left - left.right) / 2, level, ground)
                return


def _evenly(marks: list[Box]) -> Iterator[list[Box]]:
    """Yield the groups of exactly `TICKS` marks at equal distances. Groups of more or fewer marks are left out, because
    the length of the bar would be wrong."""
    marks = sorted(marks, key=lambda box: box.left)
    middles = [(box.left + box.right) / 2 for box in marks]
    for first in range(len(marks)):
        for last in range(first + TICKS - 1, len(marks)):
            step = (middles[last] - middles[first]) / (TICKS - 1)
            if step < 5:
                continue
            nearest = partial(_nearest, middles, reach=max(1.5, 0.06 * step))
            places = (middles[first] + step * number for number in range(TICKS))
            indices = list(takewhile(lambda index: index is not None, map(nearest, places)))
            beside = (middles[first] - step, middles[last] + step)
            if len(indices) == TICKS and all(nearest(place) is None for place in beside):
                yield [marks[index] for index in indices if index is not None]


def _nearest(middles: list[float], place: float, reach: float) -> int | None:
    """Return the index of the number in `middles` (sorted) nearest to `place`, or None if none is within `reach`."""
    after = bisect_left(middles, place)
    near = [index for index in (after - 1, after) if 0 <= index < len(middles)]
    index = min(near, key=lambda index: abs(middles[index] - place))
    return index if abs(middles[index] - place) <= reach else None


def _negative(bar: Bar) -> Bar:
    return Bar(bar.box, bar.line, bar.length, 255 - bar.level, 255 - bar.ground, bar.gap)
