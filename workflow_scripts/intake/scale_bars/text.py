"""The text of a scale: where it stands, what Tesseract reads in it, and the length that it names."""

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
"""Widest space inside a text, in heights of a letter."""
FARTHEST = 2.5
"""Largest distance of a text from its bar, in heights of a letter."""
LOWEST, TALLEST = 6, 0.08
"""Height of the letters: least in pixels, below which 3 is read as 5, and largest of the image's."""
LETTERS = (2, 12)
"""Fewest and most parts of a text that may be a length."""
INK, STRONG_INK, LESS_INK = 0.5, 0.75, 0.2
"""Share of the bar's colour from which a pixel is ink; the second where the ground is an image; and by how much less
ink shows that a letter is missing."""
MISSING = 0.4
"""Gap between letters, and before the first, in heights of a letter, in which a letter may be missing."""
ONE = 0.42
"""Width of a digit, of its height, below which it can only be 1."""
SCREEN = 4
"""Texts from which on each is first read twice, to see whether it may name a length at all."""
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
_HINT = re.compile(r"[0-9lIi|oOsSzZT].*[mM]")
_NUMBER = re.compile(r"[1-9]\d{0,3}(\.\d{1,2})?|0\.\d{1,2}")
_DIGITS = {**dict.fromkeys("lIi|tTL!", "1"), **dict.fromkeys("zZ", "2"), **dict.fromkeys("sS$", "5")}
_TO_DIGITS = str.maketrans({**_DIGITS, **dict.fromkeys("oOQD@", "0"), ",": "."})


@dataclass(frozen=True)
class Text:
    """A text near a bar: its pixels, (h, w) uint8, black on white; its distance in heights of a letter; and, where its
    last letters are `µm` by their shape, the pixels of the number before them and which of its digits can only be 1."""

    pixels: np.ndarray
    distance: float
    number: np.ndarray | None = None
    ones: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Readings:
    """What was read in a text, and in the number before its `µm`; `ones` as in `Text`."""

    whole: Sequence[str] = ()
    number: Sequence[str] = ()
    ones: tuple[bool, ...] = ()

    @property
    def usual(self) -> str:
        return max(self.whole, key=self.whole.count)


def texts_near(grey: np.ndarray, bar: Bar, height: int, ink_share: float = INK) -> list[Text]:
    """Return the texts near a bar, or in its gap, that may name a length, the nearest first.

    `grey` are rows of an image of `height` rows, (h, W) uint8. Letters have the bar's colour or more of it, stand in a
    row and are of about one height. A text with a raised part behind its unit, `nm⁻¹`, names no length.
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
    """The ink, (h, w) bool, without the parts that touch the bar's line, which lies moved by `rows` and `columns`."""
    line, gap = bar.line.moved(rows, columns), bar.gap.moved(rows, columns) if bar.gap else None
    is_line = np.zeros_like(ink)
    is_line[max(0, line.top - 1) : line.bottom + 1, max(0, line.left - 1) : line.right + 1] = True
    if gap:
        is_line[:, gap.left + 1 : gap.right - 1] = False
    labels = parts(ink)
    own = np.unique(labels[is_line])
    return np.asarray(ink & ~is_line & ~np.isin(labels, own[own > 0]))


def _covers(text: Box, gap: Box) -> bool:
    """Whether a text stands in the gap of a bar."""
    is_between = text.left >= gap.left - 2 and text.right <= gap.right + 2
    return is_between and text.top <= gap.top and text.bottom >= gap.bottom


def _is_letter(part: Box, tallest: float) -> bool:
    return 4 <= part.height <= tallest and part.width <= 6 * part.height


def _rows_of(letters: Sequence[Box]) -> list[list[Box]]:
    """Letters that stand side by side, from left to right."""
    rows: list[list[Box]] = []
    for letter in sorted(letters, key=lambda part: part.left):
        for row in rows:
            if any(_is_beside(other, letter) for other in row[-4:]):
                row.append(letter)
                break
        else:
            rows.append([letter])
    return rows


def _is_beside(one: Box, other: Box) -> bool:
    lower, taller = sorted((one.height, other.height))
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    gap = other.left - one.right
    return taller <= 2.3 * lower and overlap >= 0.6 * lower and gap <= SPACE * taller


def _extended(line: list[Box], around: Sequence[Box]) -> list[Box]:
    """With the points of a number, which are lower than letters."""
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
    """Whether something small stands high behind the text: the exponent of 1/nm."""
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
    """Whether no letter is missing: `100` without its first or second digit would be another number."""
    extent, letter = _extent(line), max(part.height for part in line)
    line = [part for part in line if part.height >= 0.5 * letter]  # neither points nor those inside a zero
    before = slice(max(0, extent.left - 2 - round(MISSING * letter)), max(0, extent.left - 2))
    spaces = [(ink, before)] + [
        (weak, slice(one.right + 2, other.left - 2))
        for one, other in pairwise(line)
        if other.left - one.right > MISSING * letter
    ]
    rows = slice(line[0].top, line[0].bottom)
    return not any(mask[rows, columns].any(axis=1).sum() >= 0.5 * letter for mask, columns in spaces)


def _text(strength: np.ndarray, ink: np.ndarray, line: list[Box], distance: float, extent: Box) -> Text:
    """The pixels of a line, without what stands around its letters."""
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
    """The last letter but one, if only it goes below the line, as that of `µm` does, and the last is as wide as `m`."""
    if len(line) < 3:
        return None
    *digits, micro, last = line
    letter = max(part.height for part in digits)
    is_low = micro.bottom >= last.bottom + max(2, 0.12 * letter)
    others = all(part.bottom <= last.bottom + max(1, 0.08 * letter) for part in digits)
    return micro if is_low and others and last.width >= 0.9 * last.height else None


def recognise(texts: Sequence[Text]) -> list[Readings]:
    """Return what Tesseract reads in each text, and in its number, enlarged in several ways; one process for all.

    Raises `UserError` if the program `tesseract` is not there or does not work.
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
    """Which texts may name a length: those in which a number and an `m` are read at one of two sizes."""
    pages = [page for text in texts for page in list(_enlarged(text.pixels))[2:6:3]]
    read = _recognise(pages)
    return [
        i for i, text in enumerate(texts) if text.number is not None or any(map(_HINT.search, read[2 * i : 2 * i + 2]))
    ]


def _recognise(pages: Sequence[Image.Image]) -> list[str]:
    if not pages:
        return []
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


def _enlarged(text: np.ndarray) -> Iterator[Image.Image]:
    image = Image.fromarray(text)
    for height in HEIGHTS:
        width = max(1, round(image.width * height / image.height))
        page = Image.new("L", (width + 2 * MARGIN, height + 2 * MARGIN), 255)
        page.paste(image.resize((width, height), Image.Resampling.BICUBIC), (MARGIN, MARGIN))
        yield page
        yield page.filter(ImageFilter.GaussianBlur(SMOOTHING * height))


def length_of(text: str) -> float | None:
    """Return the length that a text names, nanometres: a round number with nm, µm or mm, as Tesseract may misread them.

    Nothing may follow the unit: `10 nm"` is how the exponent of 1/nm is read.
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
    """Return the length that a bar of about `nm` nanometres stands for."""
    power = 10 ** floor(log10(nm))
    return power * min((*LEADING, 10), key=lambda leading: abs(log(leading * power / nm)))


def agreed(read: Readings) -> tuple[float, float] | None:
    """Return the length that the readings of one text agree upon, nanometres, and the share of them that name it.

    Those of the number before `µm` have to agree with one another, and with those of the whole text as far as these
    name a length. A reading that has another digit where only a 1 can be does not count.
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
    """Whether a reading has as many digits as there are, and a 1 where there can only be one."""
    digits = [letter for letter in text.replace(" ", "").translate(_TO_DIGITS) if letter.isdigit()]
    is_long = len(digits) >= len(ones)
    return is_long and all(digit == "1" for digit, is_one in zip(digits, ones, strict=False) if is_one)


def _majority(lengths: Sequence[float]) -> float | None:
    if not lengths:
        return None
    (length, votes), *_ = Counter(lengths).most_common(1)
    return length if votes >= FEWEST and votes >= SHARE * len(lengths) else None
