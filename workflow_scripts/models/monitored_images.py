"""Make a table of new images and a table of the known images that they are compared with.

Both have the measures that are tested: novelty, brightness and sharpness.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import NoneNamedError
from workflow_scripts.intake.groups import FILE, named_groups
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.models.saved import SavedModel

DRIFTS = ("brightness", "sharpness")
"""The measures whose shift is tested: columns of the table of `intake.quality`."""
CHARTS = ("novelty", *DRIFTS)
"""The measures that are tested; each has a chart of its own."""


def known_images(model: SavedModel, manifest: pd.DataFrame, quality: pd.DataFrame, in_groups: bool) -> pd.DataFrame:
    """Return the known images (the held-out ones), with `image_id`, `path`, `label` and the columns `CHARTS`.

    `manifest` and `quality` are tables of the model's data set, whose values are texts. If `in_groups`, there is also
    the column `group`. If images are parts of files, there is the column `parent` (the path of the file), and
    brightness and sharpness are those of the whole file.
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
    """Return the new images with their predictions, the time `taken`, and the columns `CHARTS`.

    The values of the three tables are texts. `predictions` come from the model; `files` and `quality` come from the
    intake of the same images. `rule` has the settings `intake.groups`; if it is given, there is the column `group`. If
    the rule finds no value for a file, the images of this file are a group of their own.
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
    """Return the path of the file of each image: `parent` if the images are parts of files, otherwise `path`."""
    return images["parent" if "parent" in images else "path"]


def ungrouped(images: pd.DataFrame, rule: Mapping[str, Any] | None) -> bool:
    """Return True if `rule` finds no group for any of the new images.

    The result is False without a rule, and with the rule that each file is a group.
    """
    return rule is not None and rule["rule"] != FILE and bool((images["group"] == files_of(images)).all())


def _with_drifts(images: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    return images.join(quality.set_index("path")[list(DRIFTS)].astype(float), on=files_of(images).name)
