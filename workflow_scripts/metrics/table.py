"""Make the tables of scores: one row for each stored clustering, and one for each class in the best clusterings.

A cell is one combination of choices, from the preprocessing to the clusterer. A repeat is a set of `n_init` restarts,
which have random starts; the best restart is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from workflow_scripts.grid.axes import COLUMNS as CELL_COLUMNS
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.points import Points
from workflow_scripts.io.runs import NOT_APPLICABLE, Runs
from workflow_scripts.io.tables import arrow_column
from workflow_scripts.metrics import class_scores, compactness, score_restarts, silhouettes
from workflow_scripts.metrics.dbcv import dbcv
from workflow_scripts.metrics.internal import MAX_POINTS, Estimates
from workflow_scripts.scores import COLUMNS as SCORE_COLUMNS

CRITERIA = ("bic", "aic")
"""The diagnostics of clusterers that are columns of the table."""
COLUMNS = [
    "dataset",
    *CELL_COLUMNS,
    *("k", "n_clusters", "noise_fraction", "fold", "split", "repeat", "restart", "n_init", "seed", "inertia", "n_iter"),
    *(name for name in SCORE_COLUMNS if name != "inertia"),
]
CLASS_COLUMNS = [
    *COLUMNS[: COLUMNS.index("k") + 1],
    *("fold", "split", "repeat", "label", "support", "precision", "recall", "f1"),
]
INTEGERS = ("k", "n_clusters", "fold", "repeat", "restart", "n_init", "seed", "n_iter", "support")
DBCV_PAIRS = 1e9
"""Largest number of pairs of points, summed over the partitions of a cell, for which DBCV is computed; so many take
half a minute."""
TEXTS = ("dataset", "split", "label")


def score_clusters(cell: OneCell) -> tuple[pa.Table, pa.Table]:
    """Return two tables: the scores of every stored clustering of a cell, and the scores of each class in the best
    clustering of each repeat.

    A column that does not apply is null. Metrics that need labels are null if no image has a label. Silhouette,
    Calinski-Harabasz, Davies-Bouldin and DBCV are null for restarts that are not the best of their repeat, because they
    take longer than all other metrics together. DBCV is also null if there are more than `DBCV_PAIRS` pairs of points,
    summed over the best clusterings. Silhouette and DBCV have 95 % intervals, which are null if all points were used
    instead of a sample. If the network was fine-tuned, the images whose labels it was trained on count as unlabelled,
    and the column `split` says `held out`.
    """
    points, labels, settings = cell.points(), cell.labels(), cell.clusterer()
    runs = cell.runs(points.manifest)
    constant = {**cell.choices, "n_components_used": points.n_components}
    if points.trained_on is not None:
        constant["split"] = "held out"
    n_init = 1 if settings.get("keep") == "all" else settings.get("n_init")
    scores = _joined(_scores(k, k_runs, labels) for k, k_runs in runs.items()) | _internal_scores(runs, points)
    classes = _joined(_classes(k, k_runs, labels) for k, k_runs in runs.items())
    return typed(scores, {**constant, "n_init": n_init}, COLUMNS), typed(classes, constant, CLASS_COLUMNS)


def _joined(parts: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the columns of several tables, with the rows of one table below those of the table before."""
    tables = list(parts)
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def _scores(k: int | None, runs: Runs, labels: np.ndarray) -> dict[str, np.ndarray]:
    n = len(runs.labels)
    own = {name: getattr(runs, name) for name in ("repeat", "restart", "inertia")}
    for name in ("seed", "n_iter"):
        values = getattr(runs, name)
        own[name] = np.where(values == NOT_APPLICABLE, None, values)
    criteria = {name: runs.diagnostics.get(name, np.full(n, np.nan)) for name in CRITERIA}
    return {**score_restarts(runs.labels, labels), "k": np.full(n, k, dtype=object), **own, **criteria}


def _internal_scores(runs: Mapping[int | None, Runs], points: Points) -> dict[str, np.ndarray]:
    """Return the scores that need no labels, for the best run of each repeat of every k.

    Each column has one row for every run; the rows of runs that are not the best are NaN. Distances are computed once
    for all runs.
    """
    best = [k_runs.best_of_repeats for k_runs in runs.values()]
    partitions = np.concatenate([k_runs.labels[rows] for k_runs, rows in zip(runs.values(), best, strict=True)])
    scores = compactness(points.values, partitions) | _named("silhouette", silhouettes(points.values, partitions))
    if len(partitions) * min(len(points.values), MAX_POINTS) ** 2 <= DBCV_PAIRS:
        scores |= _named("dbcv", dbcv(points.values, partitions))
    counts = np.array([len(k_runs.labels) for k_runs in runs.values()])
    starts = np.cumsum(counts) - counts
    places = np.concatenate([start + rows for start, rows in zip(starts, best, strict=True)])
    columns = {name: np.full(counts.sum(), np.nan) for name in scores}
    for name, values in scores.items():
        columns[name][places] = values
    return columns


def _named(name: str, estimates: Estimates) -> dict[str, np.ndarray]:
    return {name: estimates.value, f"{name}_low": estimates.low, f"{name}_high": estimates.high}


def _classes(k: int | None, runs: Runs, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores by class of the best run of each repeat for one k; no rows if there are no labels."""
    parts = []
    for row in runs.best_of_repeats:
        scores = class_scores(runs.labels[row], labels)
        n = len(scores["label"])
        parts.append({**scores, "k": np.full(n, k, dtype=object), "repeat": np.full(n, runs.repeat[row])})
    return _joined(parts)


def types_of(columns: Iterable[str]) -> dict[str, str]:
    """Return the pandas type of each column, by its name. All types allow missing values.

    Whole numbers are `Int64`, so that 7 does not become 7.0.
    """
    known = {**CELL_COLUMNS, **dict.fromkeys(INTEGERS, "Int64"), **dict.fromkeys(TEXTS, "string")}
    return {name: known.get(name, "float64") for name in columns}


def typed(rows: Mapping[str, Any], constant: Mapping[str, Any], columns: Sequence[str]) -> pa.Table:
    """Return a table with these columns. A column has the same type in all tables, even without rows or values.

    `rows` has columns as arrays. `constant` has columns with one value for all rows. A column that is in neither is
    null. NaN becomes null too.
    """
    n = len(next(iter(rows.values())))
    values = {name: rows.get(name, [constant.get(name)] * n) for name in columns}
    types = types_of(columns)
    return pa.table({name: arrow_column(values[name], types[name]) for name in columns})
