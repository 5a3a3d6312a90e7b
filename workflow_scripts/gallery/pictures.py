"""Small pictures inside a page: JPEG files as data URIs, so that one file needs no network and no folder beside it."""

import base64
from collections.abc import Iterable
from io import BytesIO

import h5py
import numpy as np
from PIL import Image

QUALITY = 80


def data_uri(image: np.ndarray, side: int) -> str:
    """An image (H, W) or (H, W, 3) uint8 as a JPEG of at most `side` pixels a side, never enlarged."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def data_uris(stack: h5py.File, image_ids: Iterable[str], side: int) -> dict[str, str]:
    """The pictures of some images of a preprocessed stack, by image id."""
    row_of = {its: row for row, its in enumerate(stack["image_id"].asstr()[:])}
    return {its: data_uri(stack["images"][row_of[its]], side) for its in dict.fromkeys(image_ids)}
