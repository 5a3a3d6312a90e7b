"""Reading of parts of a large TIFF page, of which only a band of rows is in memory."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from tifffile import COMPRESSION, PHOTOMETRIC, PLANARCONFIG, TiffFile, TiffFileError, TiffPage

from workflow_scripts.io.images import ImageRejected, Part, Reason, decode

_BY_TIFFFILE = (COMPRESSION.NONE, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE)
_BY_PILLOW = (*_BY_TIFFFILE, COMPRESSION.LZW, COMPRESSION.PACKBITS, COMPRESSION.JPEG)
"""How strips and tiles are compressed that one of the two libraries can decode; Pillow also undoes a predictor."""
_SAMPLES: dict[int, int] = {PHOTOMETRIC.MINISBLACK: 1, PHOTOMETRIC.RGB: 3}
LARGEST_BAND = 100_000_000
"""Bytes of a row of strips or tiles; a page with larger ones, such as a single strip, is read as a whole."""
_LETTERS = {3: "H", 4: "L", 7: "B"}
"""How `struct` writes the types of TIFF that are used here: 16 bits, 32 bits, and bytes."""
_KEPT = {**dict.fromkeys((258, 259, 262, 266, 277, 284, 317, 338, 339, 530, 531), 3), 347: 7}
"""The tags that say how the numbers of a page are stored, with their types (TIFF 6.0): bits per sample, compression,
colours, order of bits, samples per pixel, planes, predictor, further samples, format, chroma, and tables of JPEG."""


class PageRows:
    """The rows of a page, read band by band; `part` returns the same pixels as `images.read_image` and `Part.of`."""

    def __init__(self, page: TiffPage) -> None:
        self._page = page
        self._top, self._band = 0, self._read(0, 0)

    def part(self, part: Part) -> np.ndarray:
        """Return the pixels of a part; parts that follow each other from top to bottom are read once.

        Raises `ImageRejected` if the pixels cannot be decoded.
        """
        top, bottom = part.y, part.y + part.height
        end = self._top + len(self._band)
        if (top, bottom) != (self._top, end):
            known = self._band[top - self._top :] if self._top <= top < end <= bottom else self._band[:0]
            self._band = np.concatenate([known, self._read(top + len(known), bottom)])
            self._top = top
        return self._band[:, part.x : part.x + part.width].copy()

    def _read(self, top: int, bottom: int) -> np.ndarray:
        """Return the rows from `top` to `bottom` (excluded), (rows, W) or (rows, W, 3)."""
        page = self._page
        if page.is_contiguous:
            return self._read_stored(top, bottom)
        high, wide = _size(page)
        across = -(-page.imagewidth // wide)
        made = np.zeros((bottom - top, page.imagewidth, page.samplesperpixel), page.dtype)
        for row in range(top // high, -(-bottom // high)):
            for column in range(across):
                segment = self._segment(row * across + column)
                first = row * high
                rows = slice(max(top, first), min(bottom, first + len(segment)))
                left = column * wide
                width = min(segment.shape[1], page.imagewidth - left)
                made[rows.start - top : rows.stop - top, left : left + width] = segment[
                    rows.start - first : rows.stop - first, :width
                ]
        return made[..., 0] if page.samplesperpixel == 1 else made

    def _read_stored(self, top: int, bottom: int) -> np.ndarray:
        """Return the rows from `top` to `bottom` (excluded) of a page whose numbers follow each other in the file."""
        page, stream = self._page, self._page.parent.filehandle
        shape = (bottom - top, page.imagewidth, page.samplesperpixel)[: 2 + (page.samplesperpixel > 1)]
        dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
        stream.seek(page.dataoffsets[0] + top * page.imagewidth * page.samplesperpixel * dtype.itemsize)
        size = int(np.prod(shape)) * dtype.itemsize
        content = stream.read(size)
        if len(content) < size:
            raise ImageRejected(Reason.TRUNCATED, f"TIFF: the file ends before row {bottom}")
        return np.frombuffer(content, dtype).reshape(shape).astype(page.dtype)

    def _segment(self, index: int) -> np.ndarray:
        """Return a strip or tile, (h, w, samples)."""
        page = self._page
        stream = page.parent.filehandle
        try:
            stream.seek(page.dataoffsets[index])
            content = stream.read(page.databytecounts[index])
            if page.compression in _BY_TIFFFILE and page.predictor == 1:
                return np.asarray(page.decode(content, index)[0])[0]
            pixels = decode(BytesIO(_as_file(page, index, content))).pixels
            return pixels.reshape(*pixels.shape[:2], -1)
        except Exception as error:  # decoders raise many kinds of exceptions on a broken file
            raise ImageRejected(Reason.UNREADABLE, f"TIFF: {error or type(error).__name__}") from None


@contextmanager
def open_rows(path: Path, number: int) -> Iterator[PageRows | None]:
    """Open page `number` (from 0) of a file; None if the file or its page is of a kind that is only read as a whole."""
    try:
        tiff = TiffFile(path)
    except (TiffFileError, OSError, ValueError):
        yield None
        return
    with tiff:
        page = tiff.pages[number] if number < len(tiff.pages) else None
        yield PageRows(page) if isinstance(page, TiffPage) and _is_plain(page) and _is_in_bands(page) else None


def _is_plain(page: TiffPage) -> bool:
    """Return whether the decoded numbers are the pixels: grey or RGB, 8 or 16 bits, upright, complete, no alpha."""
    is_ycbcr = page.photometric == PHOTOMETRIC.YCBCR and page.compression == COMPRESSION.JPEG
    return (
        page.dtype in (np.uint8, np.uint16)
        and (3 if is_ycbcr else _SAMPLES.get(page.photometric)) == page.samplesperpixel
        and page.bitspersample == 8 * np.dtype(page.dtype).itemsize
        and page.planarconfig == PLANARCONFIG.CONTIG
        and page.imagedepth == 1
        and all(page.databytecounts)
        and page.tags.valueof("Orientation", 1) == 1
    )


def _is_in_bands(page: TiffPage) -> bool:
    """Return whether bands of rows can be read, each with the pixels that it has in the whole page."""
    if page.is_contiguous:
        return True
    high, _ = _size(page)
    if min(high, page.imagelength) * page.imagewidth * page.samplesperpixel * page.bitspersample > 8 * LARGEST_BAND:
        return False
    if page.compression in _BY_TIFFFILE and page.predictor == 1:
        return True
    return page.compression in _BY_PILLOW and (page.bitspersample == 8 or page.samplesperpixel == 1)


def _size(page: TiffPage) -> tuple[int, int]:
    """Return the height and width of a strip or tile."""
    return (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)


def _as_file(page: TiffPage, index: int, content: bytes) -> bytes:
    """Return a TIFF file whose only strip is a strip or tile of a page, for a library that decodes whole files."""
    high, wide = _size(page)
    if not page.is_tiled:
        high = min(high, page.imagelength - index * high)
    content += bytes(len(content) % 2)  # values begin at even places
    kept = {code: (kind, page.tags.valueof(code)) for code, kind in _KEPT.items() if code in page.tags}
    first = 8 + 2 + 12 * (len(kept) + 5) + 4  # the header, the number of tags, the tags, and the end of their list
    size = {256: wide, 257: high, 273: first, 278: high, 279: len(content)}
    order, entries, after = page.parent.byteorder, b"", content
    for code, (kind, value) in sorted((kept | {code: (4, number) for code, number in size.items()}).items()):
        numbers = list(value) if isinstance(value, tuple | bytes) else [value]
        packed = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
        if len(packed) > 4:  # the tag has the place of its values
            packed, after = struct.pack(f"{order}L", first + len(after)), after + packed
        entries += struct.pack(f"{order}HHL", code, kind, len(numbers)) + packed.ljust(4, b"\0")
    header = struct.pack(f"{order}2sHLH", b"II" if order == "<" else b"MM", 42, 8, len(kept) + 5)
    return header + entries + bytes(4) + after
