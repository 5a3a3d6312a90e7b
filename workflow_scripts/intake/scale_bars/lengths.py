"""Find the length of a scale bar. Its text is read several times, and most readings must name the same length."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log, log10

FEWEST = 3
"""The fewest readings that must name the same length."""
SHARE = 0.75
"""The least share of the readings with a length that must name the same length."""
NM = {"n": 1.0, "µ": 1e3, "m": 1e6}
"""Nanometres of a unit, by its first letter."""
LEADING = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
"""The allowed lengths of a bar, divided by a power of ten."""
# Tesseract may read a micro sign as one or two of these letters, and a digit as one of the letters below.
_LENGTH = re.compile(r"(?P<number>.+?)(?P<unit>n|m|[uµμpyjwvU]{1,2})[mM]{1,2}")
_NUMBER = re.compile(r"[1-9]\d{0,3}(\.\d{1,2})?|0\.\d{1,2}")
_DIGITS = {**dict.fromkeys("lIi|tTL!", "1"), **dict.fromkeys("zZ", "2"), **dict.fromkeys("sS$", "5")}
_TO_DIGITS = str.maketrans({**_DIGITS, **dict.fromkeys("oOQD@", "0"), ",": "."})


@dataclass(frozen=True)
class Readings:
    """The readings of one text: Tesseract reads it several times, at different sizes.

    Attributes
    ----------
    whole : the readings of the whole text.
    number : the readings of the number alone, if the text looks like a number and `µm` (see `Text.number`).
    ones : for each digit of this number, whether it is so narrow that it can only be 1.
    """

    whole: Sequence[str] = ()
    number: Sequence[str] = ()
    ones: tuple[bool, ...] = ()

    @property
    def usual(self) -> str:
        """Return the most frequent reading of the whole text."""
        return max(self.whole, key=self.whole.count)


def length_of(text: str) -> float | None:
    """Return the length in nanometres that a text names, or None.

    The text must be a round number with nm, µm or mm; common misreadings by Tesseract are allowed. Nothing may follow
    the unit, because the exponent of nm⁻¹ is read as a quotation mark.
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
    """Return the usual length of a scale bar that is nearest to `nm`, in nanometres. Usual lengths are the numbers
    `LEADING` times a power of ten."""
    power = 10 ** floor(log10(nm))
    return power * min((*LEADING, 10), key=lambda leading: abs(log(leading * power / nm)))


def agreed(read: Readings) -> tuple[float, float] | None:
    """Return the length in nanometres on which the readings of a text agree, and the share of readings that name it.
    Return None if they do not agree.

    A text has two sets of readings: of the whole text, and of its number alone. The readings of one set agree if at
    least `FEWEST` of them name the same length, and if these are at least the share `SHARE` of all readings of the set
    that name a length. One set must agree. The other set may agree too, but on the same length only; if it does not
    agree, its readings may name no other length. A reading does not count if `_fits` returns False.
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
    """Return whether a reading has enough digits, and a 1 in each place where only a 1 is possible."""
    digits = [letter for letter in text.replace(" ", "").translate(_TO_DIGITS) if letter.isdigit()]
    is_long = len(digits) >= len(ones)
    return is_long and all(digit == "1" for digit, is_one in zip(digits, ones, strict=False) if is_one)


def _majority(lengths: Sequence[float]) -> float | None:
    if not lengths:
        return None
    (length, votes), *_ = Counter(lengths).most_common(1)
    return length if votes >= FEWEST and votes >= SHARE * len(lengths) else None
