"""Make the small images of a page: JPEG files that are stored in the page as data URIs, or in a folder beside it."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import h5py
import numpy as np
from PIL import Image

from workflow_scripts.io.files import THUMBNAILS, replacing

if TYPE_CHECKING:
    import pandas as pd

QUALITY = 80
"""Quality of a JPEG file, from 0 to 100."""


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails of the images of a stack.

    Attributes
    ----------
    images : (N, H, W) or (N, H, W, 3) uint8, the stack.
    row_of : row in the stack of each image, by id.
    """

    images: h5py.Dataset | np.ndarray
    row_of: Mapping[str, int]

    @classmethod
    def of(cls, stack: h5py.File, manifest: "pd.DataFrame") -> Self:
        """Return the thumbnails of the images of a manifest (`io.manifest.read_manifest`); `stack` is the open store of
        a preprocessing."""
        return cls(stack["images"], dict(zip(manifest["image_id"], manifest["row"].astype(int), strict=True)))

    def data_uris(self, image_ids: Iterable[str], side: int) -> dict[str, str]:
        """Return a data URI for each of the given images, by id; `side` is the largest side in pixels."""
        return {image_id: data_uri(self.images[self.row_of[image_id]], side) for image_id in dict.fromkeys(image_ids)}


def data_uri(image: np.ndarray, side: int) -> str:
    """Return an image (H, W) or (H, W, 3) uint8 as a JPEG data URI; `side` is the largest side in pixels."""
    return inside(jpeg(image, side))


def jpeg(image: np.ndarray, side: int) -> bytes:
    """Return an image (H, W) or (H, W, 3) uint8 as a JPEG file, at most `side` pixels per side, never enlarged."""
    thumbnail = Image.fromarray(image)
    thumbnail.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = BytesIO()
    thumbnail.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


def inside(content: bytes) -> str:
    """Return a data URI that contains a JPEG file, so that the page needs no further file."""
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def write_beside(page: Path, content: bytes) -> str:
    """Write a JPEG file into the folder beside a page, and return its address relative to the page.

    The file's name is a hash of its content, so that it never replaces a file with other content. The page of an
    earlier run can therefore show its images until the new page replaces it.
    """
    folder, name = page.with_suffix(THUMBNAILS), f"{hashlib.sha256(content).hexdigest()[:16]}.jpg"
    with replacing(folder / name) as temporary:
        temporary.write_bytes(content)
    return f"{quote(folder.name)}/{name}"


def forget_others(page: Path, addresses: Iterable[str]) -> None:
    """Delete the files in the folder beside a page, except those whose address is in `addresses`; delete the folder if
    it is then empty."""
    folder = page.with_suffix(THUMBNAILS)
    kept = {address.rpartition("/")[2] for address in addresses}
    for file in folder.glob("*"):
        if file.name not in kept:
            file.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
