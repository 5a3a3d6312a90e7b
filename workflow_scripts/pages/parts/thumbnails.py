"""Small images inside a page: JPEG files as data URIs, so that the page is one file that needs no network."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO

import h5py
import numpy as np
from PIL import Image

QUALITY = 80


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of the images of a stack, (N, H, W) or (N, H, W, 3) uint8; `row_of` is the row of each image id."""

    images: h5py.Dataset | np.ndarray
    row_of: Mapping[str, int]

    def data_uris(self, image_ids: Iterable[str], side: int) -> dict[str, str]:
        """Return a data URI for each of the given images by id; `side` as in `data_uri`."""
        return {image_id: data_uri(self.images[self.row_of[image_id]], side) for image_id in dict.fromkeys(image_ids)}


def data_uri(image: np.ndarray, side: int) -> str:
    """Return an image (H, W) or (H, W, 3) uint8 as a JPEG data URI, at most `side` pixels per side, never enlarged."""
    thumbnail = Image.fromarray(image)
    thumbnail.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = BytesIO()
    thumbnail.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
