"""Hashes of pixels, which are equal for images with the same pixels, and similar for images that look alike."""

import hashlib
from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

from workflow_scripts.io.pixels import Rows, bands, eight_bit_bands

ROWS, COLUMNS = 64, 4096
"""The size of a tile of pairs of hashes, which fits into the cache of a processor core."""


def pixel_digest(image: Rows) -> str:
    """Return a hash of an image (H, W) or (H, W, 3), 16 hex digits; three equal channels count as grey."""
    is_grey = len(image.shape) == 2 or all((band == band[..., :1]).all() for band in bands(image))
    shape = image.shape[:2] if is_grey else image.shape
    digest = hashlib.sha256(f"{image.dtype.str} {shape}".encode())
    for band in bands(image):
        digest.update(np.ascontiguousarray(band[..., 0] if band.ndim == 3 and is_grey else band).data)
    return digest.hexdigest()[:16]


def perceptual_hashes(image: Rows) -> tuple[str, str]:
    """Return two perceptual hashes of an image (H, W) or (H, W, 3) that size, brightness and compression hardly change.

    They are those of `imagehash.phash`: which of the lowest 8 x 8 frequencies of a 32 x 32 thumbnail are above their
    median (16 hex digits), and which of the lowest 16 x 16 of one of 64 x 64 (64 hex digits). The thumbnail is resized
    along the rows first, so that it can be made of bands. Pillow alone resizes tall images along the columns first,
    which is rounded otherwise, so that `phash` may differ there by a few bits. Pixels of more than 8 bits are first
    stretched from their lowest to their highest value to 8 bits.
    """
    narrow: list[list[np.ndarray]] = [[], []]
    for band in eight_bit_bands(image):
        grey = Image.fromarray(band).convert("L")
        for side, parts in zip((32, 64), narrow, strict=True):
            # each row is resized by itself, so bands give the same thumbnail as the whole image
            parts.append(np.asarray(grey.resize((side, grey.height), Image.Resampling.LANCZOS)))
    coarse, fine = (Image.fromarray(np.concatenate(parts)) for parts in narrow)
    return str(imagehash.phash(coarse)), str(imagehash.phash(fine, hash_size=16))


def near_pairs(hashes: Sequence[str], distance: int) -> Iterator[tuple[int, int, int]]:
    """Yield the pairs of 64-bit hashes that differ in at most `distance` bits: (index, smaller index, bits), sorted.

    All pairs are compared, in tiles, so that memory does not grow with the number of pairs; 150 000 hashes take 13 s.
    """
    bits = np.array([int(each, 16) for each in hashes], dtype=np.uint64)
    for top in range(0, len(bits), ROWS):
        rows = bits[top : top + ROWS, None]
        of_tiles = []
        for left in range(0, top + len(rows), COLUMNS):
            distances = np.bitwise_count(rows ^ bits[None, left : min(left + COLUMNS, top + len(rows))])
            row, column = np.nonzero(distances <= distance)
            of_tiles.append(np.column_stack([row + top, column + left, distances[row, column]]))
        pairs = np.concatenate(of_tiles)
        pairs = pairs[pairs[:, 1] < pairs[:, 0]]
        yield from map(tuple, pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].tolist())
