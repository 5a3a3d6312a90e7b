"""Choose the new images that a person should look at, and group similar ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from workflow_scripts.models.batch_tests import conformal_p_values
from workflow_scripts.models.control_chart import alarms_of
from workflow_scripts.models.new_features import Progress, features_of_images
from workflow_scripts.models.saved import SavedModel
from workflow_scripts.preprocess.stack import images_of

SUSPECT = 0.05
"""In a batch with an alarm, images with a conformal p-value of at most this are shown."""
MOST_SHOWN = 500
"""Largest number of images that are grouped and shown; there may be more that a person should look at."""
MOST_GROUPS = 6
"""Largest number of groups that these images are divided into."""
LOWEST_SILHOUETTE = 0.1
"""The mean silhouette above which they are divided into more than one group."""


def to_look_at(images: pd.DataFrame, known: pd.DataFrame, chart: pd.DataFrame) -> pd.DataFrame:
    """Return the images that a person should look at, those with the highest novelty first.

    All outliers are candidates. In a batch with an alarm for novelty (see `alarms_of`), the images whose conformal
    p-value is at most `SUSPECT` are candidates too. The new column `p` has the p-values. `images` come from
    `in_batches`, `known` are the known images, and `chart` is the table from `control_chart`.
    """
    tested = images.assign(p=conformal_p_values(known["novelty"].to_numpy(), images["novelty"].to_numpy()))
    noticed = tested["batch"].isin(chart["batch"][alarms_of("novelty", chart)])
    shown = tested["outlier"] | (noticed & (tested["p"] <= SUSPECT))
    return tested[shown].sort_values("novelty", ascending=False, kind="stable")


def grouped(
    images: pd.DataFrame,
    model: SavedModel,
    folder: Path,
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str, str], Progress],
) -> pd.DataFrame:
    """Return the images with a new column `group`, from 0: images with similar features are in one group.

    `images` come from `to_look_at`, the first `MOST_SHOWN`. Their features are computed for the model, and grouped by
    `groups_of_features`.
    """
    if images.empty:
        return images.assign(group=0)
    rows = images.sort_values("path")  # so that parts of one file follow each other and the file is read once
    blocks = features_of_images(
        [model], images_of(rows, folder), max_pixels, device, workers, lambda network: progress(network, "images")
    )
    features = pd.DataFrame(np.concatenate([block[model.layer] for block in blocks]), rows.index)
    return images.assign(group=groups_of_features(features.loc[images.index].to_numpy()))


def groups_of_features(features: np.ndarray) -> np.ndarray:
    """Return the group of each image, (n,) integers from 0 for the largest, by Ward's linkage of the features (n, d).

    The number of groups is the one from 2 to `MOST_GROUPS` with the highest mean silhouette. If the silhouette is not
    above `LOWEST_SILHOUETTE`, or if there are fewer than four images, all images are one group.
    """
    best, labels = LOWEST_SILHOUETTE, np.zeros(len(features), dtype=int)
    for k in range(2, min(MOST_GROUPS, len(features) // 2) + 1):
        groups = AgglomerativeClustering(k).fit_predict(features)
        if (score := silhouette_score(features, groups)) > best:
            best, labels = score, groups
    sizes = np.bincount(labels)
    return np.argsort(np.argsort(-sizes, kind="stable"))[labels]
