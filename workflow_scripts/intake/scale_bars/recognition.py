"""Recognise the texts near a scale bar with Tesseract, a program for text recognition."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytesseract
from PIL import Image, ImageFilter

from workflow_scripts.errors import UserError
from workflow_scripts.intake.scale_bars.lengths import Readings
from workflow_scripts.intake.scale_bars.text import Text

SCREEN = 4
"""From this number of texts on, each is first read at two sizes only, so that texts that name no length are
discarded."""
HEIGHTS = (28, 32, 40, 48)
"""The heights in pixels to which a text is enlarged. Each is read twice, plain and smoothed."""
SMOOTHING = 1 / 40
"""The standard deviation of the smoothing, as a share of the height."""
MARGIN = 16
"""The white margin around an enlarged text, pixels."""
_HINT = re.compile(r"[0-9lIi|oOsSzZT].*[mM]")


def recognise(texts: Sequence[Text]) -> list[Readings]:
    """Read each text with the program Tesseract, and the number in it once more by itself; return the readings.

    The pixels are enlarged to several heights, and each enlarged image is read twice, all in one process of Tesseract.
    If there are `SCREEN` texts or more, only texts that may name a length are read in this way, and the others get an
    empty reading. Raises `UserError` if `tesseract` is not installed or fails.
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
    """Return the indices of the texts that may name a length.

    These are the texts that look like a number and `µm`, and the texts in which Tesseract, at one of two sizes, reads a
    digit (or a letter that looks like one) and later an m.
    """
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
