"""The stripe with the microscope's data above or below a picture."""

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
LETTERS, LETTER = 3, 5
"""Fewest parts of ink as high as a letter that make writing (`1 µm`), and that height, pixels."""
BRIGHTEST = 99.85
"""Percentile of the contrast that is the strongest ink; noise is beyond."""
STEP = 0.15
"""By how much less of the rows behind a stripe is of the colour of its paper."""


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
    """The stripes at the upper and lower edge of a picture, (H, W) uint8: none, one or both.

    A stripe is as wide as the picture and of one colour, with ink on it. It ends at its last row in which nothing is
    written: between stripe and picture there is always one, and rarely in a picture, even a dark one.
    """
    height = len(grey)
    above, below = _at_the_top(grey), _at_the_top(grey[::-1])
    stripes = [Stripe(0, above[0], above[1])] if above else []
    return stripes + ([Stripe(height - below[0], height, below[1])] if below else [])


def picture_rows(grey: np.ndarray) -> slice:
    """The rows of a picture, (H, W) uint8, without its stripes."""
    rows = [0, len(grey)]
    for stripe in find_stripes(grey):
        rows[0 if stripe.top == 0 else 1] = stripe.bottom if stripe.top == 0 else stripe.top
    return slice(*rows)


def contrast(grey: np.ndarray, stripe: Stripe) -> np.ndarray:
    """The ink of a stripe, (h, W) uint8: 0 is paper, 255 the strongest ink, whichever of them is the darker."""
    ink = np.abs(grey[stripe.top : stripe.bottom].astype(np.int16) - stripe.paper)
    strongest = max(np.percentile(ink, BRIGHTEST), 1)
    return np.minimum(ink * (255 / strongest), 255).astype(np.uint8)


def _at_the_top(grey: np.ndarray) -> tuple[int, int] | None:
    """Height and paper of the stripe that begins in the first row."""
    height = len(grey)
    least, most = max(4, int(HEIGHTS[0] * height)), int(HEIGHTS[1] * height)
    edge = grey[:least]
    paper = int(np.bincount(edge.ravel(), minlength=256).argmax())
    noise = float(np.percentile(np.percentile(np.abs(edge.astype(np.int16) - paper), 75, axis=1), 25)) / QUARTILE
    if noise > MOST_NOISE:
        return None
    rows = grey[: most + max(5, height // 20)].astype(np.int16)
    difference, within = np.abs(rows - paper), 3 * noise + RINGING
    share = (difference <= within).mean(axis=1)
    one_colour = (np.abs(rows - np.median(rows, axis=1, keepdims=True)) <= within).mean(axis=1)
    for blank in BLANK:
        end = _last_blank(share >= blank, one_colour >= blank, int(LONGEST_TEXT * height))
        if least <= end <= most:
            step = share[max(0, end - 4) : end].max() - share[end + 1 : end + 5].mean()
            if step >= STEP and _is_written_on(difference[:end] > LEAST_CONTRAST):
                return end, paper
    return None


def _is_written_on(ink: np.ndarray) -> bool:
    letters = [box for box in boxes(ink) if box.height >= LETTER and box.top > 0 and box.bottom < len(ink)]
    return len(letters) >= LETTERS


def _last_blank(is_blank: np.ndarray, is_line: np.ndarray, longest: int) -> int:
    """The row after the stripe's last, which is blank, or one of a table's line that follows a blank one."""
    end = 0
    for row in range(len(is_blank)):
        if is_blank[row]:
            end = row + 1
        elif row - end > longest:
            break
    line = int(np.argmin(np.append(is_line[end:], False)))
    return end + line if line <= THICKEST_LINE else end
