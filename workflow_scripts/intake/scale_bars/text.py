"""The text of a scale: where it stands, what Tesseract reads in it, and the length that it names."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import floor, log, log10
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytesseract
from PIL import Image, ImageFilter
from scipy import ndimage

from workflow_scripts.errors import UserError
from workflow_scripts.intake.scale_bars.bar import Bar, Box, boxes, parts

SPACE = 1.6
"""Widest space inside a text, in heights of a letter."""
FARTHEST = 2.5
"""Largest distance of a text from its bar, in heights of a letter."""
HEIGHTS = (28, 32, 40, 48)
"""Heights to which a text is enlarged, pixels. Each is read plain and smoothed, and so gives two readings."""
SMOOTHING = 1 / 40
"""Standard deviation of the smoothing, of the height."""
MARGIN = 16
"""White around an enlarged text, pixels."""
FEWEST, SHARE = 3, 0.75
"""How many readings, and which share of those that name a length, have to name the same."""
NM = {"n": 1.0, "µ": 1e3, "m": 1e6}
LEADING = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""What the length of a bar begins with; then there are only zeros."""

# A micro sign is read as one or two of these letters, a digit as one of those.
_LENGTH = re.compile(r"(?P<number>.+?)(?P<unit>n|m|[uµμpyjwvU]{1,2})[mM]{1,2}")
_NUMBER = re.compile(r"[1-9]\d{0,3}(\.\d{1,2})?|0\.\d{1,2}")
_DIGITS = {**dict.fromkeys("lIi|tTL!", "1"), **dict.fromkeys("zZ", "2"), **dict.fromkeys("sS$", "5")}
_TO_DIGITS = str.maketrans({**_DIGITS, **dict.fromkeys("oOQD@", "0"), ",": "."})


def text_beside(contrast: np.ndarray, ink: np.ndarray, bar: Bar) -> np.ndarray | None:
    """The text nearest to a bar, or in its gap: (h, w) uint8, black on white; None if there is no text.

    `contrast` is a stripe's, (h, W) uint8, and `ink` its strong part, bool. The bar itself and a table's lines are
    wiped out.
    """
    labels = parts(ink)
    around = boxes(ink)
    may_be_letter = [box.height < 0.6 * len(ink) and box.width < 6 * box.height + 12 for box in around]
    is_letter = np.array([False, *may_be_letter])
    is_letter[bar.of(labels)] = False
    heights = [box.height for box, its in zip(around, is_letter[1:], strict=True) if its and box.height > 5]
    if not heights:
        return None
    letter, letters = float(np.median(heights)), is_letter[labels]
    lines = [line for line in _lines(letters, letter) if line.height >= 0.6 * letter and line.width >= 1.2 * letter]
    distance = (bar.gap or bar.box).distance
    nearest = min(lines, key=distance, default=None)
    if nearest is None or distance(nearest) > FARTHEST * letter:
        return None
    others = ndimage.binary_dilation(ink & ~letters, iterations=2)
    rows = slice(max(0, nearest.top - 2), nearest.bottom + 2)
    return np.asarray(255 - np.where(others, 0, contrast)[rows, max(0, nearest.left - 2) : nearest.right + 2])


def _lines(letters: np.ndarray, letter: float) -> list[Box]:
    """The boxes of letters, (h, W) bool, that stand side by side; `letter` is the height of one."""
    reach = round(SPACE * letter / 2)
    smeared = ndimage.binary_dilation(np.pad(letters, ((0, 0), (reach, reach))), np.ones((1, 2 * reach + 1)))
    return [Box(its.top, its.bottom, its.left, its.right - 2 * reach) for its in boxes(smeared)]


def recognise(text: np.ndarray) -> list[str]:
    """What Tesseract reads in a text, (h, w) uint8, enlarged in several ways; one process for all of them.

    Raises `UserError` if the program `tesseract` is not there or does not work.
    """
    pages = list(_enlarged(text))
    os.environ["OMP_THREAD_LIMIT"] = "1"  # its threads cost more than they save on a line of text
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pages.tif"
        pages[0].save(file, save_all=True, append_images=pages[1:])
        try:
            read = pytesseract.image_to_string(str(file), lang="eng", config="--oem 1 --psm 7")
        except pytesseract.TesseractNotFoundError:
            raise UserError(
                "config: intake.scale_bars: found no program tesseract, which reads the scales that metadata do not "
                "tell; install it (Debian: tesseract-ocr, conda-forge: tesseract)"
            ) from None
        except pytesseract.TesseractError as error:
            raise UserError(f"config: intake.scale_bars: tesseract failed: {' '.join(error.message.split())}") from None
    return [" ".join(page.split()) for page in read.split("\f")[: len(pages)]]


def _enlarged(text: np.ndarray) -> Iterable[Image.Image]:
    image = Image.fromarray(text)
    for height in HEIGHTS:
        width = max(1, round(image.width * height / image.height))
        page = Image.new("L", (width + 2 * MARGIN, height + 2 * MARGIN), 255)
        page.paste(image.resize((width, height), Image.Resampling.BICUBIC), (MARGIN, MARGIN))
        yield page
        yield page.filter(ImageFilter.GaussianBlur(SMOOTHING * height))


def length_of(text: str) -> float | None:
    """The length that a text names, nanometres: a round number with nm, µm or mm, as Tesseract may misread them."""
    match = _LENGTH.fullmatch(text.replace(" ", "").strip(".,:;-_~*°'\"‘’“”"))
    number = match["number"].translate(_TO_DIGITS) if match else ""
    if not match or not _NUMBER.fullmatch(number) or not float(number):
        return None
    if float(f"{float(number):e}".partition("e")[0]) not in LEADING:
        return None
    return round(float(number) * NM.get(match["unit"], NM["µ"]), 6)


def nearest_length(nm: float) -> float:
    """The length that a bar of about `nm` nanometres stands for."""
    power = 10 ** floor(log10(nm))
    return power * min((*LEADING, 10), key=lambda leading: abs(log(leading * power / nm)))


def agreed(texts: Sequence[str]) -> tuple[float, float] | None:
    """The length that the readings of one text agree upon, nanometres, and the share of all readings that name it."""
    lengths = Counter(length for length in map(length_of, texts) if length)
    if not lengths:
        return None
    (length, votes), *_ = lengths.most_common(1)
    if votes < FEWEST or votes < SHARE * lengths.total():
        return None
    return length, votes / len(texts)
