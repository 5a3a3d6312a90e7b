"""Watch a folder of images that grows: a test of every batch of images, and the images that a person should see."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from workflow_scripts.errors import NoneNamedError
from workflow_scripts.intake.groups import FILE, named_groups
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.models.batch_tests import conformal_p_values, novelty_p_value, shift_p_value
from workflow_scripts.models.saved import SavedModel

DRIFTS = ("brightness", "sharpness")
"""Columns of the table of `intake.quality` whose shift is tested."""
CHARTS = ("novelty", *DRIFTS)
"""What is tested, each in a chart of its own."""
SUSPECT = 0.05
"""In a batch with new images, those are shown that are newer than all but this share of the known images."""
MOST_SHOWN, MOST_GROUPS, LOWEST_SILHOUETTE = 500, 6, 0.1
ALIKE = 0.1
"""Images with neighbouring names are alike only if the correlation of their ranks is higher."""
N_SHUFFLES = 999
"""Number of shuffles that this correlation is compared with."""
SURE = 0.01
"""Images with neighbouring names are alike only if at most this share of the shuffles has a correlation as high."""


def known_images(model: SavedModel, manifest: pd.DataFrame, quality: pd.DataFrame, in_groups: bool) -> pd.DataFrame:
    """Return the images that are held out of a model, with their `label`, the columns `CHARTS` and maybe a `group`.

    `manifest` and `quality` are the tables of the data set that the model was made from, as texts. Parts of files have
    the column `parent`, their file, whose brightness and sharpness are theirs.
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


def in_order(images: pd.DataFrame, folder: Path, order: str) -> pd.DataFrame:
    """Return images sorted by `order`: by `name`, where numbers in names count by their value, or by `time`.

    The time is that at which the image was `taken` if every file says so, otherwise that of the file's last change.
    """
    names = [_by_numbers(path) for path in images["path"]]
    if order == "name":
        keys: list[tuple[object, object]] = [(0, name) for name in names]
    elif (images["taken"] != "").all():
        keys = list(zip(images["taken"], names, strict=True))
    else:
        keys = [((folder / file).stat().st_mtime, name) for file, name in zip(files_of(images), names, strict=True)]
    return images.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)


def _by_numbers(path: str) -> list[object]:
    """Return a key that sorts paths with the numbers in them by value."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]


def in_batches(images: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return images in their order with the number of their `batch`, from 1; the last batch may not be full yet.

    Groups are not divided between batches, because a part of a group varies more than a whole one: a batch ends as soon
    as it has whole groups with `size` files or more. All images of a group are moved to the place of its first image.
    Without a column `group`, each image is a group of its own.
    """
    groups = pd.factorize(images["group"])[0] if "group" in images else np.arange(len(images))
    batches, n_files, batch = [], 0, 1
    for _, files in files_of(images).groupby(groups):
        batches += [batch] * len(files)
        n_files += files.nunique()
        if n_files >= size:
            n_files, batch = 0, batch + 1
    return images.iloc[np.argsort(groups, kind="stable")].reset_index(drop=True).assign(batch=batches)


def facts_of_known(known: pd.DataFrame) -> dict[str, Any]:
    """Return the facts about the known images that the page shows.

    These are the numbers `n_known` of images and `n_groups` of groups (None without groups), and the charts in which
    neighbouring groups, or images without groups, are `alike` (see `neighbours_alike`).
    """
    units = _units(known)
    return {
        "n_known": len(known),
        "n_groups": len(units) if "group" in known else None,
        "alike": neighbours_alike(units),
    }


def neighbours_alike(known: pd.DataFrame) -> dict[str, float]:
    """Return the charts in which known images with neighbouring names are alike, with their correlation.

    The images of each class are put in the order of their names. The correlation is that of the ranks of every two
    neighbours, less the mean rank of their class, and is compared with `N_SHUFFLES` shuffles within the classes.
    """
    order = sorted(range(len(known)), key=lambda row: (known["label"].iloc[row], _by_numbers(known["path"].iloc[row])))
    labels = known["label"].to_numpy()[order]
    random = np.random.default_rng(0)
    shuffles = (random.permutation(len(known)) for _ in range(N_SHUFFLES))
    within = [rows[np.argsort(labels[rows], kind="stable")] for rows in shuffles]
    correlations = {}
    for name in CHARTS:
        ranks = known[name].iloc[order].rank().reset_index(drop=True)
        values = (ranks - ranks.groupby(labels).transform("mean")).to_numpy()
        observed = _of_neighbours(values, labels)
        if observed <= ALIKE:
            continue
        above = sum(_of_neighbours(values[rows], labels) >= observed for rows in within)
        if (1 + above) / (1 + N_SHUFFLES) <= SURE:
            correlations[name] = observed
    return correlations


def _of_neighbours(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the correlation of every two values (N,) that follow each other in a class; `values` have the mean 0."""
    products = (values[1:] * values[:-1])[labels[1:] == labels[:-1]]
    return float(products.mean() / max(np.square(values).mean(), np.finfo(float).tiny)) if len(products) else 0.0


def control_chart(images: pd.DataFrame, known: pd.DataFrame, size: int, rate: float) -> pd.DataFrame:
    """Test every full batch of images; the last images wait until their batch is full.

    If images have a `group`, groups are what is compared: the mean of the images of each, since images of one specimen
    are alike, and only whole specimens are drawn at random. The mean of a new group is that of no more images than
    known groups have in the median.

    Parameters
    ----------
    images : from `in_batches`, with `path`, `outlier`, the columns `CHARTS` and maybe `group`.
    known : the images that are held out of the model, with the columns `CHARTS` and maybe `group`.
    size : the number of files from which on a batch is full.
    rate : probability with which a chart raises a false alarm for a batch of images like the known ones.

    Returns
    -------
    DataFrame, a row per batch: `batch` (from 1), `images`, `first` and `last` (files), for each chart the median, the
    median of the known images as `{chart}_known`, and `{chart}_p`, then `outliers` (number of images), `alarms` (the
    charts with p <= rate, joined by `; `) and `groups` (number in the batch; null without groups).
    """
    columns = ["batch", "images", "first", "last", *(f"{name}{end}" for name in CHARTS for end in ("", "_known", "_p"))]
    rows = []
    known_units = _units(known)
    most = int(known["group"].value_counts().median()) if "group" in known else None
    for number, batch in images.groupby("batch"):
        files = files_of(batch)
        if files.nunique() < size:
            continue
        row: list[object] = [number, len(batch), files.iloc[0], files.iloc[-1]]
        units, alarms = _units(batch, most), []
        for name in CHARTS:
            test = novelty_p_value if name == "novelty" else shift_p_value
            p_value = test(known_units[name].to_numpy(), units[name].to_numpy())
            row += [float(batch[name].median()), float(known[name].median()), p_value]
            alarms += [name] if p_value <= rate else []
        n_groups = len(units) if "group" in batch else None
        rows.append([*row, int(batch["outlier"].sum()), "; ".join(alarms), n_groups])
    return pd.DataFrame(rows, columns=[*columns, "outliers", "alarms", "groups"]).astype({"groups": "Int64"})


def _units(images: pd.DataFrame, most: int | None = None) -> pd.DataFrame:
    """Return what is compared: the images, or a row for each group, with the means of its images in the columns
    `CHARTS` and otherwise what its first image has.

    Of a group with more than `most` images only so many count, evenly spread: a mean of more varies less.
    """
    if "group" not in images:
        return images
    if most:
        groups = images.groupby("group")
        place, size = groups.cumcount(), groups["group"].transform("size")
        images = images[place * most // size > (place - 1) * most // size]
    rest = images.columns.drop("group")
    return images.groupby("group").agg({name: "mean" if name in CHARTS else "first" for name in rest})


def alarms_of(name: str, chart: pd.DataFrame) -> np.ndarray:
    """Return which batches of a control chart have an alarm of the chart `name`, (n,) bool."""
    return np.array([name in alarms.split("; ") for alarms in chart["alarms"]], dtype=bool)


def to_look_at(images: pd.DataFrame, known: pd.DataFrame, chart: pd.DataFrame) -> pd.DataFrame:
    """Return the images to show to a person, the newest first, at most `MOST_SHOWN`, with their `p`.

    These are all outliers and, in a batch with an alarm of the novelty, the images with a conformal p-value `p` of at
    most `SUSPECT`. `images` are from `in_batches`, `chart` from `control_chart`.
    """
    tested = images.assign(p=conformal_p_values(known["novelty"].to_numpy(), images["novelty"].to_numpy()))
    noticed = tested["batch"].isin(chart["batch"][alarms_of("novelty", chart)])
    shown = tested["outlier"] | (noticed & (tested["p"] <= SUSPECT))
    return tested[shown].sort_values("novelty", ascending=False, kind="stable").head(MOST_SHOWN)


def groups_of_features(features: np.ndarray) -> np.ndarray:
    """Return the group of each image (n,), from 0 for the largest, by Ward's linkage of the features (n, d).

    Of 2 to `MOST_GROUPS` groups, that number is taken whose mean silhouette is highest; if it is below
    `LOWEST_SILHOUETTE`, or there are fewer than four images, all images are one group.
    """
    best, labels = LOWEST_SILHOUETTE, np.zeros(len(features), dtype=int)
    for k in range(2, min(MOST_GROUPS, len(features) // 2) + 1):
        groups = AgglomerativeClustering(k).fit_predict(features)
        if (score := silhouette_score(features, groups)) > best:
            best, labels = score, groups
    sizes = np.bincount(labels)
    return np.argsort(np.argsort(-sizes, kind="stable"))[labels]
