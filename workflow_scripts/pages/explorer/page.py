"""Write the explorer: one HTML file with maps of all images, their thumbnails, and their clusters in every cell."""

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
from workflow_scripts.pages.parts.thumbnails import Thumbnails, forget_others
from workflow_scripts.pages.parts.writing import write_page

HERE = Path(__file__).parent
SCRIPTS = (
    *("data.js", "colours.js", "scatter.js", "gestures.js", "moved_images.js", "legend.js", "picks.js"),
    *("picks_panel.js", "next_run.js", "labelling.js", "judging.js", "finding.js", "keys.js"),
)
ALIGNED = 8
"""Each array in the pack begins at a multiple of this number of bytes."""


def write_explorer(
    path: str,
    images: pd.DataFrame,
    columns: Sequence[Column],
    maps: Sequence[Place],
    points: Sequence[Place],
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page of N images.

    Parameters
    ----------
    path : the HTML file.
    images : N rows with `image_id`, `path` and `label` (None for images without a label).
    columns : the columns to colour by.
    maps : coordinates of the images, one entry for each map.
    points : points of the images, one entry for each space in which the page searches for nearest neighbours.
    thumbnails : the thumbnails of all images.
    facts : further data of the page: `dataset`, `study`, `cells` (the names of the cells), `opening` (as `Opening`) and
        `settings` (those of the study; if the user selects images, the page offers a study of them with the same
        settings). `labels_before` and `set_aside_before` are what people decided before (see `parts.earlier`).
    """
    sheets = Sheets.of(thumbnails, images["image_id"].tolist(), along_a_curve(maps[0]))
    pack = Pack()
    data = {
        **facts,
        "n": len(images),
        "names": pack.text({"paths": images["path"].tolist(), "ids": images["image_id"].tolist()}),
        "columns": [
            {"title": column.title, "levels": column.levels, **column.facts, "values": pack.array(column.values)}
            for column in columns
        ],
        "maps": [_packed(place, pack) for place in maps],
        "points": [_packed(place, pack) for place in points],
        "sheets": {
            "places": pack.array(sheets.places),
            **{name: getattr(sheets, name) for name in ("width", "height", "columns", "rows")},
            "sources": sources(sheets, Path(path)),
        },
        "pack": pack.compressed(),
    }
    write_page(path, HERE, data, [HERE / script for script in SCRIPTS], kind="module")
    forget_others(Path(path), data["sheets"]["sources"])


def _packed(place: Place, pack: "Pack") -> dict[str, Any]:
    return {"name": place.name, "d": place.values.shape[1], "values": pack.array(place.values)}


class Pack:
    """Arrays in one compressed block of bytes; the page gets the offset, type and length of each array."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def array(self, values: np.ndarray) -> dict[str, Any]:
        """Add an array of any shape in row-major order, and return its offset, type and length."""
        content = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        place = {"type": f"{values.dtype.name.capitalize()}Array", "start": self._size, "length": values.size}
        padding = -len(content) % ALIGNED
        self._parts += [content, bytes(padding)]
        self._size += len(content) + padding
        return place

    def text(self, value: Any) -> dict[str, Any]:
        """Add a JSON value as UTF-8 text, and return the offset, type and length of its bytes."""
        return self.array(np.frombuffer(json.dumps(value, ensure_ascii=False).encode(), dtype=np.uint8))

    def compressed(self) -> str:
        """Return the block of all arrays, compressed by zlib and encoded in base64."""
        return base64.b64encode(zlib.compress(b"".join(self._parts), 6)).decode()
