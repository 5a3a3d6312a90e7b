"""Write a page on which a person decides on one image after another, with other images beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.pages.parts.earlier import labels_before
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.parts.writing import DECIDING, write_page

SMALL = 112
"""Side in pixels of the images beside the image to decide on."""


def write_deciding_page(
    path: str,
    folder: Path,
    items: Sequence[Mapping[str, Any]],
    beside: Sequence[str],
    large: int,
    paths: Mapping[str, str],
    by_hand: pd.DataFrame,
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page whose body, style and script are in `folder`.

    Parameters
    ----------
    path : the HTML file.
    folder : folder with `page.html`, `page.css` and `page.js`.
    items : data about each image to decide on, in the order of the page; `id` is the id of the image.
    beside : keys of an item whose values are the ids of images to show beside it.
    large : side in pixels of the image to decide on.
    paths : the path of each image by id.
    by_hand : what people decided before (see `parts.earlier`).
    thumbnails : the thumbnails of the images.
    facts : further data of the page.
    """
    first = [item["id"] for item in items]
    others = [image for item in items for key in beside for image in item[key]]
    data = {
        **facts,
        "items": items,
        "earlier": labels_before(by_hand),
        "paths": {image: paths[image] for image in dict.fromkeys([*first, *others])},
        "large": thumbnails.data_uris(first, large),
        "small": thumbnails.data_uris(others, SMALL),
    }
    write_page(path, folder, data, DECIDING)


def nearest(points: np.ndarray, row: int, among: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` of the rows `among` that are nearest to `row`, the nearest first; `row` itself is left
    out.

    `points` (N, d) are the points of all rows.
    """
    others = among[among != row]
    squares = np.square(points[others] - points[row]).sum(axis=1)
    return others[np.argsort(squares, kind="stable")[:count]]
