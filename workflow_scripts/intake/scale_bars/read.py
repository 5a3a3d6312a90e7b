"""The scale of a micrograph: by its metadata, else by the bar and the text that are drawn under it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from workflow_scripts.intake.scale_bars.bar import Bar, find_bars
from workflow_scripts.intake.scale_bars.metadata import Calibration, calibration
from workflow_scripts.intake.scale_bars.stripe import contrast, find_stripes, grey_levels
from workflow_scripts.intake.scale_bars.text import agreed, nearest_length, recognise, text_beside
from workflow_scripts.io.images import ImageRejected, read_image

INK = 127
"""Contrast, of 255, above which a pixel is ink."""
NM_PER_PIXEL = (0.005, 40_000.0)
"""What a microscope's pixel can be, nanometres."""
TOLERANCE = 0.03
"""By which part a bar's length may differ from a round number, besides the pixel at each end."""


class Reason(StrEnum):
    """Why there is no scale, or no bar's length."""

    NO_STRIPE = "no stripe"
    TWO_STRIPES = "two stripes"
    NO_BAR = "no bar"
    SEVERAL_BARS = "several bars"
    NO_TEXT = "no text"
    UNREADABLE = "unreadable"
    IMPLAUSIBLE = "implausible"
    DISAGREE = "metadata and bar disagree"
    NO_IMAGE = "no image"


@dataclass(frozen=True)
class Reading:
    """What a picture says about its scale; NaN where it does not, and `reason` says why.

    `scale_um` is the length that the bar stands for and `bar_px` its pixels; `confidence` the share of readings of the
    text that agree, 1 for metadata; `source` the maker whose metadata, or `picture`; `text` the most frequent reading.
    """

    scale_um: float = np.nan
    bar_px: float = np.nan
    nm_per_pixel: float = np.nan
    confidence: float = np.nan
    source: str = ""
    text: str = ""
    reason: str = ""


class _Failed(Exception):  # noqa: N818 - an outcome, not a failure
    """There is no scale to be read, with the reason."""


def read_scale(path: Path, max_pixels: int | None = None) -> Reading:
    """The scale of a picture file.

    Metadata give the size of a pixel; the length of the bar, where one is drawn, follows from it. Without metadata bar
    and text are read; a reading counts only where several readings of the enlarged text agree upon a round length.
    Raises `UserError` if Tesseract is needed and not there.
    """
    try:
        grey = grey_levels(read_image(path, max_pixels))
        known = calibration(path, grey.shape[1])
        return _by_metadata(grey, known) if known else _by_picture(grey)
    except ImageRejected:
        return Reading(reason=Reason.NO_IMAGE)
    except _Failed as failure:
        return Reading(reason=str(failure))


def _by_metadata(grey: np.ndarray, known: Calibration) -> Reading:
    reading = Reading(nm_per_pixel=known.nm_per_pixel, confidence=1, source=known.maker)
    try:
        bar, _, _ = _bar(grey)
    except _Failed as failure:
        return replace(reading, reason=str(failure))
    nm = nearest_length(bar.length * known.nm_per_pixel)
    if abs(nm / known.nm_per_pixel - bar.length) > TOLERANCE * bar.length + 2:
        raise _Failed(Reason.DISAGREE)
    return replace(reading, scale_um=nm / 1e3, bar_px=bar.length)


def _by_picture(grey: np.ndarray) -> Reading:
    bar, strengths, ink = _bar(grey)
    text = text_beside(strengths, ink, bar)
    if text is None:
        raise _Failed(Reason.NO_TEXT)
    texts = recognise(text)
    seen = Reading(bar_px=bar.length, source="picture", text=max(texts, key=texts.count))
    found = agreed(texts)
    if found is None:
        return replace(seen, reason=Reason.UNREADABLE)
    nm, confidence = found
    if not NM_PER_PIXEL[0] <= nm / bar.length <= NM_PER_PIXEL[1]:
        return replace(seen, reason=Reason.IMPLAUSIBLE)
    return replace(seen, scale_um=nm / 1e3, nm_per_pixel=nm / bar.length, confidence=confidence)


def _bar(grey: np.ndarray) -> tuple[Bar, np.ndarray, np.ndarray]:
    """The one bar of a picture, and the contrast and the ink of the stripe that it is in."""
    stripes = find_stripes(grey)
    if len(stripes) != 1:
        raise _Failed(Reason.TWO_STRIPES if stripes else Reason.NO_STRIPE)
    strengths = contrast(grey, stripes[0])
    ink = strengths > INK
    bars = find_bars(ink)
    if len(bars) != 1:
        raise _Failed(Reason.SEVERAL_BARS if bars else Reason.NO_BAR)
    return bars[0], strengths, ink
