"""Test whether batches of new images differ from the known images of a model, in a control chart for each measure."""

from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.models.batch_tests import novelty_p_value, shift_p_value
from workflow_scripts.models.batches import by_numbers
from workflow_scripts.models.monitored_images import CHARTS, files_of

ALIKE = 0.1
"""Images with neighbouring names count as similar only if the correlation of their ranks is higher than this."""
N_SHUFFLES = 999
"""Number of random orders of the images that this correlation is compared with."""
SURE = 0.01
"""Images with neighbouring names count as similar only if at most this share of random orders correlates as highly."""


def control_chart(images: pd.DataFrame, known: pd.DataFrame, size: int, rate: float) -> pd.DataFrame:
    """Return the tests of every full batch of images; a last batch that is not full is left out.

    If the images have a `group`, such as a specimen, the means of the groups are tested and not the images: images of
    one group are similar to each other, so they are not independent. If a new group has more images than the known
    groups have in the median, only that number of its images is used for the mean.

    Parameters
    ----------
    images : the new images from `in_batches`, with the columns `path`, `outlier`, those in `CHARTS`, and maybe `group`.
    known : the held-out images of the model, with the columns in `CHARTS` and maybe `group`.
    size : smallest number of files in a full batch.
    rate : probability of a false alarm in each chart, for a batch of images like the known ones.

    Returns
    -------
    DataFrame with one row per batch:

    - `batch`, `images`: number of the batch, from 1, and number of its images.
    - `first`, `last`: the first and the last file.
    - `{chart}`, `{chart}_known`, `{chart}_p`: for each chart, median of the batch, median of the known images, p-value.
    - `outliers`: number of outliers.
    - `alarms`: the charts with p <= `rate`, joined by `; `.
    - `groups`: number of groups; null without groups.
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
    """Return the rows that are tested: the images, or one row for each group if the images have a `group`.

    The row of a group has the means of its images in the columns `CHARTS`, and the values of its first image in all
    other columns. If a group has more than `most` images, only `most` of them are used, evenly spaced, because a mean
    over more images varies less.
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
    """Return for each row of a table of `control_chart` whether the chart `name` has an alarm, (batches,) bool."""
    return np.array([name in alarms.split("; ") for alarms in chart["alarms"]], dtype=bool)


def facts_of_known(known: pd.DataFrame) -> dict[str, Any]:
    """Return the facts about the known images that the monitor's page shows.

    They are `n_known` (number of images), `n_groups` (number of groups; None without groups) and `alike` (the charts in
    which neighbouring groups, or images if there are no groups, are similar; see `neighbours_alike`).
    """
    units = _units(known)
    return {
        "n_known": len(known),
        "n_groups": len(units) if "group" in known else None,
        "alike": neighbours_alike(units),
    }


def neighbours_alike(known: pd.DataFrame) -> dict[str, float]:
    """Return a correlation for each chart in which known images with neighbouring names have similar values.

    The images of each class are sorted by name. The values of a chart are replaced by their ranks minus the mean rank
    of the class, and each image is correlated with the next one of its class. The images are similar if this
    correlation is above `ALIKE` and if at most the share `SURE` of `N_SHUFFLES` random orders within the classes gives
    a correlation as high.
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
    """Return the correlation of each value with the next one of the same class; `values` (N,) have the mean 0.

    `labels` (N,) are the classes. Return 0 if no class has two images.
    """
    products = (values[1:] * values[:-1])[labels[1:] == labels[:-1]]
    return float(products.mean() / max(np.square(values).mean(), np.finfo(float).tiny)) if len(products) else 0.0
