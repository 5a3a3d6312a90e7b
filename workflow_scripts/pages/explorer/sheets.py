"""Join thumbnails on sheets, each a JPEG of many images, so that a page of 20 000 images is small and opens quickly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from workflow_scripts.pages.parts.thumbnails import QUALITY, Thumbnails, inside, write_beside

SHEET = 2048
"""Largest side of a sheet in pixels; browsers decode larger sheets slowly."""
SIDES = ((1000, 224), (3000, 160), (8000, 96))
"""Pairs of the largest number of images, and the side of a thumbnail in pixels for up to that many images."""
SMALLEST = 64
MOST_INSIDE = 20_000
"""Largest number of images whose thumbnails are in the page itself (about 60 MB); more are in a folder beside it."""


def side_for(n: int) -> int:
    """Return the side in pixels of each thumbnail if there are n images."""
    return next((side for most, side in SIDES if n <= most), SMALLEST)


@dataclass(frozen=True)
class Sheets:
    """The thumbnails of N images on sheets.

    Attributes
    ----------
    thumbnails : the thumbnails.
    image_ids : ids of the N images.
    order : (N,) indices of the images in the order in which they stand on the sheets; images that are seen together
        should be on one sheet.
    width, height : size of each thumbnail in pixels.
    """

    thumbnails: Thumbnails
    image_ids: Sequence[str]
    order: np.ndarray
    width: int
    height: int

    @classmethod
    def of(cls, thumbnails: Thumbnails, image_ids: Sequence[str], order: np.ndarray) -> Self:
        """Return the sheets of the images `image_ids` in the order `order` (N,).

        The more images there are, the smaller are the thumbnails (`side_for`); none is larger than its image.
        """
        height, width = thumbnails.images.shape[1:3]
        scale = min(1.0, side_for(len(image_ids)) / max(height, width))
        return cls(thumbnails, image_ids, order, max(1, round(width * scale)), max(1, round(height * scale)))

    @property
    def columns(self) -> int:
        """Return the number of thumbnails side by side on a sheet."""
        return SHEET // self.width

    @property
    def rows(self) -> int:
        """Return the number of rows of thumbnails on a sheet."""
        return SHEET // self.height

    @property
    def places(self) -> np.ndarray:
        """Return the place of each image on the sheets, (N,) uint32, counted row by row and sheet by sheet."""
        places = np.empty(len(self.order), dtype=np.uint32)
        places[self.order] = np.arange(len(self.order))
        return places

    def jpegs(self) -> Iterator[bytes]:
        """Yield each sheet as the bytes of a JPEG file, in order."""
        each = self.columns * self.rows
        for start in range(0, len(self.order), each):
            yield self._jpeg(self.order[start : start + each])

    def _jpeg(self, images: np.ndarray) -> bytes:
        stack = self.thumbnails.images
        n_rows = -(-len(images) // self.columns)
        size = (self.columns * self.width, n_rows * self.height)
        sheet = Image.new("L" if stack.ndim == 3 else "RGB", size)
        for place, image in enumerate(images):
            row, column = divmod(place, self.columns)
            thumbnail = Image.fromarray(np.asarray(stack[self.thumbnails.row_of[self.image_ids[image]]]))
            thumbnail = thumbnail.resize((self.width, self.height), Image.Resampling.LANCZOS, reducing_gap=2)
            sheet.paste(thumbnail, (column * self.width, row * self.height))
        file = BytesIO()
        sheet.save(file, "JPEG", quality=QUALITY)
        return file.getvalue()


def sources(sheets: Sheets, page: Path) -> list[str]:
    """Return the address of each sheet.

    For up to `MOST_INSIDE` images it is a data URI. For more images it is the address of a file in a folder beside the
    page.
    """
    is_small = len(sheets.order) <= MOST_INSIDE
    return [inside(jpeg) if is_small else write_beside(page, jpeg) for jpeg in sheets.jpegs()]
