"""How many images change their group when they are rotated, flipped, brightened, blurred, compressed or cropped."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest


def changed_groups(groups: np.ndarray, perturbed: pd.DataFrame, labels: Sequence[object] | None = None) -> pd.DataFrame:
    """Return the share of images that are in another group after each perturbation, overall and by class.

    Parameters
    ----------
    groups : (N,) integers, of the images as they are.
    perturbed :
        a row per perturbation: `perturbation` (text), `strength` (number, NaN where it has none) and `groups`, an (N,)
        array of integers: where the saved model puts the perturbed images.
    labels : (N,) texts, "" where there is none; None if there are none at all.

    Returns
    -------
    DataFrame, rows by perturbation, strength and class: `perturbation`, `strength`, `label` (null: all images), `n`,
    `changed` (share), `low`, `high` (95 %, Wilson 1927).
    """
    of_class = [(None, np.ones(len(groups), dtype=bool))]
    if labels is not None:
        texts = pd.Series(labels, dtype=object).fillna("").to_numpy()
        of_class += [(name, texts == name) for name in sorted(set(texts) - {""})]
    rows = []
    for perturbation, strength, moved in perturbed[["perturbation", "strength", "groups"]].itertuples(index=False):
        differs = np.asarray(moved) != groups
        for name, members in of_class:
            test = binomtest(int(differs[members].sum()), int(members.sum()))
            low, high = test.proportion_ci(method="wilson")
            rows.append((perturbation, strength, name, int(members.sum()), test.statistic, low, high))
    return pd.DataFrame(rows, columns=["perturbation", "strength", "label", "n", "changed", "low", "high"])
