"""Reading of parts of a large TIFF page, of which only a band of rows is in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tifffile import COMPRESSION, PHOTOMETRIC, PLANARCONFIG, TiffFile, TiffFileError, TiffPage

from workflow_scripts.io.images import ImageRejected, Part, Reason

_DECODED = (COMPRESSION.NONE, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE)
_SAMPLES: dict[int, int] = {PHOTOMETRIC.MINISBLACK: 1, PHOTOMETRIC.RGB: 3}


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
        high, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
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

    def _segment(self, index: int) -> np.ndarray:
        """Return a strip or tile, (h, w, samples)."""
        page = self._page
        stream = page.parent.filehandle
        try:
            stream.seek(page.dataoffsets[index])
            return np.asarray(page.decode(stream.read(page.databytecounts[index]), index)[0])[0]
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
        yield PageRows(page) if isinstance(page, TiffPage) and _is_plain(page) else None


def _is_plain(page: TiffPage) -> bool:
    """Return whether the stored numbers are the pixels: grey or RGB, 8 or 16 bits, upright, complete, without alpha."""
    return (
        page.dtype in (np.uint8, np.uint16)
        and _SAMPLES.get(page.photometric) == page.samplesperpixel
        and page.bitspersample == 8 * np.dtype(page.dtype).itemsize
        and page.planarconfig == PLANARCONFIG.CONTIG
        and page.imagedepth == 1
        and page.compression in _DECODED
        and page.predictor == 1
        and all(page.databytecounts)
        and page.tags.valueof("Orientation", 1) == 1
    )
