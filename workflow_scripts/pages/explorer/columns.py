"""What the explorer can colour by: columns of codes with their names, or of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.metrics.members import cluster_names

MOST_LEVELS = 200
"""Distinct texts of a column that are groups; more are no groups but names."""
NOT_SHOWN = ("image_id", "path", "row")
"""Columns of the manifest that name an image."""


@dataclass(frozen=True)
class Column:
    """One value of every image: `values` (N,) uint16 codes, or float32 numbers (NaN where there is none).

    A code is 0 where there is no value, else the place in `levels` plus 1. `facts` are what else the page has to know:
    of a clustering the `cell` and its `k`.
    """

    title: str
    values: np.ndarray
    levels: tuple[str, ...] | None
    facts: Mapping[str, Any]


def numbers(title: str, values: Sequence[float] | pd.Series) -> Column:
    """Return a column of numbers."""
    return Column(title, np.asarray(values, dtype=np.float32), None, {})


def levels(title: str, texts: pd.Series) -> Column:
    """Return a column of texts, in the order of the alphabet; None and "" are no value."""
    present = texts.where(texts != "")
    codes, names = pd.factorize(present, sort=True, use_na_sentinel=True)
    return Column(title, (codes + 1).astype(np.uint16), tuple(map(str, names)), {})


def of_table(table: pd.DataFrame) -> list[Column]:
    """Return the columns of a table of facts on the images that say something: numbers, or texts of few levels."""
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
    """Return the clusters of one partition.

    Parameters
    ----------
    cell : its place among the cells.
    k : as asked for; None where the clusterer finds it.
    partition : (M,) integers; negative is noise.
    labels : (M,), None where there is none.
    rows : (M,) the places of its images among all N.
    """
    names = cluster_names(partition, labels)
    code_of = {cluster: code for code, cluster in enumerate(names, 1)}
    values = np.zeros(n, dtype=np.uint16)
    values[rows] = [code_of[cluster] for cluster in partition.tolist()]
    noise = next((code for cluster, code in code_of.items() if cluster < 0), None)
    facts = {"cell": cell, "k": k or sum(cluster >= 0 for cluster in names), "noise": noise}
    return Column("", values, tuple(names.values()), facts)
