"""Make the columns by which the explorer can colour images: numbers, or codes with a name for each code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.metrics.members import cluster_names

MOST_LEVELS = 200
"""Largest number of different texts in a column; with more, each text names an image and not a group."""
NOT_SHOWN = ("image_id", "path", "row")
"""Columns of the manifest that name an image."""


@dataclass(frozen=True)
class Column:
    """One value for each of N images: codes (N,) uint16, or numbers (N,) float32 with NaN for a missing value.

    Code 0 is a missing value, and code i + 1 is `levels[i]`. `facts` are further values for the page; those of a
    clustering are its `cell`, its `k`, and the code `noise`.
    """

    title: str
    values: np.ndarray
    levels: tuple[str, ...] | None
    facts: Mapping[str, Any]


def numbers(title: str, values: Sequence[float] | pd.Series) -> Column:
    """Return a column of numbers."""
    return Column(title, np.asarray(values, dtype=np.float32), None, {})


def levels(title: str, texts: pd.Series) -> Column:
    """Return a column of texts, whose levels are in alphabetical order; None and "" are missing values."""
    present = texts.where(texts != "")
    codes, names = pd.factorize(present, sort=True, use_na_sentinel=True)
    return Column(title, (codes + 1).astype(np.uint16), tuple(map(str, names)), {})


def of_table(table: pd.DataFrame) -> list[Column]:
    """Return the useful columns of a table with one row per image: numbers, and texts with few different values."""
    made = []
    for name in (name for name in table if name not in NOT_SHOWN):
        as_numbers = pd.to_numeric(table[name], errors="coerce")
        given = table[name].notna() & (table[name] != "")
        if table[name].nunique() < 2:
            continue
        if as_numbers[given].notna().all():
            made.append(numbers(name, as_numbers))
        elif table.loc[given, name].nunique() <= MOST_LEVELS:
            made.append(levels(name, table[name]))
    return made


def clustering(cell: int, k: int | None, partition: np.ndarray, labels: pd.Series, rows: np.ndarray, n: int) -> Column:
    """Return the column of the clusters of one partition.

    Parameters
    ----------
    cell : index of the cell in the study.
    k : the wanted number of clusters; None if the clusterer finds it.
    partition : (M,) integers; negative is noise.
    labels : (M,), None for images without a label.
    rows : (M,) indices of the clustered images among all N images.
    n : N.
    """
    names = cluster_names(partition, labels)
    code_of = {cluster: code for code, cluster in enumerate(names, 1)}
    values = np.zeros(n, dtype=np.uint16)
    values[rows] = [code_of[cluster] for cluster in partition.tolist()]
    noise = next((code for cluster, code in code_of.items() if cluster < 0), None)
    facts = {"cell": cell, "k": k or sum(cluster >= 0 for cluster in names), "noise": noise}
    return Column("", values, tuple(names.values()), facts)
