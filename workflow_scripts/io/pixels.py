"""The pixels of an image, band by band, so that a large image need not be in memory as a whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

FILE_BITS = 16
"""Bits of the values of a file of whole numbers that has more than 8."""
BAND = 256
"""The number of rows that are converted at once, so that a large image is held in one type only."""


class Rows(Protocol):
    """The rows of an image (H, W) or (H, W, 3): an array, or `tiff_rows.PageRows`, which are read when they are
    needed."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


class Window:
    """The rows of a rectangle of an image, (h, w) or (h, w, 3): `down` and `across` are its rows and columns."""

    def __init__(self, image: Rows, down: slice, across: slice) -> None:
        self._image, self._top, self._across = image, down.start, across
        self.shape: tuple[int, ...] = (down.stop - down.start, across.stop - across.start, *image.shape[2:])
        self.dtype: np.dtype[Any] = image.dtype

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return rows that follow each other, (rows, w) or (rows, w, 3)."""
        top, bottom, _ = rows.indices(len(self))
        return self._image[self._top + top : self._top + bottom][:, self._across]


def bands(image: Rows, height: int = BAND) -> Iterator[np.ndarray]:
    """Yield the rows of an image in arrays of `height` rows, from top to bottom."""
    return (image[top : top + height] for top in range(0, len(image), height))


def stacked(parts: Iterable[np.ndarray], height: int) -> np.ndarray:
    """Return the array (height, ...) uint8 of parts that follow each other from top to bottom."""
    made, end = np.empty(0, np.uint8), 0
    for part in parts:
        if not end:
            made = np.empty((height, *part.shape[1:]), np.uint8)
        made[end : end + len(part)] = part
        end += len(part)
    return made


def value_range(parts: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return the lowest and the highest value of arrays."""
    of_parts = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in of_parts), max(high for _, high in of_parts)


def eight_bit_bands(image: Rows, height: int = BAND) -> Iterator[np.ndarray]:
    """Yield the `bands` of an image as uint8; those of more bits are stretched from the lowest to the highest value of
    the image."""
    if image.dtype == np.uint8:
        yield from bands(image, height)
        return
    low, high = value_range(bands(image))
    scale = 255 / (high - low) if high > low else 0.0
    yield from (np.rint((band - low) * scale).astype(np.uint8) for band in bands(image, height))


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (H, W) or (H, W, 3) as uint8, stacked from `eight_bit_bands`."""
    return pixels if pixels.dtype == np.uint8 else stacked(eight_bit_bands(pixels), len(pixels))


def reduced(image: Rows, side: int) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) as uint8, reduced by a whole factor so that its longer side has 2 to 4 times
    `side` pixels; a smaller image keeps its size.

    Each pixel is the mean of those that it replaces. One band is in memory at a time.
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
    """A rectangle of a page (from 1) of a file, in pixels after the EXIF rotation."""

    path: Path
    page: int
    x: int
    y: int
    width: int
    height: int

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Return a copy of this rectangle of `pixels` (H, W) or (H, W, 3), those of the whole page."""
        return pixels[self.y : self.y + self.height, self.x : self.x + self.width].copy()
