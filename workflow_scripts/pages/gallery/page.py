"""Write the gallery: the images of each cluster, two clusters side by side, clusters by class, and near-twins.

The page has the clusters of every cell (combination of choices) of a study. Near-twins are an image and its nearest
neighbour that are in different clusters.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.metrics.evenly import evenly
from workflow_scripts.metrics.members import centre_distances, cluster_names, example_members, separated_twins
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.parts.writing import ENLARGING, write_page

SIDE = 160
"""Side of an image in pixels."""
NAMES_SHOWN = 3
"""Largest number of ImageNet names that are shown for a cluster."""


def describe(
    points: np.ndarray,
    partition: np.ndarray,
    manifest: pd.DataFrame,
    settings: Mapping[str, Any],
    seen: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return one partition as data for the page: its clusters, and its twins.

    `clusters` are sorted by class; noise comes last, as one group of evenly spaced images. `twins` are pairs of an
    image and its nearest neighbour that are in different clusters; `clusters` has the places of these in the list.

    Parameters
    ----------
    points : (N, d).
    partition : (N,) integers; negative is noise.
    manifest : N rows with `image_id` and `label` (None if unknown), in the order of `points`.
    settings : `per_place` and `twins` of `settings.pages.Gallery`.
    seen : (N,) str, the ImageNet class that the network predicts for each image (`imagenet.imagenet_names`); None if
        the network predicts no ImageNet classes.
    """
    ids = manifest["image_id"].to_numpy()
    names = cluster_names(partition, manifest["label"])
    members = example_members(centre_distances(points, partition), settings["per_place"])
    shown = {key: ids[group["row"]].tolist() for key, group in members.groupby(["cluster", "place"])}
    clusters = [
        _group(name, partition == cluster, manifest["label"], seen)
        | {place: shown.get((cluster, place), []) for place in ("nearest", "border", "farthest")}
        for cluster, name in names.items()
        if cluster >= 0
    ]
    noise = np.flatnonzero(partition < 0)
    if len(noise):
        spread = ids[noise[evenly(len(noise), settings["per_place"])]].tolist()
        group = _group(names[int(partition.min())], partition < 0, manifest["label"], seen)
        clusters.append(group | {"spread": spread})
    places = {cluster: min(place, len(clusters) - 1) for place, cluster in enumerate(names)}  # noise is one group
    twins = [
        {
            "pair": [ids[group.row], ids[group.twin]],
            "clusters": [places[group.cluster], places[group.twin_cluster]],
            "closer_than": round(group.closer_than, 4),
        }
        for group in separated_twins(points, partition).head(settings["twins"]).itertuples()
    ]
    return {"clusters": clusters, "twins": twins}


def _group(name: str, inside: np.ndarray, labels: pd.Series, seen: np.ndarray | None) -> dict[str, Any]:
    """Return facts about a cluster: `name`, `size`, `classes` and `imagenet`.

    `inside` (N,) bool marks the images of the cluster. `classes` has pairs of a class and the number of these images
    in it; they are no mapping, because JavaScript sorts keys that are numbers. `imagenet` has their most frequent
    ImageNet names, at most `NAMES_SHOWN`, each with its share of the images; it is empty if `seen` is None. Both begin
    with the most frequent one; of several classes, with the first in sorted order, after which the cluster is named.
    """
    counts = labels[inside].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shares = {} if seen is None else pd.Series(seen[inside]).value_counts(normalize=True).head(NAMES_SHOWN).to_dict()
    return {
        "name": name,
        "size": int(inside.sum()),
        "classes": [[name_of_class, int(n)] for name_of_class, n in counts.items()],
        "imagenet": shares,
    }


def write_gallery(
    path: str,
    cells: Sequence[Mapping[str, Any]],
    manifest: pd.DataFrame,
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the gallery as one HTML file.

    Parameters
    ----------
    path : the HTML file.
    cells : for each cell its `name` and its `partitions`, each as `describe` returns it, with its `k`.
    manifest : a manifest with every image that the cells show.
    thumbnails : the thumbnails of the images.
    facts : texts of the page: `dataset` and `study`.
    """
    groups = [group for cell in cells for part in cell["partitions"] for group in part["clusters"]]
    twins = [twins for cell in cells for part in cell["partitions"] for twins in part["twins"]]
    places = ("nearest", "border", "farthest", "spread")
    seen = [image for group in groups for place in places for image in group.get(place, [])]
    seen = list(dict.fromkeys(seen + [image for part in twins for image in part["pair"]]))
    by_id = manifest.drop_duplicates("image_id").set_index("image_id").loc[seen]
    data = {
        **facts,
        "cells": list(cells),
        "paths": by_id["path"].to_dict(),
        "labels": by_id["label"].dropna().to_dict(),
        "thumbnails": thumbnails.data_uris(seen, SIDE),
    }
    write_page(path, Path(__file__).parent, data, ENLARGING)
