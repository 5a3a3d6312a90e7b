"""Work on the pixels of an image band by band, so that a large image need not be in memory as a whole.

A band is a number of rows that follow each other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

FILE_BITS = 16
"""Number of bits of a value in a file whose values are whole numbers of more than 8 bits."""
BAND = 256
"""The number of rows that are converted at once, so that a large image is never in memory in two types."""


class Rows(Protocol):
    """The interface of an image (H, W) or (H, W, 3) whose rows can be read in slices.

    It is an array, or an object that reads the rows from a file when they are asked for, such as `tiff_rows.PageRows`.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


class Window:
    """A rectangle of an image, (h, w) or (h, w, 3), whose rows are read when they are asked for.

    `down` are the rows of the image that the rectangle covers, and `across` the columns.
    """

    def __init__(self, image: Rows, down: slice, across: slice) -> None:
        self._image, self._top, self._across = image, down.start, across
        self.shape: tuple[int, ...] = (down.stop - down.start, across.stop - across.start, *image.shape[2:])
        self.dtype: np.dtype[Any] = image.dtype

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return the rows of a slice (without a step), (rows, w) or (rows, w, 3)."""
        top, bottom, _ = rows.indices(len(self))
        return self._image[self._top + top : self._top + bottom][:, self._across]


def bands(image: Rows, height: int = BAND) -> Iterator[np.ndarray]:
    """Yield the rows of an image in arrays of `height` rows, from top to bottom. The last array may have fewer rows."""
    return (image[top : top + height] for top in range(0, len(image), height))


def stacked(parts: Iterable[np.ndarray], height: int) -> np.ndarray:
    """Return one array (height, ...) uint8 with the rows of all `parts`, from top to bottom."""
    made, end = np.empty(0, np.uint8), 0
    for part in parts:
        if not end:
            made = np.empty((height, *part.shape[1:]), np.uint8)
        made[end : end + len(part)] = part
        end += len(part)
    return made


def value_range(parts: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return the lowest and the highest value in several arrays."""
    of_parts = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in of_parts), max(high for _, high in of_parts)


def eight_bit_bands(image: Rows, height: int = BAND) -> Iterator[np.ndarray]:
    """Yield the rows of an image as uint8, in arrays of `height` rows.

    If the pixels have another type, they are scaled so that the lowest value of the whole image becomes 0 and the
    highest becomes 255.
    """
    if image.dtype == np.uint8:
        yield from bands(image, height)
        return
    low, high = value_range(bands(image))
    scale = 255 / (high - low) if high > low else 0.0
    yield from (np.rint((band - low) * scale).astype(np.uint8) for band in bands(image, height))


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (H, W) or (H, W, 3) as uint8, scaled as in `eight_bit_bands` if they have another type."""
    return pixels if pixels.dtype == np.uint8 else stacked(eight_bit_bands(pixels), len(pixels))


def reduced(image: Rows, side: int) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) as uint8, made smaller by a whole factor.

    The longer side of the result has 2 to 4 times `side` pixels; an image that is smaller keeps its size. Each pixel of
    the result is the mean of the pixels that it replaces. One band of rows is in memory at a time.
    """
    factor = max(1, max(image.shape[:2]) // (2 * side))
    coarse = eight_bit_bands(image, factor * ceil(BAND / factor))
    return stacked((np.asarray(Image.fromarray(band).reduce(factor)) for band in coarse), ceil(len(image) / factor))


def is_uniform(image: Rows) -> bool:
    """Return whether all pixels of an image (H, W) or (H, W, 3) are the same."""
    first = image[:1][0, 0]
    return all((band == first).all() for band in bands(image))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an image file: a rectangle on one of its pages, or a whole page.

    `page` is counted from 1. The left edge `x`, the upper edge `y`, `width` and `height` are in pixels, after the EXIF
    rotation.
    """

    path: Path
    page: int
    x: int
    y: int
    width: int
    height: int

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Return a copy of the pixels in this rectangle of a page; `pixels` (H, W) or (H, W, 3) are the whole page."""
        return pixels[self.y : self.y + self.height, self.x : self.x + self.width].copy()
