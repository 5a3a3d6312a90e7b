"""The audit as a page to work through: one file with its pictures inside, decisions by key, exported as a CSV."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from workflow_scripts.gallery.pictures import data_uris
from workflow_scripts.store import replacing

LARGE, SMALL = 320, 112
"""Sides of the picture that is judged and of those beside it, pixels."""
BESIDE = 4
"""Nearest images of each class beside the picture."""
SHOWN = (
    *("rank", "suspect", "label", "suggested", "confidence", "neighbour_share", "cluster_share", "repeats_against"),
    "cluster",
)


def write_sheet(
    path: str, ranking: pd.DataFrame, count: int, points: np.ndarray, stack: h5py.File, facts: Mapping[str, Any]
) -> None:
    """Write the page for the first `count` images of a ranking (`ranking.rank`, with `image_id` and `path`).

    `points` (N, d) are those of the ranking, `stack` is the store of the pictures to show, `facts` are what the page says
    of the whole: `dataset, study, neighbours, repeats`.
    """
    first = ranking.head(count)
    by_row = ranking.set_index("row")
    items = []
    for its in first.to_dict("records"):
        beside = {
            side: by_row["image_id"][nearest_of_class(points, by_row["label"], its["row"], its[column])].tolist()
            for side, column in (("own", "label"), ("other", "suggested"))
        }
        items.append({"id": its["image_id"], **beside, **{name: _plain(its[name]) for name in SHOWN}})
    seen = dict.fromkeys(name for item in items for name in (*item["own"], *item["other"]))
    paths = ranking.set_index("image_id")["path"]
    data = {
        **facts,
        "classes": sorted(ranking["label"].unique()),
        "n_labelled": len(ranking),
        "n_suspect": int(ranking["suspect"].sum()),
        "items": items,
        "paths": {name: paths[name] for name in dict.fromkeys([*first["image_id"], *seen])},
        "large": data_uris(stack, first["image_id"], LARGE),
        "small": data_uris(stack, seen, SMALL),
    }
    write_page(path, Path(__file__).with_name("sheet.html"), data)


def nearest_of_class(points: np.ndarray, labels: pd.Series, row: int, label: str) -> np.ndarray:
    """The rows of the images with a label that are nearest to one image, itself left out; `labels` by row."""
    rows = np.sort(labels.index[(labels == label) & (labels.index != row)].to_numpy())
    squares = np.square(points[rows] - points[row]).sum(axis=1)
    return rows[np.argsort(squares, kind="stable")[:BESIDE]]


def _plain(value: Any) -> Any:
    """A value as JSON has it: null for what is not a number, four digits for shares."""
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value


def write_page(path: str, template: Path, data: Mapping[str, Any]) -> None:
    """A template of one HTML file with its data inside; nothing in the data can end the script that holds them."""
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    with replacing(path) as temporary:
        temporary.write_text(template.read_text(encoding="utf-8").replace("{{data}}", content), encoding="utf-8")
