"""Small images inside a page: JPEG files as data URIs, so that one file needs no network and no folder beside it."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from workflow_scripts.io.store import replacing

QUALITY = 80


@dataclass(frozen=True)
class Pictures:
    """The stack of images to show, (N, H, W) or (N, H, W, 3) uint8, and the row of each image id."""

    images: h5py.Dataset | np.ndarray
    row_of: Mapping[str, int]

    def data_uris(self, image_ids: Iterable[str], side: int) -> dict[str, str]:
        """Return each of the named images once, by its id; `side` as in `data_uri`."""
        return {image_id: data_uri(self.images[self.row_of[image_id]], side) for image_id in dict.fromkeys(image_ids)}


def data_uri(image: np.ndarray, side: int) -> str:
    """Return an image (H, W) or (H, W, 3) uint8 as a JPEG of at most `side` pixels a side, never enlarged."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def write_page(path: str, template: Path, data: Mapping[str, Any], scripts: Iterable[Path] = ()) -> None:
    """Write a template of one HTML file with its data inside, and its scripts if it has files of them; nothing in the
    data can end the script that holds them."""
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    code = "\n".join(script.read_text(encoding="utf-8") for script in scripts)
    # The data come last: a name that looks like the place of the scripts stays a name.
    page = template.read_text(encoding="utf-8").replace("{{scripts}}", code).replace("{{data}}", content, 1)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
