"""Compute hashes of images: one for finding the same pixels, and two for finding images that look alike."""

import hashlib
from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

from workflow_scripts.io.pixels import Rows, bands, eight_bit_bands

ROWS, COLUMNS = 64, 4096
"""The numbers of hashes that are compared with each other at once; this many pairs fit into the cache of a processor
core."""
AT_ONCE = 1 << 20
"""Largest number of pairs in one array of `near_pairs`."""


def pixel_digest(image: Rows) -> str:
    """Return a hash of the pixels of an image (H, W) or (H, W, 3), and of its size and data type, 16 hex digits.

    An image with three equal channels has the same hash as the grey image.
    """
    is_grey = len(image.shape) == 2 or all((band == band[..., :1]).all() for band in bands(image))
    shape = image.shape[:2] if is_grey else image.shape
    digest = hashlib.sha256(f"{image.dtype.str} {shape}".encode())
    for band in bands(image):
        digest.update(np.ascontiguousarray(band[..., 0] if band.ndim == 3 and is_grey else band).data)
    return digest.hexdigest()[:16]


def perceptual_hashes(image: Rows) -> tuple[str, str]:
    """Return two perceptual hashes of an image (H, W) or (H, W, 3).

    They hardly change if the image is resized, made brighter or compressed. Both are computed by `imagehash.phash`:
    each bit says whether one frequency of a thumbnail is stronger than the median of the frequencies. The first hash
    has the lowest 8 x 8 frequencies of a thumbnail of 32 x 32 pixels (16 hex digits), the second the lowest 16 x 16
    frequencies of a thumbnail of 64 x 64 pixels (64 hex digits).

    The image is resized along the rows first, so that the thumbnail can be made band by band. Pillow alone resizes tall
    images along the columns first and rounds differently, so for tall images `phash` may differ by a few bits. Pixels
    of more than 8 bits are first scaled to 8 bits, from their lowest to their highest value.
    """
    narrow: list[list[np.ndarray]] = [[], []]
    for band in eight_bit_bands(image):
        grey = Image.fromarray(band).convert("L")
        for side, parts in zip((32, 64), narrow, strict=True):
            # each row is resized by itself, so bands give the same thumbnail as the whole image
            parts.append(np.asarray(grey.resize((side, grey.height), Image.Resampling.LANCZOS)))
    coarse, fine = (Image.fromarray(np.concatenate(parts)) for parts in narrow)
    return str(imagehash.phash(coarse)), str(imagehash.phash(fine, hash_size=16))


def near_pairs(hashes: Sequence[str], distance: int) -> Iterator[np.ndarray]:
    """Yield the pairs of 64-bit hashes that differ in at most `distance` bits, as arrays (p, 3) int of many pairs.

    A row has the index of a hash, the smaller index of another, and the number of bits; rows are sorted, also over all
    arrays. All pairs are compared, block by block, so that memory does not grow with the number of pairs; 150 000
    hashes take 13 s if few pairs are near.
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
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        yield from (pairs[start : start + AT_ONCE] for start in range(0, len(pairs), AT_ONCE))
