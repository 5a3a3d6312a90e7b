"""The stripe with the microscope's data above or below an image."""

from dataclasses import dataclass

import numpy as np
from skimage.color import rgb2gray

from workflow_scripts.intake.scale_bars.bar import boxes

HEIGHTS = (0.02, 0.25)
"""Smallest and largest height of a stripe, of the picture's."""
BLANK = (0.97, 0.85)
"""Share of a row that is of one colour where nothing is written, or where the line of a table runs; the second is for
pictures in which the first finds no stripe: strong JPEG compression leaves something everywhere."""
THICKEST_LINE = 3
"""Rows of such a line."""
LONGEST_TEXT = 0.06
"""Height, of the picture's, after which rows without a blank one are no line of text any more."""
QUARTILE = 1.1503
"""Third quartile of the absolute values of normal noise, in standard deviations."""
MOST_NOISE = 6.0
"""Standard deviation of the paper, grey levels, above which it is none."""
RINGING = 10
"""What JPEG leaves around text on paper, grey levels."""
LEAST_CONTRAST = 60
"""Between ink and paper, grey levels."""
LINE_CONTRAST = 30
"""Between a table's line and paper, grey levels."""
LETTERS, MANY_LETTERS, LETTER = 3, 9, 5
"""Fewest parts of ink as high as a letter that make writing, where the stripe's edge is sharp and where it is not (a
flat image with `10 nm` on it is no stripe), and that height, pixels."""
STEP, SHARP = 0.15, 0.5
"""By how much less of the rows behind a stripe is of the colour of its paper: at least, and where its edge is sharp."""
FLOATING = 0.06
"""Of the height: rows of the image on the far side of a stripe that floats above the image's edge, at most."""
REFINED = 6
"""Rows behind a stripe's last blank one among which its edge is: JPEG leaves none of them blank."""


@dataclass(frozen=True)
class Stripe:
    """Rows `top` to `bottom` (excluded) of a picture, on paper of the grey level `paper`."""

    top: int
    bottom: int
    paper: int


def grey_levels(image: np.ndarray) -> np.ndarray:
    """(H, W) uint8 from an image of any type, (H, W) or (H, W, 3): its luminance, from the darkest to the brightest."""
    pixels = image.astype(np.float32)
    grey = rgb2gray(pixels) if pixels.ndim == 3 else pixels
    low, high = float(grey.min()), float(grey.max())
    return np.rint((grey - low) * (255 / (high - low or 1))).astype(np.uint8)


def find_stripes(grey: np.ndarray) -> list[Stripe]:
    """Return the stripes at the upper and lower edge of an image, (H, W) uint8: none, one or both.

    A stripe is as wide as the image and of one colour, with ink on it. It ends at its last row in which nothing is
    written: between stripe and image there is always one, and rarely in an image, even a dark one. Some float a few
    rows above the image's edge.
    """
    height = len(grey)
    above, below = _nearest_the_top(grey), _nearest_the_top(grey[::-1])
    stripes = [Stripe(*above)] if above else []
    return stripes + ([Stripe(height - below[1], height - below[0], below[2])] if below else [])


def image_rows(grey: np.ndarray) -> slice:
    """Return the rows of an image, (H, W) uint8, without its stripes and what is on their far side."""
    rows = [0, len(grey)]
    for stripe in find_stripes(grey):
        if stripe.top + stripe.bottom < len(grey):
            rows[0] = stripe.bottom
        else:
            rows[1] = stripe.top
    return slice(*rows)


def _nearest_the_top(grey: np.ndarray) -> tuple[int, int, int] | None:
    """First row, row behind the last, and paper of the stripe that begins in the first row, or a few rows below it."""
    at_edge = _at_the_top(grey)
    if at_edge:
        return 0, *at_edge
    rows = grey[: int(FLOATING * len(grey))].astype(np.int16)
    is_flat = (np.abs(rows - np.median(rows, axis=1, keepdims=True)) <= RINGING).mean(axis=1) >= BLANK[0]
    starts = np.flatnonzero(is_flat[1:] & ~is_flat[:-1]) + 1
    if not len(starts) or not is_flat[starts[0] : starts[0] + 3].all():
        return None
    floating = _at_the_top(grey[starts[0] :])
    return (int(starts[0]), int(starts[0]) + floating[0], floating[1]) if floating else None


def _at_the_top(grey: np.ndarray) -> tuple[int, int] | None:
    """Height and paper of the stripe that begins in the first row."""
    height = len(grey)
    least, most = max(4, int(HEIGHTS[0] * height)), int(HEIGHTS[1] * height)
    edge = grey[:least]
    paper = int(np.bincount(edge.ravel(), minlength=256).argmax())
    noise = float(np.percentile(np.percentile(np.abs(edge.astype(np.int16) - paper), 75, axis=1), 25)) / QUARTILE
    if noise > MOST_NOISE:
        return None
    rows = grey[: most + max(REFINED + 5, height // 20)].astype(np.int16)
    difference, within = np.abs(rows - paper), 3 * noise + RINGING
    share = (difference <= within).mean(axis=1)
    colour = np.median(rows, axis=1, keepdims=True)
    one_colour = (np.abs(rows - colour) <= within).mean(axis=1) * (np.abs(colour[:, 0] - paper) > LINE_CONTRAST)
    for blank in BLANK:
        last, end = _last_blank(share >= blank, one_colour >= blank, int(LONGEST_TEXT * height))
        if least <= end <= most:
            step = share[max(0, end - 4) : end].max() - share[end + 1 : end + 5].mean()
            is_sharp = end > last or step >= SHARP
            if step >= STEP and _is_written_on(difference[:end] > LEAST_CONTRAST, is_sharp):
                return _refined(rows, end), paper
    return None


def _refined(rows: np.ndarray, end: int) -> int:
    """The row behind the stripe's last: the sharpest change of the few behind its last blank row."""
    changes = np.abs(np.diff(rows[end - 1 : end + REFINED], axis=0)).mean(axis=1)
    usual = np.abs(np.diff(rows[end + REFINED : end + REFINED + 5], axis=0)).mean()
    sharp = np.flatnonzero(changes > max(3 * usual, 20, 0.5 * changes.max()))
    return end + int(sharp[-1]) if len(sharp) else end


def _is_written_on(ink: np.ndarray, is_sharp: bool) -> bool:
    letters = [box for box in boxes(ink) if box.height >= LETTER and box.top > 0 and box.bottom < len(ink)]
    return len(letters) >= (LETTERS if is_sharp else MANY_LETTERS)


def _last_blank(is_blank: np.ndarray, is_line: np.ndarray, longest: int) -> tuple[int, int]:
    """The row behind the last blank one, and that behind the lines of a table that follow it."""
    end = 0
    for row in range(len(is_blank)):
        if is_blank[row]:
            end = row + 1
        elif row - end > longest:
            break
    line = int(np.argmin(np.append(is_line[end:], False)))
    return end, end + line if line <= THICKEST_LINE else end
