"""Write the page on which a user gives labels to the images to label next, with the keyboard, and exports them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.pages.parts.deciding import nearest, write_deciding_page
from workflow_scripts.pages.parts.thumbnails import Thumbnails

LARGE = 400
"""Side in pixels of the image to label."""
BESIDE = 8
"""Number of images of the same cluster that are shown beside the image: those nearest to it."""


def write_labelling_page(
    path: str,
    asked: pd.DataFrame,
    images: pd.DataFrame,
    points: np.ndarray,
    partition: np.ndarray,
    names: Mapping[int, str],
    by_hand: pd.DataFrame,
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page for the images to label, in the order of `asked`.

    Parameters
    ----------
    path : the HTML file.
    asked : the images to label (`order.order_to_label`).
    images : the N images of the cell, with `image_id`, `path` and `label` (None for images without one).
    points, partition : the points (N, d) and their clusters (N,).
    names : the name of each cluster, by number.
    by_hand : what people decided before (see `parts.earlier`).
    thumbnails : the thumbnails of the images.
    facts : texts of the page: `dataset` and `study`.
    """
    ids, labels = images["image_id"].to_numpy(), images["label"]
    in_cluster = pd.DataFrame({"cluster": partition, "label": labels.to_numpy()}).query("cluster >= 0")
    members = dict(list(in_cluster.groupby("cluster")["label"]))
    places = {cluster: place for place, cluster in enumerate(members)}  # all clusters without a label have one name
    items = [
        {
            "id": ids[row],
            "cluster": places[cluster],
            "reason": reason,
            "near": ids[nearest(points, row, np.flatnonzero(partition == cluster), BESIDE)].tolist(),
        }
        for row, cluster, reason in asked.itertuples(index=False)
    ]
    facts = {
        **facts,
        "n_images": len(images),
        "n_labelled": int(labels.notna().sum()),
        "classes": sorted(labels.dropna().unique()),
        "clusters": [
            {"name": names[cluster], "size": len(given), "labels": given.value_counts().to_dict()}
            for cluster, given in members.items()
        ],
    }
    paths = images.set_index("image_id")["path"]
    write_deciding_page(path, Path(__file__).parent, items, ("near",), LARGE, paths, by_hand, thumbnails, facts)
