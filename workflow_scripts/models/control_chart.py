"""Test batches of new images against the known images of a model."""

from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.models.batch_tests import novelty_p_value, shift_p_value
from workflow_scripts.models.batches import by_numbers
from workflow_scripts.models.monitored_images import CHARTS, files_of

ALIKE = 0.1
"""Images with neighbouring names are alike only if the correlation of their ranks is higher."""
N_SHUFFLES = 999
"""Number of shuffles that this correlation is compared with."""
SURE = 0.01
"""Images with neighbouring names are alike only if at most this share of the shuffles has a correlation as high."""


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
    order = sorted(range(len(known)), key=lambda row: (known["label"].iloc[row], by_numbers(known["path"].iloc[row])))
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
