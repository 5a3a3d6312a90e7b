"""Count the images that change their group after a perturbation, such as a rotation, a flip, a blur or a crop."""

from collections.abc import Iterator

import pandas as pd
from scipy.stats import binomtest

COLUMNS = ["perturbation", "strength", "label", "n", "changed", "low", "high"]


def changed_groups(perturbed: pd.DataFrame) -> pd.DataFrame:
    """Return the share of images that are in another group after each perturbation, for all images and by class.

    Parameters
    ----------
    perturbed :
        one row per image and perturbation, with the columns `perturbation` (its name), `strength` (a number, or NaN),
        `label` ("" if missing), `group` (that of the original image) and `group_perturbed`.

    Returns
    -------
    DataFrame with one row per perturbation, strength and class: `perturbation`, `strength`, `label` (null in the row
    for all images), `n` (number of images), `changed` (the share), and `low` and `high`, the ends of its 95 % interval
    (Wilson 1927).
    """
    rows = []
    for (perturbation, strength), images in perturbed.groupby(["perturbation", "strength"], sort=False, dropna=False):
        for label, members in _classes(images):
            changed = members["group"] != members["group_perturbed"]
            test = binomtest(int(changed.sum()), len(members))
            low, high = test.proportion_ci(method="wilson")
            rows.append((perturbation, strength, label, len(members), test.statistic, low, high))
    return pd.DataFrame(rows, columns=COLUMNS)


def _classes(images: pd.DataFrame) -> Iterator[tuple[str | None, pd.DataFrame]]:
    yield None, images
    yield from images[images["label"] != ""].groupby("label")
