"""Measure the quality of each image, and make remarks on odd images, such as dark, blurred, tiny or elongated ones."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd
from PIL import Image

from workflow_scripts.io.pixels import BAND, FILE_BITS, Rows, bands, eight_bit_bands, value_range

COLUMNS = (
    *("path", "width", "height", "brightness", "contrast", "sharpness"),
    *("levels", "range_used", "remarks", "highest"),
)
WINDOW = 1024
"""Side, in pixels, of the central part of the image in which the sharpness is measured."""
DARK, BRIGHT, FLAT = 0.05, 0.95, 0.02
BLURRED = 0.05
"""The share of the median sharpness below which an image is called blurred."""
TINY = 64
ELONGATED = 4
NARROW = 1 / 8
NARROW_REMARK = "uses a small part of its range of values"
FEW_BITS = 8
"""Number of bits of a value in a file whose values have 8 bits or fewer."""
_VALUES = np.arange(256)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of the quality of an image.

    They are computed from grey levels (the luminance of a colour image), except `range_used` and `highest`, which use
    the values of all channels. Shares are shares of the range of the pixels' type (0 to 255 or 0 to 65535); for floats,
    of the range of the image's values.

    Attributes
    ----------
    brightness : mean of the grey levels, as a share.
    contrast : standard deviation of the grey levels, as a share.
    sharpness :
        variance of the Laplacian (Pech-Pacheco et al. 2000) of the central `WINDOW` x `WINDOW` pixels, divided by the
        variance of their grey levels, so that it does not depend on the contrast; 0 if they are all the same.
    levels : number of the 256 grey levels that occur.
    range_used : difference of the highest and the lowest value, as a share.
    highest : highest value, as a share; 1 for floats.
    """

    brightness: float
    contrast: float
    sharpness: float
    levels: int
    range_used: float
    highest: float


def measure(image: Rows) -> Quality:
    """Return the quality of an image (H, W) or (H, W, 3), uint8, uint16 or float32, without NaN or infinite values."""
    low, high = value_range(bands(image))
    whole = float(np.iinfo(image.dtype).max) if image.dtype.kind == "u" else high - low
    rows, columns = (slice(max(0, (side - WINDOW) // 2), (side + WINDOW) // 2) for side in image.shape[:2])
    counts, middle = np.zeros(256, int), []
    for top, levels in zip(count(0, BAND), eight_bit_bands(image)):
        grey = Image.fromarray(levels).convert("L")
        counts += grey.histogram()
        inside = np.asarray(grey)[max(0, rows.start - top) : max(0, rows.stop - top), columns]
        middle.append(inside.copy())  # a view would keep the whole band in memory
    mean = float(counts @ _VALUES / counts.sum())
    deviation = float(counts @ (_VALUES - mean) ** 2 / counts.sum()) ** 0.5
    share = (high - low) / whole if whole else 0.0
    # `grey` is stretched from the lowest to the highest value, unless the pixels have 8 bits.
    scale, offset = (1.0, 0.0) if image.dtype == np.uint8 or image.dtype.kind == "f" else (share, low / whole)
    return Quality(
        brightness=_rounded(mean / 255 * scale + offset),
        contrast=_rounded(deviation / 255 * scale),
        sharpness=_rounded(_sharpness(np.concatenate(middle))),
        levels=int(np.count_nonzero(counts)),
        range_used=_rounded(share),
        highest=_rounded(high / whole) if image.dtype.kind == "u" else 1.0,
    )


def _sharpness(grey: np.ndarray) -> float:
    values = grey.astype(np.float32)
    inner = values[1:-1, 1:-1]
    if not inner.size or not (variance := float(values.var())):
        return 0.0
    laplacian = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * inner
    return float(laplacian.var()) / variance


def _rounded(value: float) -> float:
    """Return the value rounded to six digits, so that tables do not depend on the processor."""
    return float(f"{value:.6g}")


def quality_table(measured: Mapping[str, tuple[int, int, Quality]]) -> pd.DataFrame:
    """Return a table with `COLUMNS`, a row for each image.

    `measured` has the width and height (pixels) and the quality of each image, by path. Remarks are joined by `; `. An
    image is called blurred or smooth if its sharpness is less than a twentieth of the median of all images.
    """
    median = float(np.median([quality.sharpness for *_, quality in measured.values()])) if measured else 0.0
    rows = [
        (path, width, height, quality.brightness, quality.contrast, quality.sharpness, quality.levels,
         quality.range_used, "; ".join(_remarks(width, height, quality, median)), quality.highest)
        for path, (width, height, quality) in measured.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _remarks(width: int, height: int, quality: Quality, median_sharpness: float) -> Iterator[str]:
    if quality.brightness < DARK:
        yield "dark"
    if quality.brightness > BRIGHT:
        yield "bright"
    if quality.contrast < FLAT:
        yield "hardly any contrast"
    if quality.sharpness < BLURRED * median_sharpness:
        yield "blurred or smooth"
    if min(width, height) < TINY:
        yield "tiny"
    if max(width, height) >= ELONGATED * min(width, height):
        yield "elongated"
    if quality.range_used < NARROW and quality.contrast >= FLAT / 16:
        yield NARROW_REMARK


def quality_notes(table: pd.DataFrame) -> Iterator[str]:
    """Yield sentences for the log about images with remarks.

    For each remark, they say how many images have it, and which image is the first of these. They also say what to do
    about elongated images, and about images that use a small part of their range of values. If no image has a remark,
    there is no sentence.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in table[table["remarks"] != ""].itertuples():
        for remark in row.remarks.split("; "):
            first.setdefault(remark, row.path)
            counts[remark] += 1
    if counts:
        each = ", ".join(f"{count} {remark} ({first[remark]})" for remark, count in counts.most_common())
        yield f"images to look at (quality.csv): {each}"
    if counts["elongated"]:
        ratios = table[["width", "height"]].max(axis=1) / table[["width", "height"]].min(axis=1)
        remedy = "unless its fit is pad or crop, or intake cuts tiles of size: shortest"
        yield f"resize squeezes images of up to {ratios.max():.3g} to 1 ({table['path'][ratios.idxmax()]}) {remedy}"
    if counts[NARROW_REMARK]:
        narrow = table[table["remarks"].str.contains(NARROW_REMARK)]
        deep = (narrow["levels"] > NARROW * 2**FEW_BITS).any()
        bits = round(table["highest"].max() * (2**FILE_BITS - 1)).bit_length()  # one number for all images
        same = f"depth: {{bits: {bits}}} (all by the same factor) or " if deep and bits < FILE_BITS else ""
        yield (
            "images that use a small part of their range of values become dark, with few grey levels, unless their "
            f"preprocessing begins with the step {same}rescale_intensity (each by its own values)"
        )
