"""Write the images to label next as one HTML page, on which the user labels by key and exports a CSV."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.pages.labelling.order import nearest_in_cluster
from workflow_scripts.pages.parts.earlier import earlier
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.parts.writing import DECIDING, write_page

LARGE, SMALL = 400, 112
"""Sides in pixels of the image to label and of the images beside it."""
BESIDE = 8
"""Number of nearest images of its cluster that are shown beside the image."""


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
    """Write the page for the images that are asked for, in this order.

    Parameters
    ----------
    asked : the images to label (`order.order_to_label`).
    images : the N images of the cell, with `image_id`, `path` and `label` (None for images without one).
    points, partition : the points (N, d) and their clusters (N,).
    names : the name of each cluster.
    by_hand : the labels that people gave (`parts.earlier`).
    thumbnails : the thumbnails of the images.
    facts : texts of the page: `dataset` and `study`.
    """
    ids, labels = images["image_id"].to_numpy(), images["label"]
    near = {row: nearest_in_cluster(points, partition, row, BESIDE) for row in asked["row"]}
    items = [
        {"id": ids[row], "cluster": names[cluster], "reason": reason, "near": ids[near[row]].tolist()}
        for row, cluster, reason in asked.itertuples(index=False)
    ]
    beside = [image for item in items for image in item["near"]]
    paths = images.set_index("image_id")["path"]
    in_cluster = pd.DataFrame({"cluster": partition, "label": labels.to_numpy()}).query("cluster >= 0")
    data = {
        **facts,
        "n_images": len(images),
        "n_labelled": int(labels.notna().sum()),
        "classes": sorted(labels.dropna().unique()),
        "clusters": {
            names[cluster]: {"size": len(members), "labels": members["label"].value_counts().to_dict()}
            for cluster, members in in_cluster.groupby("cluster")
        },
        "items": items,
        "earlier": earlier(by_hand),
        "paths": {image: paths[image] for image in dict.fromkeys([*(item["id"] for item in items), *beside])},
        "large": thumbnails.data_uris([item["id"] for item in items], LARGE),
        "small": thumbnails.data_uris(beside, SMALL),
    }
    write_page(path, Path(__file__).parent, data, DECIDING)
