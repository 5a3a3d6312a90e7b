"""The images of a folder that grows and those they are compared with, each with what is tested."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import NoneNamedError
from workflow_scripts.intake.groups import FILE, named_groups
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.models.saved import SavedModel

DRIFTS = ("brightness", "sharpness")
"""Columns of the table of `intake.quality` whose shift is tested."""
CHARTS = ("novelty", *DRIFTS)
"""What is tested, each in a chart of its own."""


def known_images(model: SavedModel, manifest: pd.DataFrame, quality: pd.DataFrame, in_groups: bool) -> pd.DataFrame:
    """Return the images held out when the model was made, with their `label`, `path` and the columns `CHARTS`.

    `manifest` and `quality` are tables of the data set of the model; their values are texts. With `in_groups` there is
    also a column `group`. Images that are parts of a file also have the column `parent`, the path of the file, and the
    brightness and sharpness of the whole file.
    """
    held_out = manifest.set_index("image_id").loc[model.facts["held_out"]].reset_index()
    novelties = model.in_thresholds(model.tensors["held_out"])
    columns = [
        "image_id",
        "path",
        "label",
        *held_out.columns.intersection(["parent"]),
        *(["group"] if in_groups else []),
    ]
    return _with_drifts(held_out[columns].assign(novelty=novelties), quality)


def new_images(
    predictions: pd.DataFrame, files: pd.DataFrame, quality: pd.DataFrame, rule: Mapping[str, Any] | None
) -> pd.DataFrame:
    """Return new images with their predictions, the time that they were `taken`, and the columns `CHARTS`.

    The tables are as texts: the predictions of the model, and what intake says of the same images and their files. If
    there is a `rule` (the settings `intake.groups`), images have a `group`; those of a file for which it has no value
    are a group of their own.
    """
    images = predictions.assign(
        novelty=predictions["novelty"].astype(np.float32),
        outlier=predictions["outlier"] == "True",
        taken=files["taken"],
    )
    if rule:
        images["group"] = _groups(images, rule)
    return _with_drifts(images, quality)


def _groups(images: pd.DataFrame, rule: Mapping[str, Any]) -> list[str]:
    files, contents = files_of(images), images["image_id"].map(content_hash)
    try:
        names = named_groups(dict(zip(files, contents, strict=True)), **rule)
    except NoneNamedError:
        names = dict.fromkeys(files, "")
    return [names[file] or file for file in files]


def files_of(images: pd.DataFrame) -> pd.Series:
    """Return the path of the file of each image: `parent` for parts of files."""
    return images["parent" if "parent" in images else "path"]


def ungrouped(images: pd.DataFrame, rule: Mapping[str, Any] | None) -> bool:
    """Return whether a rule of groups, other than that each file is one, has no value for any of the new images."""
    return rule is not None and rule["rule"] != FILE and bool((images["group"] == files_of(images)).all())


def _with_drifts(images: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    return images.join(quality.set_index("path")[list(DRIFTS)].astype(float), on=files_of(images).name)
