"""Make the columns by which the explorer colours images. A column has numbers, or codes and a name for each code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.metrics import majority_names
from workflow_scripts.metrics.members import cluster_names
from workflow_scripts.metrics.votes import apart

MOST_LEVELS = 200
"""Largest number of levels (different texts) of a column. If there are more, the rarest share one level."""
NOT_SHOWN = ("image_id", "path", "row")
"""Columns of the manifest that are not shown, because they only name the image."""
DAY = len("2026-11-29")
"""Number of characters of the day in an ISO 8601 time."""


@dataclass(frozen=True)
class Column:
    """A value for each of N images.

    Attributes
    ----------
    title : name of the column on the page.
    values : (N,) uint16 codes, or (N,) float32 numbers with NaN for a missing value. Code 0 is a missing value, and
        code i + 1 is `levels[i]`.
    levels : the names of the codes; None for a column of numbers.
    facts : further values for the page. A clustering has `cell` (its index), `k`, `noise` (the code of noise, or None)
        and `predicted` (the majority class of each cluster).
    """

    title: str
    values: np.ndarray
    levels: tuple[str, ...] | None
    facts: Mapping[str, Any]


def numbers(title: str, values: Sequence[float] | pd.Series) -> Column:
    """Return a column of N numbers; NaN is a missing value."""
    return Column(title, np.asarray(values, dtype=np.float32), None, {})


def levels(title: str, texts: pd.Series) -> Column:
    """Return a column of texts, whose levels are in alphabetical order; None and "" are missing values."""
    present = texts.where(texts != "")
    codes, names = pd.factorize(present, sort=True, use_na_sentinel=True)
    return Column(title, (codes + 1).astype(np.uint16), tuple(map(str, names)), {})


def of_table(table: pd.DataFrame) -> list[Column]:
    """Return the useful columns of a table with one row per image.

    A column is left out if all its values are the same (a missing value is a value here), or if it has more than
    `MOST_LEVELS` texts that are all different. Of the time `taken` only the day is used.
    """
    made = []
    for name in (name for name in table if name not in NOT_SHOWN):
        values = table[name].str[:DAY] if name == "taken" else table[name]
        values = values.where(values != "")
        if values.nunique(dropna=False) < 2:
            continue
        as_numbers = pd.to_numeric(values, errors="coerce")
        if as_numbers.notna().equals(values.notna()):
            made.append(numbers(name, as_numbers))
        elif values.nunique() <= MOST_LEVELS or not values.dropna().is_unique:
            made.append(levels(name, most_frequent(values)))
    return made


def most_frequent(texts: pd.Series) -> pd.Series:
    """Return the texts (N,) with at most `MOST_LEVELS` different values.

    If there are more, the rarest are replaced by one text that says how many values it stands for.
    """
    counts = texts.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    if len(counts) <= MOST_LEVELS:
        return texts
    rare = counts.index[MOST_LEVELS - 1 :]
    return texts.where(~texts.isin(rare), apart(f"{len(rare)} other values", counts.index))


def clustering(cell: int, k: int | None, partition: np.ndarray, labels: pd.Series, rows: np.ndarray, n: int) -> Column:
    """Return the column of the clusters of one partition.

    Parameters
    ----------
    cell : index of the cell in the study.
    k : the wanted number of clusters; None if the clusterer finds k itself.
    partition : (M,) integers; negative is noise.
    labels : (M,), None for images without a label.
    rows : (M,) indices of the clustered images among all N images.
    n : N.
    """
    names = cluster_names(partition, labels)
    votes = majority_names(partition, labels)["predicted"].to_dict()
    code_of = {cluster: code for code, cluster in enumerate(names, 1)}
    values = np.zeros(n, dtype=np.uint16)
    values[rows] = [code_of[cluster] for cluster in partition.tolist()]
    noise = next((code for cluster, code in code_of.items() if cluster < 0), None)
    facts = {
        "cell": cell,
        "k": k or sum(cluster >= 0 for cluster in names),
        "noise": noise,
        "predicted": [votes.get(cluster) for cluster in names],
    }
    return Column("", values, tuple(names.values()), facts)
