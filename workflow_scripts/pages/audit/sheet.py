"""Write the audit as one HTML page. The user decides on each image by pressing a key, and exports the decisions as
CSV."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.pages.parts.deciding import nearest, write_deciding_page
from workflow_scripts.pages.parts.thumbnails import Thumbnails

LARGE = 320
"""Side in pixels of the image to judge."""
BESIDE = 4
"""Number of nearest images of each class that are shown beside the image."""
SHOWN = (
    *("rank", "suspect", "label", "suggested", "confidence", "neighbour_share", "cluster_share", "repeats_against"),
    "cluster",
)


def write_sheet(
    path: str,
    ranking: pd.DataFrame,
    count: int,
    points: np.ndarray,
    by_hand: pd.DataFrame,
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page for the first `count` images of a ranking. Images without a `confidence`, whose label cannot be
    judged, are left out.

    Parameters
    ----------
    path : the HTML file.
    ranking : from `ranking.rank`, with `image_id` and `path`.
    count : largest number of images on the page.
    points : (N, d), the points that were clustered.
    by_hand : what people decided before (see `parts.earlier`).
    thumbnails : the thumbnails of the images.
    facts : texts of the page: `dataset`, `study`, `neighbours` and `repeats`.
    """
    judged = ranking[ranking["confidence"].notna()]
    by_row = ranking.set_index("row").sort_index()
    items = [_item(record, points, by_row) for record in judged.head(count).to_dict("records")]
    facts = {
        **facts,
        "classes": sorted(ranking["label"].unique()),
        "n_labelled": len(ranking),
        "n_too_few": len(ranking) - len(judged),
        "n_suspect": int(ranking["suspect"].sum()),
    }
    paths = ranking.set_index("image_id")["path"]
    write_deciding_page(path, Path(__file__).parent, items, ("own", "other"), LARGE, paths, by_hand, thumbnails, facts)


def _item(image: Mapping[str, Any], points: np.ndarray, by_row: pd.DataFrame) -> dict[str, Any]:
    """Return what the page needs to know about an image of the ranking.

    This includes the ids of two sets of nearby images: the nearest images that have the same label, and the nearest
    images that have the class suggested for this image.
    """
    shown = {name: round(image[name], 4) if isinstance(image[name], float) else image[name] for name in SHOWN}
    if np.isnan(image["cluster_share"]):
        shown["cluster_share"] = None
    labels = by_row["label"]
    beside = {
        side: by_row.loc[_nearest_of_class(points, labels, image["row"], image[column]), "image_id"].tolist()
        for side, column in (("own", "label"), ("other", "suggested"))
    }
    return {"id": image["image_id"], **shown, **beside}


def _nearest_of_class(points: np.ndarray, labels: pd.Series, row: int, label: str) -> np.ndarray:
    """Return the rows of the `BESIDE` images with this label that are nearest to the image in `row`.

    `labels` is indexed by row.
    """
    return nearest(points, row, labels.index[labels == label].to_numpy(), BESIDE)
