"""Search for the texts near a scale bar that may name its length."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from workflow_scripts.intake.scale_bars.bar import Bar, Box, boxes, parts

SPACE = 1.6
"""The widest space inside a text, in heights of a letter."""
FARTHEST = 2.5
"""The largest distance of a text from its bar, in heights of a letter."""
LOWEST = 6
"""The least height of a letter in pixels; in smaller letters 3 is read as 5."""
TALLEST = 0.08
"""The largest height of a letter, as a share of the image's height."""
MOST_LETTERS = 2000
"""Largest number of parts near a bar that may be letters. More are a texture, in which a search would take minutes."""
LETTERS = (2, 12)
"""The fewest and most letters of a text that may be a length."""
INK = 0.5
"""A pixel is ink if it has at least this share of the bar's colour."""
STRONG_INK = 0.75
"""The same share for a text that stands on the image itself."""
LESS_INK = 0.2
"""When missing letters are looked for, a pixel counts as ink although this share is lower by so much."""
MISSING = 0.4
"""The width, in heights of a letter, of a gap before or between letters from which on a letter may be missing."""
ONE = 0.42
"""The largest ratio of width to height of a digit that can only be 1."""


@dataclass(frozen=True)
class Text:
    """A text near a bar.

    Attributes
    ----------
    pixels : (h, w) uint8, black on white.
    distance : from the bar, in heights of a letter.
    number : the pixels of the number before the unit if the last letters have the shape of `µm`, otherwise None.
    ones : for each digit of `number`, whether it is so narrow that it can only be 1.
    """

    pixels: np.ndarray
    distance: float
    number: np.ndarray | None = None
    ones: tuple[bool, ...] = ()


def texts_near(grey: np.ndarray, bar: Bar, height: int, ink_share: float = INK) -> list[Text]:
    """Find the texts near a bar, or in its gap, that may name a length; the nearest comes first.

    `grey` (h, W) uint8 are some rows of an image that has `height` rows. A pixel is part of a letter if its grey level
    is at least the share `ink_share` of the way from the background's to the bar's. The letters of a text stand in a
    row and have about the same height. A text with a raised part after its unit, such as `nm⁻¹`, names no length.
    Nothing is returned if more than `MOST_LETTERS` parts of the image may be letters.
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
    """Return the letters of a line together with its decimal points, which are too low to count as letters."""
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
    """Return whether no letter of a line is missing. If a digit of `100` is missed, another number is read.

    `ink` (h, w) bool are the pixels that may belong to letters. `weak` (h, w) bool are these and the pixels whose
    colour is a little less like the bar's.
    """
    extent, letter = _extent(line), max(part.height for part in line)
    line = [part for part in line if part.height >= 0.5 * letter]  # no points, also not inside a zero
    before = slice(max(0, extent.left - 2 - round(MISSING * letter)), max(0, extent.left - 2))
    spaces = [(ink, before)] + [
        (weak, slice(one.right + 2, other.left - 2))
        for one, other in pairwise(line)
        if other.left - one.right > MISSING * letter
    ]
    rows = slice(line[0].top, line[0].bottom)
    return not any(mask[rows, columns].any(axis=1).sum() >= 0.5 * letter for mask, columns in spaces)


def _text(strength: np.ndarray, ink: np.ndarray, line: list[Box], distance: float, extent: Box) -> Text:
    """Return the `Text` of a line of letters; in its pixels, everything around the letters is white.

    `strength` (h, w) says how similar each pixel is to the bar, from 0 to 1. `ink` (h, w) bool says which pixels may
    belong to letters. `distance` is the distance from the bar, in heights of a letter, and `extent` the box around the
    line.
    """
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

    They have this shape if only the first of them goes below the line, and the second is as wide as an m.
    """
    if len(line) < 3:
        return None
    *digits, micro, last = line
    letter = max(part.height for part in digits)
    is_low = micro.bottom >= last.bottom + max(2, 0.12 * letter)
    others = all(part.bottom <= last.bottom + max(1, 0.08 * letter) for part in digits)
    return micro if is_low and others and last.width >= 0.9 * last.height else None
