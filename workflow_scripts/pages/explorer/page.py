"""The explorer's page: one file with a map of every image, its thumbnails, and what every cell says of it."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.pages.explorer.columns import Column
from workflow_scripts.pages.explorer.places import Place, along_a_curve
from workflow_scripts.pages.explorer.sheets import Sheets, sources
from workflow_scripts.pages.gallery.thumbnails import Thumbnails, write_page

HERE = Path(__file__).parent
SCRIPTS = ("data.js", "labelling.js", "scatter.js", "picks.js", "page.js")
ALIGNED = 8
"""Bytes: where an array in the pack may begin."""


def write_explorer(
    path: str,
    images: pd.DataFrame,
    columns: Sequence[Column],
    maps: Sequence[Place],
    points: Sequence[Place],
    pictures: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page of N images.

    Parameters
    ----------
    images : N rows with `image_id`, `path` and `label` (None where there is none).
    columns : what the page can colour by; the first is what it begins with.
    maps, points : where the images lie; each of the first gives a map, each of the others neighbours.
    pictures : of every image.
    facts : `dataset`, `study` and `cells`, the names of the cells.
    """
    sheets = Sheets.of(pictures, images["image_id"].tolist(), along_a_curve(maps[0]))
    pack = Pack()
    data = {
        **facts,
        "n": len(images),
        "names": pack.text({"paths": images["path"].tolist(), "ids": images["image_id"].tolist()}),
        "columns": [
            {"title": column.title, "levels": column.levels, **column.facts, "values": pack.array(column.values)}
            for column in columns
        ],
        "maps": [{"name": place.name, "values": pack.array(place.values)} for place in maps],
        "points": [
            {"name": place.name, "d": place.values.shape[1], "values": pack.array(place.values)} for place in points
        ],
        "sheets": {
            "places": pack.array(sheets.places),
            **{name: getattr(sheets, name) for name in ("width", "height", "columns", "rows")},
            "sources": sources(sheets, Path(path)),
        },
        "pack": pack.compressed(),
    }
    write_page(path, HERE / "page.html", data, [HERE / script for script in SCRIPTS])


class Pack:
    """Arrays one behind the other, compressed as one; the page gets the place, type and length of each."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def array(self, values: np.ndarray) -> dict[str, Any]:
        """Add an array, row by row, and return where it is."""
        content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        place = {"type": f"{values.dtype.name.capitalize()}Array", "start": self._size, "length": values.size}
        padding = -len(content) % ALIGNED
        self._parts += [content, bytes(padding)]
        self._size += len(content) + padding
        return place

    def text(self, value: Any) -> dict[str, Any]:
        """Add a JSON value and return where it is."""
        return self.array(np.frombuffer(json.dumps(value, ensure_ascii=False).encode(), dtype=np.uint8))

    def compressed(self) -> str:
        """Return everything, in zlib's format and base64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 6)).decode()
