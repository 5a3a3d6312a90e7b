"""Read the scale of a micrograph, from its metadata and from the bar and the text in the image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from workflow_scripts.errors import UserError
from workflow_scripts.intake.scale_bars.bar import Bar, find_bars
from workflow_scripts.intake.scale_bars.lengths import agreed, nearest_length
from workflow_scripts.intake.scale_bars.metadata import Calibration, calibration
from workflow_scripts.intake.scale_bars.recognition import recognise
from workflow_scripts.intake.scale_bars.stripe import GreyLevels, Stripe, find_stripes
from workflow_scripts.intake.scale_bars.text import INK, STRONG_INK, texts_near
from workflow_scripts.io.pixels import Rows
from workflow_scripts.io.rejections import ImageRejected
from workflow_scripts.io.tiff_rows import open_image

NM_PER_PIXEL = (0.005, 40_000.0)
"""Smallest and largest plausible size of a pixel, nanometres."""
TOLERANCE = 0.03
"""The largest relative difference of two scales, or of a bar's length and a round number, that still agree."""
MOST_BARS = 8
"""The largest number of bars in an image for which texts are read."""
MOST_TEXTS = 3
"""The largest number of texts that are read near a bar."""
ALONE = 1.5
"""A text with another length must be farther from the bar than the nearest text by this many heights of a letter."""
EXTREME = 40
"""The largest difference between the grey level of a bar outside a stripe and black or white."""
AROUND = 0.02
"""How far a bar may extend beyond its stripe, as a share of the image's height."""


class Reason(StrEnum):
    """The reasons why an image has no scale, or no length of a bar."""

    NO_STRIPE = "no stripe"
    NO_BAR = "no bar"
    NO_TEXT = "no text"
    UNREADABLE = "unreadable"
    IMPLAUSIBLE = "implausible"
    DISAGREE = "metadata and bar disagree"
    BY_HAND = "set by hand"
    TWO_SCALES = "two scales disagree"
    NO_IMAGE = "no image"


@dataclass(frozen=True)
class Reading:
    """The scale of an image. Numbers that are not known are NaN, and `reason` says why.

    Attributes
    ----------
    scale_um : the length that the bar stands for, micrometres.
    bar_px : the length of the bar, pixels.
    bar_x, bar_y : the column of the bar's left end and the row of its middle, pixels.
    nm_per_pixel : the size of a pixel, nanometres.
    field_um : the width of the image, micrometres.
    confidence : the share of readings of the text that agree; 1 for metadata.
    source : the maker of the microscope whose metadata were read, `image` if the bar was read, or `hand` if the scale
        is from a table of corrections.
    text : the most frequent reading of the text.
    reason : one of `Reason`, or empty.
    """

    scale_um: float = np.nan
    bar_px: float = np.nan
    nm_per_pixel: float = np.nan
    field_um: float = np.nan
    confidence: float = np.nan
    source: str = ""
    text: str = ""
    reason: str = ""
    bar_x: float = np.nan
    bar_y: float = np.nan

    def with_bar(self, bar: Bar, top: int = 0) -> "Reading":
        """Return the reading with the length and the place of a bar.

        The bar's rows are counted from row `top` of the image.
        """
        x, y = bar.start
        return replace(self, bar_px=bar.length, bar_x=x, bar_y=top + y)


class _Failed(Exception):  # noqa: N818 - an outcome, not a failure
    """Raised if no scale can be read, with the reason."""

    def __init__(self, reason: Reason, text: str = "", bar: Bar | None = None) -> None:
        super().__init__(reason)
        reading = Reading(reason=reason, text=text)
        self.reading = reading.with_bar(bar) if bar else reading

    def below(self, rows: int) -> "_Failed":
        """Add `rows` to the row of the bar in the reading, and return the failure.

        The bar was found in a part of the image, which begins `rows` rows below the image's top.
        """
        self.reading = replace(self.reading, bar_y=self.reading.bar_y + rows)
        return self


@dataclass(frozen=True)
class _Named:
    """A bar, and the length that a text near it names.

    Attributes
    ----------
    bar : the bar.
    nm : the length, nanometres.
    confidence : the share of readings of the text that name this length.
    text : the most frequent reading of the text.
    distance : from the text to the bar, in heights of a letter.
    top : the row of the image from which the bar's rows are counted.
    """

    bar: Bar
    nm: float
    confidence: float
    text: str
    distance: float
    top: int = 0

    @property
    def nm_per_pixel(self) -> float:
        return self.nm / self.bar.length


def read_scale(path: Path, max_pixels: int | None = None) -> Reading:
    """Read the scale of an image file.

    The size of a pixel is taken from the metadata if there are any, otherwise from a bar and the text near it. A text
    counts only if several readings of it, enlarged in different ways, agree on a round length. If metadata and bar
    disagree, there is no scale. Raises `UserError` if Tesseract is needed but not installed.
    """
    try:
        with open_image(path, max_pixels) as image:
            grey = GreyLevels(image.pixels)
            known = calibration(path, grey.shape[1], grey.shape[0])
            reading = _by_metadata(grey, known) if known else _by_bar(grey)
    except ImageRejected:
        return Reading(reason=Reason.NO_IMAGE)
    except _Failed as failure:
        return failure.reading
    return replace(reading, field_um=reading.nm_per_pixel * grey.shape[1] / 1e3)


def _by_metadata(grey: Rows, known: Calibration) -> Reading:
    reading = Reading(nm_per_pixel=known.nm_per_pixel, confidence=1, source=known.maker)
    try:
        named = _named(grey)
    except _Failed as failure:
        return _by_length(grey, reading, failure.reading.reason)
    except UserError:  # without Tesseract the metadata are still valid
        return _by_length(grey, reading, Reason.UNREADABLE)
    if abs(named.nm_per_pixel / known.nm_per_pixel - 1) > TOLERANCE + 1 / named.bar.length:
        raise _Failed(Reason.DISAGREE, named.text, named.bar).below(named.top)
    return replace(reading, scale_um=named.nm / 1e3, text=named.text).with_bar(named.bar, named.top)


def _by_length(grey: Rows, reading: Reading, reason: str) -> Reading:
    """Return the reading with the length of the bar, in micrometres, for an image whose text cannot be read.

    The length is that of the bar in pixels times the size of a pixel, rounded to a usual length. The bar must be in
    the data stripes at the upper and lower edge of the image. If they do not have exactly one bar, the reading gets the
    `reason` instead. Raises `_Failed` if the length is not close to a usual one.
    """
    bars = [
        (bar, stripe.top)
        for stripe in find_stripes(grey)
        for bar in find_bars(grey[stripe.top : stripe.bottom], len(grey))
    ]
    if len(bars) != 1:
        return replace(reading, reason=reason)
    bar, top = bars[0]
    nm = nearest_length(bar.length * reading.nm_per_pixel)
    if abs(nm / reading.nm_per_pixel - bar.length) > TOLERANCE * bar.length + 1:
        raise _Failed(Reason.DISAGREE, bar=bar).below(top)
    return replace(reading, scale_um=nm / 1e3).with_bar(bar, top)


def _by_bar(grey: Rows) -> Reading:
    named = _named(grey)
    if not NM_PER_PIXEL[0] <= named.nm_per_pixel <= NM_PER_PIXEL[1]:
        raise _Failed(Reason.IMPLAUSIBLE, named.text, named.bar).below(named.top)
    reading = Reading(named.nm / 1e3, nm_per_pixel=named.nm_per_pixel, confidence=named.confidence, source="image")
    return replace(reading, text=named.text).with_bar(named.bar, named.top)


def _named(grey: Rows) -> _Named:
    """Return the bar whose length is named by a text, with this length.

    The bar is searched for in the data stripes (at the upper and lower edge of the image), then in the stripes and the
    rows around them, then in the whole image. Raises `_Failed` if there is no such bar, or if several bars give
    different scales.
    """
    height, stripes = len(grey), find_stripes(grey)
    failures: list[_Failed] = []
    for margin in (0, round(AROUND * height)):
        results = [_named_around(grey, stripe, margin) for stripe in stripes]
        if named := [result for result in results if isinstance(result, _Named)]:
            return _only(named)
        failures += [result for result in results if isinstance(result, _Failed)]
    try:
        return _named_in(grey[:], height)
    except _Failed as failure:
        if failures:
            raise failures[0] from None
        # lines in an image look like bars, so the reason of this failure would mislead
        raise _Failed(Reason.NO_STRIPE, failure.reading.text) from None


def _named_around(grey: Rows, stripe: Stripe, margin: int) -> _Named | _Failed:
    """Return the named bar in a data stripe and the `margin` rows above and below it, or why there is none.

    Raises `_Failed` if several bars give different scales.
    """
    top = max(0, stripe.top - margin)
    try:
        return replace(_named_in(grey[top : stripe.bottom + margin], len(grey)), top=top)
    except _Failed as failure:
        failure.below(top)
        if failure.reading.reason == Reason.TWO_SCALES:
            raise
        return failure


def _named_in(rows: np.ndarray, height: int) -> _Named:
    is_whole = len(rows) == height
    bars = sorted(find_bars(rows, height), key=lambda bar: -abs(bar.level - bar.ground))[:MOST_BARS]
    if is_whole:
        bars = [bar for bar in bars if not EXTREME < bar.level < 255 - EXTREME]
    if not bars:
        raise _Failed(Reason.NO_BAR)
    inks = (INK, STRONG_INK) if is_whole else (INK,)
    texts = [(bar, text) for bar in bars for ink in inks for text in texts_near(rows, bar, height, ink)[:MOST_TEXTS]]
    if not texts:
        raise _Failed(Reason.NO_TEXT, bar=bars[0] if len(bars) == 1 else None)
    read = recognise([text for _, text in texts])
    named = [
        _Named(bar, *length, readings.usual, text.distance)
        for (bar, text), readings in zip(texts, read, strict=True)
        if (length := agreed(readings))
    ]
    if not named:
        raise _Failed(Reason.UNREADABLE, read[0].usual, texts[0][0] if len(bars) == 1 else None)
    return _only([_nearest(of_bar) for bar in bars if (of_bar := [one for one in named if one.bar is bar])])


def _nearest(named: Sequence[_Named]) -> _Named:
    """Return the length whose text is nearest to the bar. All `named` are lengths of the same bar, from different
    texts.

    Raises `_Failed` if the text of another length is about as near.
    """
    first, *others = sorted(named, key=lambda one: one.distance)
    if any(other.nm != first.nm and other.distance < first.distance + ALONE for other in others):
        raise _Failed(Reason.TWO_SCALES, first.text, first.bar)
    return first


def _only(named: Sequence[_Named]) -> _Named:
    """Return the bar with the nearest text; raise `_Failed` if several bars give different scales."""
    first, *others = sorted(named, key=lambda one: one.distance)
    for other in others:
        if abs(other.nm_per_pixel / first.nm_per_pixel - 1) > TOLERANCE:
            raise _Failed(Reason.TWO_SCALES, first.text, first.bar)
    return first
