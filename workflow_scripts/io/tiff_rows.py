"""Read large TIFF pages, with only a band of their rows in memory."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import COMPRESSION, PHOTOMETRIC, PLANARCONFIG, TiffFile, TiffPage

from workflow_scripts.io.images import (
    DecodedImage,
    check_size,
    decode,
    format_of,
    open_file,
    pillow_at,
    quiet_decoders,
    rejecting,
)
from workflow_scripts.io.pixels import BAND, Part, Rows
from workflow_scripts.io.rejections import ImageRejected, Reason
from workflow_scripts.io.tiff_pages import check_length, tiff_mode

_BY_TIFFFILE = (COMPRESSION.NONE, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE)
_BY_PILLOW = (*_BY_TIFFFILE, COMPRESSION.LZW, COMPRESSION.PACKBITS, COMPRESSION.JPEG)
"""Compressions of strips and tiles that each of the two libraries can decode. Pillow also undoes a predictor."""
_SAMPLES: dict[int, int] = {PHOTOMETRIC.MINISBLACK: 1, PHOTOMETRIC.RGB: 3}
LARGEST_BAND = 100_000_000
"""Largest number of bytes of a row of strips or tiles. A page with larger ones, such as one with a single strip, is
read as a whole."""
LARGE_PAGE = 100_000_000
"""Smallest number of bytes of a page that `open_image` reads band by band."""
_LETTERS = {3: "H", 4: "L", 7: "B"}
"""How `struct` writes the types of TIFF that are used here: 16 bits, 32 bits, and bytes."""
_KEPT = {**dict.fromkeys((258, 259, 262, 266, 277, 284, 317, 338, 339, 530, 531), 3), 347: 7}
"""The tags that say how the numbers of a page are stored, with their types (TIFF 6.0): bits per sample, compression,
colours, order of bits, samples per pixel, planes, predictor, further samples, format, chroma, and tables of JPEG."""


class PageRows:
    """The rows of a TIFF page, which are read when they are asked for.

    The pixels are the same as those that `images.read_image` returns.

    Attributes
    ----------
    page : the page, whose file must stay open.
    shape, dtype : shape and type of its pixels, (H, W) or (H, W, 3).
    """

    def __init__(self, page: TiffPage) -> None:
        self.page = page
        of_pixel = () if page.samplesperpixel == 1 else (page.samplesperpixel,)
        self.shape: tuple[int, ...] = (page.imagelength, page.imagewidth, *of_pixel)
        self.dtype: np.dtype[Any] = np.dtype(page.dtype)
        high, wide = _size(page)
        self._n_joined = 1 if page.is_tiled else max(1, BAND // high)
        self._segment_size = high * self._n_joined, wide
        self._kept: tuple[int, list[np.ndarray]] = (-1, [])
        self._top, self._band = 0, self._read(0, 0)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return the rows of a slice (without a step), (rows, W) or (rows, W, 3)."""
        top, bottom, _ = rows.indices(len(self))
        return self._read(top, max(top, bottom))

    def part(self, part: Part) -> np.ndarray:
        """Return a copy of the pixels in a rectangle of the page, (height, width) or (height, width, 3).

        The rows of the last rectangle stay in memory. So no row is read twice if rectangles of equal height are asked
        for from top to bottom.

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
        """Return the rows from `top` to `bottom` (excluded), (rows, W) or (rows, W, 3).

        Raises `ImageRejected` if they cannot be decoded.
        """
        with rejecting(self.page.parent.filehandle, "TIFF"):
            return (self._read_stored if self.page.is_contiguous else self._read_segments)(top, bottom)

    def _read_segments(self, top: int, bottom: int) -> np.ndarray:
        """Return the rows from `top` to `bottom` (excluded) of a page that is stored in strips or tiles."""
        page = self.page
        high, wide = self._segment_size
        made = np.zeros((bottom - top, page.imagewidth, page.samplesperpixel), page.dtype)
        for row in range(top // high, -(-bottom // high)):
            for column, segment in enumerate(self._segments(row)):
                first = row * high
                rows = slice(max(top, first), min(bottom, first + len(segment)))
                left = column * wide
                width = min(segment.shape[1], page.imagewidth - left)
                made[rows.start - top : rows.stop - top, left : left + width] = segment[
                    rows.start - first : rows.stop - first, :width
                ]
        return made[..., 0] if page.samplesperpixel == 1 else made

    def _read_stored(self, top: int, bottom: int) -> np.ndarray:
        """Return the rows from `top` to `bottom` (excluded) of a page that is stored uncompressed in one piece."""
        page, stream = self.page, self.page.parent.filehandle
        shape = (bottom - top, page.imagewidth, page.samplesperpixel)[: 2 + (page.samplesperpixel > 1)]
        dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
        stream.seek(page.dataoffsets[0] + top * page.imagewidth * page.samplesperpixel * dtype.itemsize)
        size = int(np.prod(shape)) * dtype.itemsize
        content = stream.read(size)
        if len(content) < size:
            raise ImageRejected(Reason.TRUNCATED, f"TIFF: the file ends before row {bottom}")
        return np.frombuffer(content, dtype).reshape(shape).astype(page.dtype)

    def _segments(self, row: int) -> list[np.ndarray]:
        """Return the decoded segments, each (h, w, samples), of row number `row` of segments, from left to right.

        A segment is a tile, or some strips one below the other. The segments are kept in memory until another row of
        segments is read, because the same row may be needed again.
        """
        if self._kept[0] != row:
            across, n = -(-self.page.imagewidth // self._segment_size[1]), self._n_joined
            starts = range(row * across * n, (row + 1) * across * n, n)
            self._kept = -1, []  # so that only one row is in memory
            self._kept = row, [self._segment(range(start, start + n)) for start in starts]
        return self._kept[1]

    def _segment(self, indices: range) -> np.ndarray:
        """Return the decoded pixels, (h, w, samples), of the tile or the strips with the numbers `indices`.

        Several strips are joined from top to bottom.
        """
        page = self.page
        stream = page.parent.filehandle
        contents = []
        for index in indices[: len(page.dataoffsets) - indices.start]:
            stream.seek(page.dataoffsets[index])
            contents.append(stream.read(page.databytecounts[index]))
        if page.compression in _BY_TIFFFILE and page.predictor == 1:
            decoded = (page.decode(content, index)[0] for index, content in zip(indices, contents, strict=False))
            return np.concatenate([np.asarray(segment)[0] for segment in decoded])
        pixels = decode(BytesIO(_as_file(page, indices.start, contents))).pixels
        return pixels.reshape(*pixels.shape[:2], -1)


@contextmanager
def open_image(
    path: Path, max_pixels: int | None = None, min_size: int = 1, page: int = 0
) -> Iterator[DecodedImage[Rows]]:
    """Open page `page` (from 0) of an image file, as a context manager.

    The result and the errors are those of `images.decode`. The rows of a large TIFF page are read when they are asked
    for, if the page is of a kind that allows it.
    """
    with open_file(path) as stream:
        if format_of(stream) == "TIFF":
            with open_rows(path, page) as rows:
                if rows is not None and np.prod(rows.shape) * rows.dtype.itemsize >= LARGE_PAGE:
                    with quiet_decoders(), rejecting(rows.page.parent.filehandle, "TIFF"):
                        image = _opened(rows, path, max_pixels, min_size, page)
                    yield image
                    return
        yield decode(stream, max_pixels, min_size, page)


def _opened(rows: PageRows, path: Path, max_pixels: int | None, min_size: int, number: int) -> DecodedImage[Rows]:
    page = rows.page
    check_size(page.imagewidth, page.imagelength, max_pixels, min_size)
    check_length(page)
    if page.bitspersample > 8 and page.compression in _BY_TIFFFILE:
        mode = tiff_mode(page)
    else:
        with open_file(path) as stream, pillow_at(stream, page, number) as image:
            mode = image.mode
    return DecodedImage(rows, "TIFF", mode, len(page.parent.pages))


def page_headers(path: Path) -> list[dict[str, Any]]:
    """Return the `width` and `height` (pixels) and the `mode` of every page of a TIFF file, without decoding pixels.

    The mode is "" for a page with at most 8 bits per sample. A page whose header cannot be read is left out; an error
    is raised only when its pixels are read.
    """
    headers: list[dict[str, Any]] = []
    with quiet_decoders(), suppress(Exception), TiffFile(path) as tiff:
        for number in range(len(tiff.pages)):
            with suppress(Exception):
                if isinstance(page := tiff.pages[number], TiffPage):
                    mode = tiff_mode(page) if page.bitspersample > 8 else ""
                    headers.append({"width": page.imagewidth, "height": page.imagelength, "mode": mode})
    return headers


@contextmanager
def open_rows(path: Path, number: int) -> Iterator[PageRows | None]:
    """Open page `number` (from 0) of a file and yield its rows, as a context manager.

    Yields None if the file is no TIFF, or if the page is of a kind that can only be read as a whole.
    """
    try:
        with quiet_decoders():
            tiff = TiffFile(path)
    except Exception:  # no TIFF, or a broken header; whoever reads the whole file says what is wrong
        yield None
        return
    with tiff:
        yield _rows(tiff, number)


def _rows(tiff: TiffFile, number: int) -> PageRows | None:
    try:
        with quiet_decoders():
            page = tiff.pages[number]
            if isinstance(page, TiffPage) and _is_plain(page) and _is_in_bands(page):
                return PageRows(page)
    except Exception:  # broken tags raise many kinds of exceptions; whoever reads the whole page says what is wrong
        return None
    return None


def _is_plain(page: TiffPage) -> bool:
    """Return whether the decoded numbers of a page are its pixels, so that no conversion is needed.

    This is so for a page that is grey or RGB with 8 or 16 bits, upright, complete, and without transparency.
    """
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
    """Return whether some rows of a page can be decoded alone, in little memory, with the same result as in the whole
    page."""
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


def _as_file(page: TiffPage, start: int, contents: Sequence[bytes]) -> bytes:
    """Return the bytes of a TIFF file that has only one tile, or some strips, of a page.

    Libraries that can only decode whole files need it. `contents` has the bytes of the tile or strips as they are
    stored, and `start` is the number of the first one in the page.
    """
    rows, wide = _size(page)
    high = rows if page.is_tiled else min(rows * len(contents), page.imagelength - start * rows)
    kept = {code: (kind, page.tags.valueof(code)) for code, kind in _KEPT.items() if code in page.tags}
    first = 8 + 2 + 12 * (len(kept) + 5) + 4  # the header, the number of tags, the tags, and the end of their list
    counts = tuple(map(len, contents))
    places = tuple(accumulate(counts[:-1], initial=first))
    size = {256: wide, 257: high, 273: places, 278: rows, 279: counts}
    order, entries, after = page.parent.byteorder, b"", b"".join(contents)
    after += bytes(len(after) % 2)  # values begin at even places
    for code, (kind, value) in sorted((kept | {code: (4, value) for code, value in size.items()}).items()):
        numbers = list(value) if isinstance(value, tuple | bytes) else [value]
        packed = struct.pack(f"{order}{len(numbers)}{_LETTERS[kind]}", *numbers)
        if len(packed) > 4:  # too long for the tag, which gets their place instead
            packed, after = struct.pack(f"{order}L", first + len(after)), after + packed
        entries += struct.pack(f"{order}HHL", code, kind, len(numbers)) + packed.ljust(4, b"\0")
    header = struct.pack(f"{order}2sHLH", b"II" if order == "<" else b"MM", 42, 8, len(kept) + 5)
    return header + entries + bytes(4) + after
