"""Detect the stripe with the microscope's data at the upper or lower edge of an image.

The background of a stripe is called its paper, and what is written or drawn on it the ink.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.color import rgb2gray

from workflow_scripts.intake.scale_bars.bar import boxes
from workflow_scripts.io.pixels import BAND, Rows, bands, stacked, value_range

HEIGHTS = (0.02, 0.25)
"""Smallest and largest height of a stripe, as shares of the image's height."""
BLANK = (0.97, 0.85)
"""The smallest share of a row's pixels that have one colour, for a row that is blank or part of a table's line. The
second value is tried if no stripe is found with the first one, because strong JPEG compression leaves artefacts
everywhere."""
THICKEST_LINE = 3
"""The largest number of rows of a table's line."""
LONGEST_TEXT = 0.06
"""The largest height of a line of text, as a share of the image's height."""
QUARTILE = 1.1503
"""Third quartile of the absolute values of normal noise, in standard deviations."""
MOST_NOISE = 6.0
"""The largest standard deviation of the grey levels of the paper."""
RINGING = 10
"""The largest deviation that JPEG leaves around text on paper, grey levels."""
LEAST_CONTRAST = 60
"""The least contrast between ink and paper, grey levels."""
LINE_CONTRAST = 30
"""The least contrast between a table's line and paper, grey levels."""
LETTER = 5
"""The least height of a letter, pixels."""
LETTERS = 3
"""The fewest letters in a stripe whose edge is sharp."""
MANY_LETTERS = 9
"""The fewest letters in a stripe whose edge is not sharp, because a flat image with `10 nm` on it is no stripe."""
STEP = 0.15
"""By how much, at least, the share of a row that has the colour of the paper must decrease at the edge of a stripe."""
SHARP = 0.5
"""The least such decrease at an edge that counts as sharp."""
FLOATING = 0.06
"""The largest number of rows between the image's edge and a stripe that does not touch it, as a share of the image's
height."""
SEEN = FLOATING + HEIGHTS[1] + 0.05
"""The share of the rows in which a stripe is looked for, from each edge."""
REFINED = 6
"""The number of rows after the last blank row in which the edge of the stripe is looked for."""


@dataclass(frozen=True)
class Stripe:
    """A stripe with the microscope's data: rows `top` to `bottom` (excluded) of an image.

    `paper` is the grey level of its background.
    """

    top: int
    bottom: int
    paper: int


class GreyLevels:
    """The luminance of an image (H, W) or (H, W, 3), scaled to 0 to 255, whose rows can be read in slices.

    The lowest value of the whole image becomes 0, and the highest 255. Rows are computed when they are asked for, as
    uint8.
    """

    def __init__(self, image: Rows) -> None:
        self._image = image
        self.shape: tuple[int, ...] = image.shape[:2]
        self.dtype: np.dtype[Any] = np.dtype(np.uint8)
        self._low, high = value_range(band if band.ndim == 2 else _luminance(band) for band in bands(image))
        self._scale = 255 / (high - self._low or 1)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return the rows of a slice (without a step), (rows, W) uint8."""
        top, bottom, _ = rows.indices(len(self))
        starts = range(top, bottom, BAND)
        return stacked((self._levels(start, min(bottom, start + BAND)) for start in starts), bottom - top)

    def _levels(self, top: int, bottom: int) -> np.ndarray:
        return np.rint((_luminance(self._image[top:bottom]) - self._low) * self._scale).astype(np.uint8)


def grey_levels(image: Rows) -> np.ndarray:
    """Return the grey levels of a whole image (H, W) or (H, W, 3) as `GreyLevels` makes them, (H, W) uint8."""
    return GreyLevels(image)[:]


def _luminance(image: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) float32 of an image (H, W) or (H, W, 3) of any dtype; its values are not scaled."""
    pixels = image.astype(np.float32)
    return rgb2gray(pixels) if pixels.ndim == 3 else pixels


def find_stripes(grey: Rows) -> list[Stripe]:
    """Find the stripes at the upper and lower edge of an image, (H, W) uint8: none, one or both.

    A stripe is as wide as the image and has one colour with text on it. It ends at its last blank row, because there is
    always a blank row between the text and the image, and hardly ever one inside an image. There may be a few rows of
    the image between the stripe and the image's edge.
    """
    height, seen = len(grey), round(SEEN * len(grey)) + REFINED + 6
    above = _nearest_the_top(grey[:seen], height)
    below = _nearest_the_top(grey[max(0, height - seen) :][::-1], height)
    stripes = [Stripe(*above)] if above else []
    return stripes + ([Stripe(height - below[1], height - below[0], below[2])] if below else [])


def image_rows(grey: Rows) -> slice:
    """Return the slice of the rows between the data stripes at the upper and lower edge; all rows if there are none.

    `grey` are the grey levels of an image, (H, W) uint8. Rows between a stripe and the edge are left out too.
    """
    rows = [0, len(grey)]
    for stripe in find_stripes(grey):
        if stripe.top + stripe.bottom < len(grey):
            rows[0] = stripe.bottom
        else:
            rows[1] = stripe.top
    return slice(*rows)


def _nearest_the_top(grey: np.ndarray, height: int) -> tuple[int, int, int] | None:
    """Return (top, bottom, paper) of the stripe at or near the upper edge of an image, or None if there is none.

    `top` is the first row of the stripe, `bottom` the row after its last row, and `paper` the grey level of its
    background. `grey` (h, W) uint8 are the uppermost rows of an image of `height` rows.
    """
    at_edge = _at_the_top(grey, height)
    if at_edge:
        return 0, *at_edge
    rows = grey[: int(FLOATING * height)].astype(np.int16)
    is_flat = (np.abs(rows - np.median(rows, axis=1, keepdims=True)) <= RINGING).mean(axis=1) >= BLANK[0]
    starts = np.flatnonzero(is_flat[1:] & ~is_flat[:-1]) + 1
    if not len(starts) or not is_flat[starts[0] : starts[0] + 3].all():
        return None
    floating = _at_the_top(grey[starts[0] :], height - int(starts[0]))
    return (int(starts[0]), int(starts[0]) + floating[0], floating[1]) if floating else None


def _at_the_top(grey: np.ndarray, height: int) -> tuple[int, int] | None:
    """Return (height, paper) of the stripe that begins in the first row, or None if there is none.

    `paper` is the grey level of the stripe's background. `grey` (h, W) uint8 are the uppermost rows of an image of
    `height` rows.
    """
    least, most = max(4, int(HEIGHTS[0] * height)), int(HEIGHTS[1] * height)
    edge = grey[:least]
    paper = int(np.bincount(edge.ravel(), minlength=256).argmax())
    deviations = np.concatenate([np.percentile(_far(band, paper), 75, axis=1) for band in bands(edge)])
    noise = float(np.percentile(deviations, 25)) / QUARTILE
    if noise > MOST_NOISE:
        return None
    rows, within = grey[: most + max(REFINED + 5, height // 20)], 3 * noise + RINGING
    of_bands = [_shares(band, paper, within) for band in bands(rows)]
    share, one_colour = (np.concatenate(parts) for parts in zip(*of_bands, strict=True))
    for blank in BLANK:
        last, end = _last_blank(share >= blank, one_colour >= blank, int(LONGEST_TEXT * height))
        if least <= end <= most:
            step = share[max(0, end - 4) : end].max() - share[end + 1 : end + 5].mean()
            is_sharp = end > last or step >= SHARP
            if step >= STEP and _is_written_on(_ink(rows[:end], paper), is_sharp):
                return _refined(rows, end), paper
    return None


def _far(rows: np.ndarray, level: int | np.ndarray) -> np.ndarray:
    """Return the absolute difference between grey levels (h, W) uint8 and `level`, as int16.

    `level` is one number, or one number for each row (h, 1).
    """
    return np.abs(rows.astype(np.int16) - level)


def _shares(rows: np.ndarray, paper: int, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row two shares of its pixels, (h,) each.

    The first is the share with the colour of the paper (the background). The second is the share with the row's median
    colour, which is large in a ruled line of a table. It is 0 if the median colour is nearly that of the paper. A pixel
    has a colour if its grey level differs from this colour by at most `within`.
    """
    colour = np.median(rows, axis=1, keepdims=True).astype(np.float32)
    is_line = np.abs(colour[:, 0] - paper) > LINE_CONTRAST
    return (_far(rows, paper) <= within).mean(axis=1), (_far(rows, colour) <= within).mean(axis=1) * is_line


def _ink(rows: np.ndarray, paper: int) -> np.ndarray:
    return np.concatenate([_far(band, paper) > LEAST_CONTRAST for band in bands(rows)])


def _refined(rows: np.ndarray, end: int) -> int:
    """Return the row after the last row of a stripe: `end` or one of the few rows below, where grey levels jump.

    `end` is the row after the last blank row of the stripe. If no jump is found, it is returned unchanged.
    """
    near = rows[end - 1 : end + REFINED + 5].astype(np.int16)
    steps = np.abs(np.diff(near, axis=0)).mean(axis=1)
    changes, usual = steps[:REFINED], steps[REFINED + 1 :].mean()
    sharp = np.flatnonzero(changes > max(3 * usual, 20, 0.5 * changes.max()))
    return end + int(sharp[-1]) if len(sharp) else end


def _is_written_on(ink: np.ndarray, is_sharp: bool) -> bool:
    letters = [box for box in boxes(ink) if box.height >= LETTER and box.top > 0 and box.bottom < len(ink)]
    return len(letters) >= (LETTERS if is_sharp else MANY_LETTERS)


def _last_blank(is_blank: np.ndarray, is_line: np.ndarray, longest: int) -> tuple[int, int]:
    """Return the row after the last blank row, and the row after the line of a table that follows directly below.

    Both are the same number if no line follows, or if it has more than `THICKEST_LINE` rows. The search ends after more
    than `longest` rows that are not blank. `is_blank` and `is_line` (h,) bool say which rows are blank and which are
    part of a line.
    """
    end = 0
    for row in range(len(is_blank)):
        if is_blank[row]:
            end = row + 1
        elif row - end > longest:
            break
    line = int(np.argmin(np.append(is_line[end:], False)))
    return end, end + line if line <= THICKEST_LINE else end
