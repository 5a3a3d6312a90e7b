"""The text of a scale bar: finding it, reading it by Tesseract, and the length that it names."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
"""The widest space inside a text, in heights of a letter."""
FARTHEST = 2.5
"""The largest distance of a text from its bar, in heights of a letter."""
LOWEST, TALLEST = 6, 0.08
"""The least height of a letter in pixels (in smaller ones 3 is read as 5), and the largest, as a share of the image's
height."""
MOST_LETTERS = 2000
"""Largest number of parts near a bar that may be letters; more are a texture, in which a search takes minutes."""
LETTERS = (2, 12)
"""The fewest and most letters of a text that may be a length."""
INK, STRONG_INK, LESS_INK = 0.5, 0.75, 0.2
"""The least share of the bar's colour of a pixel that is ink; this share if the background is an image; and how much
less a pixel may have if it only shows that a letter is missing."""
MISSING = 0.4
"""The width of a gap before or between letters, in heights of a letter, above which a letter may be missing."""
ONE = 0.42
"""The ratio of width to height below which a digit can only be 1."""
SCREEN = 4
"""The fewest texts for which each is first read at two sizes only, to discard those that name no length."""
HEIGHTS = (28, 32, 40, 48)
"""The heights in pixels to which a text is enlarged. Each is read twice, plain and smoothed."""
SMOOTHING = 1 / 40
"""The standard deviation of the smoothing, as a share of the height."""
MARGIN = 16
"""The white margin around an enlarged text, pixels."""
FEWEST, SHARE = 3, 0.75
"""The fewest readings that must name the same length, and the least share of all readings that name a length."""
NM = {"n": 1.0, "µ": 1e3, "m": 1e6}
LEADING = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""The allowed lengths of a bar, apart from a power of ten."""

# Tesseract may read a micro sign as one or two of these letters, and a digit as one of the letters below.
_LENGTH = re.compile(r"(?P<number>.+?)(?P<unit>n|m|[uµμpyjwvU]{1,2})[mM]{1,2}")
_HINT = re.compile(r"[0-9lIi|oOsSzZT].*[mM]")
_NUMBER = re.compile(r"[1-9]\d{0,3}(\.\d{1,2})?|0\.\d{1,2}")
_DIGITS = {**dict.fromkeys("lIi|tTL!", "1"), **dict.fromkeys("zZ", "2"), **dict.fromkeys("sS$", "5")}
_TO_DIGITS = str.maketrans({**_DIGITS, **dict.fromkeys("oOQD@", "0"), ",": "."})


@dataclass(frozen=True)
class Text:
    """A text near a bar.

    Attributes
    ----------
    pixels : (h, w) uint8, black on white.
    distance : from the bar, in heights of a letter.
    number : the pixels of the number before the unit if the last letters have the shape of `µm`, otherwise None.
    ones : for each digit of this number, whether it is so narrow that it can only be 1.
    """

    pixels: np.ndarray
    distance: float
    number: np.ndarray | None = None
    ones: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Readings:
    """Readings of one text by Tesseract, in different sizes.

    Attributes
    ----------
    whole : the readings of the whole text.
    number : the readings of the number before its `µm`, if the text has the shape of one (`Text.number`).
    ones : for each digit of this number, whether it is so narrow that it can only be 1.
    """

    whole: Sequence[str] = ()
    number: Sequence[str] = ()
    ones: tuple[bool, ...] = ()

    @property
    def usual(self) -> str:
        """Return the most frequent reading of the whole text."""
        return max(self.whole, key=self.whole.count)


def texts_near(grey: np.ndarray, bar: Bar, height: int, ink_share: float = INK) -> list[Text]:
    """Find the texts near a bar, or in its gap, that may name a length; the nearest comes first.

    `grey` (h, W) uint8 are some rows of an image that has `height` rows. Pixels of letters have at least `ink_share` of
    the bar's colour; letters stand in a row and have about the same height. A text with a raised part after its unit,
    such as `nm⁻¹`, names no length. Nothing is returned if more than `MOST_LETTERS` parts may be letters.
    """
    tallest = TALLEST * height
    box = bar.gap or bar.box
    reach = round(4 * tallest)
    top, left = max(0, box.top - reach), max(0, box.left - 2 * reach)
    strength = bar.strength(grey[top : box.bottom + reach, left : box.right + 2 * reach])
    near = box.moved(-top, -left)
    ink = _without_bar(strength >= ink_share, bar, -top, -left)
    around = boxes(ink)
    letters = [part for part in around if _is_letter(part, tallest)]
    if len(letters) > MOST_LETTERS:
        return []
    lines = [_extended(line, around) for line in _rows_of(letters)]
    texts = []
    for line in lines:
        letter = max(part.height for part in line)
        extent = _extent(line)
        distance = extent.distance(near) / letter
        is_right = LETTERS[0] <= len(line) <= LETTERS[1] and extent.height <= 2.2 * letter
        is_inside = bar.gap is None or _covers(extent, near)
        if distance > FARTHEST or letter < LOWEST or not is_right or not is_inside:
            continue
        if not _is_raised(line, around) and _is_whole(line, ink, strength >= ink_share - LESS_INK):
            texts.append(_text(strength, ink, line, distance, extent))
    return sorted(texts, key=lambda text: text.distance)


def _without_bar(ink: np.ndarray, bar: Bar, rows: int, columns: int) -> np.ndarray:
    """Return the ink, (h, w) bool, without the parts that touch the bar's line.

    `rows` and `columns` move the bar from the image's coordinates to those of `ink`.
    """
    line, gap = bar.line.moved(rows, columns), bar.gap.moved(rows, columns) if bar.gap else None
    is_line = np.zeros_like(ink)
    is_line[max(0, line.top - 1) : line.bottom + 1, max(0, line.left - 1) : line.right + 1] = True
    if gap:
        is_line[:, gap.left + 1 : gap.right - 1] = False
    labels = parts(ink)
    touching = np.unique(labels[is_line])
    return np.asarray(ink & ~is_line & ~np.isin(labels, touching[touching > 0]))


def _covers(text: Box, gap: Box) -> bool:
    """Return whether a text is in the gap of a bar."""
    is_between = text.left >= gap.left - 2 and text.right <= gap.right + 2
    return is_between and text.top <= gap.top and text.bottom >= gap.bottom


def _is_letter(part: Box, tallest: float) -> bool:
    return 4 <= part.height <= tallest and part.width <= 6 * part.height


def _rows_of(letters: Sequence[Box]) -> list[list[Box]]:
    """Return groups of letters that stand side by side, each from left to right."""
    rows: list[list[Box]] = []
    growing: list[list[Box]] = []  # the rows that end so near that a letter may still follow
    widest = SPACE * max((letter.height for letter in letters), default=0)
    for letter in sorted(letters, key=lambda part: part.left):
        growing = [row for row in growing if letter.left - max(part.right for part in row[-4:]) <= widest]
        for row in growing:
            if any(_is_beside(other, letter) for other in row[-4:]):
                row.append(letter)
                break
        else:
            growing.append([letter])
            rows.append(growing[-1])
    return rows


def _is_beside(one: Box, other: Box) -> bool:
    lower, taller = sorted((one.height, other.height))
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    gap = other.left - one.right
    return taller <= 2.3 * lower and overlap >= 0.6 * lower and gap <= SPACE * taller


def _extended(line: list[Box], around: Sequence[Box]) -> list[Box]:
    """Return the letters of a line with its decimal points, which are not as high as letters."""
    extent, letter = _extent(line), max(part.height for part in line)
    points = [
        part
        for part in around
        if part not in line
        and part.height <= 0.35 * letter
        and extent.left < part.left < extent.right
        and extent.bottom - 0.6 * letter <= part.top
        and part.bottom <= extent.bottom + 0.3 * letter
    ]
    return sorted([*line, *points], key=lambda part: part.left)


def _extent(line: Sequence[Box]) -> Box:
    return Box(
        min(part.top for part in line),
        max(part.bottom for part in line),
        min(part.left for part in line),
        max(part.right for part in line),
    )


def _is_raised(line: Sequence[Box], around: Sequence[Box]) -> bool:
    """Return whether a small raised part, such as the exponent of nm⁻¹, follows the text."""
    extent = _extent(line)
    digit = line[0]
    for part in around:
        is_behind = extent.left + 0.6 * extent.width <= part.left <= extent.right + digit.height
        is_high = part.bottom <= digit.top + 0.62 * digit.height and part.top >= digit.top - 0.8 * digit.height
        is_small = part.height <= 0.75 * digit.height and 2 <= part.width <= digit.height
        if is_behind and is_high and is_small:
            return True
    return False


def _is_whole(line: Sequence[Box], ink: np.ndarray, weak: np.ndarray) -> bool:
    """Return whether no letter is missing, since `100` without a digit would be another number."""
    extent, letter = _extent(line), max(part.height for part in line)
    line = [part for part in line if part.height >= 0.5 * letter]  # without points, also those inside a zero
    before = slice(max(0, extent.left - 2 - round(MISSING * letter)), max(0, extent.left - 2))
    spaces = [(ink, before)] + [
        (weak, slice(one.right + 2, other.left - 2))
        for one, other in pairwise(line)
        if other.left - one.right > MISSING * letter
    ]
    rows = slice(line[0].top, line[0].bottom)
    return not any(mask[rows, columns].any(axis=1).sum() >= 0.5 * letter for mask, columns in spaces)


def _text(strength: np.ndarray, ink: np.ndarray, line: list[Box], distance: float, extent: Box) -> Text:
    """Return the text of a line of letters, with everything around the letters made white."""
    letters = np.zeros_like(ink)
    for part in line:
        letters[part.top : part.bottom, part.left : part.right] = ink[part.top : part.bottom, part.left : part.right]
    close = ndimage.binary_dilation(letters, iterations=2)
    pixels = (255 - 255 * np.where(close, strength, 0)).astype(np.uint8)
    rows = slice(max(0, extent.top - 2), extent.bottom + 2)
    start = max(0, extent.left - 2)
    whole = pixels[rows, start : extent.right + 2]
    micro = _micro(line)
    if micro is None:
        return Text(whole, distance)
    upper = slice(max(0, extent.top - 2), line[-1].bottom + 2)
    number = pixels[upper, start : max(start + 4, micro.left - 1)]
    digits = [part for part in line[:-2] if part.height >= 0.5 * micro.height]
    return Text(whole, distance, number, tuple(part.width <= ONE * part.height for part in digits))


def _micro(line: Sequence[Box]) -> Box | None:
    """Return the box of the µ if the last two letters have the shape of `µm`, otherwise None.

    That is so if only the last letter but one goes below the line, and the last one is as wide as an m.
    """
    if len(line) < 3:
        return None
    *digits, micro, last = line
    letter = max(part.height for part in digits)
    is_low = micro.bottom >= last.bottom + max(2, 0.12 * letter)
    others = all(part.bottom <= last.bottom + max(1, 0.08 * letter) for part in digits)
    return micro if is_low and others and last.width >= 0.9 * last.height else None


def recognise(texts: Sequence[Text]) -> list[Readings]:
    """Read each text, and the number in it, by Tesseract; each is enlarged in several ways and read several times.

    One process of Tesseract reads them all. Raises `UserError` if the program `tesseract` is not installed or fails.
    """
    chosen = _promising(texts) if len(texts) >= SCREEN else list(range(len(texts)))
    images = [image for i in chosen for image in (texts[i].pixels, texts[i].number) if image is not None]
    pages = [page for image in images for page in _enlarged(image)]
    read, variants = _recognise(pages), 2 * len(HEIGHTS)
    each = iter(read[start : start + variants] for start in range(0, len(pages), variants))
    readings = [Readings(("",))] * len(texts)
    for i in chosen:
        whole = next(each)
        readings[i] = Readings(whole, next(each) if texts[i].number is not None else (), texts[i].ones)
    return readings


def _promising(texts: Sequence[Text]) -> list[int]:
    """Return the indices of the texts that may name a length: a number and an m are read in them at one of two
    sizes."""
    pages = [page for text in texts for page in list(_enlarged(text.pixels))[2:6:3]]
    read = _recognise(pages)
    return [
        i for i, text in enumerate(texts) if text.number is not None or any(map(_HINT.search, read[2 * i : 2 * i + 2]))
    ]


def _recognise(pages: Sequence[Image.Image]) -> list[str]:
    if not pages:
        return []
    os.environ["OMP_THREAD_LIMIT"] = "1"  # more threads are slower for a line of text
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pages.tif"
        pages[0].save(file, save_all=True, append_images=pages[1:])
        try:
            read = pytesseract.image_to_string(str(file), lang="eng", config="--oem 1 --psm 7")
        except pytesseract.TesseractNotFoundError:
            raise UserError(
                "config: intake.scale_bars: found no program tesseract, which reads the scales of images without "
                "metadata; install it (Debian: tesseract-ocr, conda-forge: tesseract)"
            ) from None
        except pytesseract.TesseractError as error:
            raise UserError(f"config: intake.scale_bars: tesseract failed: {' '.join(error.message.split())}") from None
    return [" ".join(page.split()) for page in read.split("\f")[: len(pages)]]


def _enlarged(text: np.ndarray) -> Iterator[Image.Image]:
    image = Image.fromarray(text)
    for height in HEIGHTS:
        width = max(1, round(image.width * height / image.height))
        page = Image.new("L", (width + 2 * MARGIN, height + 2 * MARGIN), 255)
        page.paste(image.resize((width, height), Image.Resampling.BICUBIC), (MARGIN, MARGIN))
        yield page
        yield page.filter(ImageFilter.GaussianBlur(SMOOTHING * height))


def length_of(text: str) -> float | None:
    """Return the length in nanometres that a text names, or None.

    The text must be a round number with nm, µm or mm, including Tesseract's common misreadings of these. Nothing may
    follow the unit, because the exponent of nm⁻¹ is read as a quotation mark.
    """
    match = _LENGTH.fullmatch(text.replace(" ", "").lstrip(":;-_~*°'\"‘’“”").rstrip(".,:;_~"))
    return _nm(match["number"], NM.get(match["unit"], NM["µ"])) if match else None


def _nm(number: str, unit: float) -> float | None:
    number = number.replace(" ", "").translate(_TO_DIGITS)
    if not _NUMBER.fullmatch(number) or not float(number):
        return None
    if float(f"{float(number):e}".partition("e")[0]) not in LEADING:
        return None
    return round(float(number) * unit, 6)


def nearest_length(nm: float) -> float:
    """Return the round length nearest to `nm`, nanometres."""
    power = 10 ** floor(log10(nm))
    return power * min((*LEADING, 10), key=lambda leading: abs(log(leading * power / nm)))


def agreed(read: Readings) -> tuple[float, float] | None:
    """Return the length in nanometres that the readings of a text agree on, and the share of readings that name it.

    Readings of the number before `µm` must agree with each other, and with those readings of the whole text that name a
    length. A reading does not count if it has another digit where only a 1 is possible. Returns None if there is no
    agreement.
    """
    numbers = [text.strip(".,:;-_").replace(" ", "") for text in read.number]
    parted = [length for text in numbers if _fits(text, read.ones) and (length := _nm(text, NM["µ"]))]
    whole = [length for text in read.whole if _fits(text, read.ones) and (length := length_of(text))]
    of_whole, of_parts = _majority(whole), _majority(parted)
    is_split = (len(set(whole)) > 1 and not of_whole) or (len(set(parted)) > 1 and not of_parts)
    named = {*([of_whole] if of_whole else whole), *([of_parts] if of_parts else parted)}
    if is_split or len(named) > 1:
        return None
    length = of_whole or of_parts
    if not length:
        return None
    return length, (whole if of_whole else parted).count(length) / len(read.whole if of_whole else read.number)


def _fits(text: str, ones: Sequence[bool]) -> bool:
    """Return whether a reading has enough digits, and a 1 for each digit that can only be 1."""
    digits = [letter for letter in text.replace(" ", "").translate(_TO_DIGITS) if letter.isdigit()]
    is_long = len(digits) >= len(ones)
    return is_long and all(digit == "1" for digit, is_one in zip(digits, ones, strict=False) if is_one)


def _majority(lengths: Sequence[float]) -> float | None:
    if not lengths:
        return None
    (length, votes), *_ = Counter(lengths).most_common(1)
    return length if votes >= FEWEST and votes >= SHARE * len(lengths) else None
