"""Count the images that change their group when they are rotated, flipped, brightened, blurred or cropped."""

from collections.abc import Iterator

import pandas as pd
from scipy.stats import binomtest

COLUMNS = ["perturbation", "strength", "label", "n", "changed", "low", "high"]


def changed_groups(perturbed: pd.DataFrame) -> pd.DataFrame:
    """Return the share of images that are in another group after each perturbation, overall and by class.

    Parameters
    ----------
    perturbed :
        a row per image and perturbation: `perturbation` (text), `strength` (number, NaN where it has none), `label`
        ("" where there is none), `group` of the image as it is and `group_perturbed`.

    Returns
    -------
    DataFrame, rows by perturbation and strength in the order given, and by class: `perturbation`, `strength`, `label`
    (null: all images), `n`, `changed` (share), `low`, `high` (95 %, Wilson 1927).
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
