"""The tables of scores: one row for each stored clustering, and one for each of its classes."""

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
"""Diagnostics of clusterers that become columns."""
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
"""Largest number of pairs of points, over all partitions of a file, for which DBCV is computed; takes half a minute."""
TEXTS = ("dataset", "split", "label")


def score_clusters(cell: OneCell) -> tuple[pa.Table, pa.Table]:
    """Return the scores of every stored clustering of a cell, and the scores by class of the best one of each repeat.

    A column that does not apply is null: agreement with labels if there are none; silhouette, Calinski-Harabasz,
    Davies-Bouldin and DBCV for restarts that are not the best of their repeat (they take longer than all other metrics
    together); the intervals if all points were used; DBCV if there are more pairs than `DBCV_PAIRS`. For a fine-tuned
    network the labels that it was trained on are ignored, and `split` is `held out`.
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
    """Return columns of several parts, the rows of one part below those of the other."""
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
    """Return the scores without labels of the best run of each repeat of every k, in one pass over the distances.

    They have a row for every run, which is NaN for the others.
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
    """Return the scores by class of the best run of each repeat; no rows if there are no labels."""
    parts = []
    for row in runs.best_of_repeats:
        scores = class_scores(runs.labels[row], labels)
        n = len(scores["label"])
        parts.append({**scores, "k": np.full(n, k, dtype=object), "repeat": np.full(n, runs.repeat[row])})
    return _joined(parts)


def types_of(columns: Iterable[str]) -> dict[str, str]:
    """Return the type of each column, as pandas calls those that take nulls.

    Whole numbers are nullable integers, so that 7 does not become 7.0; `whiten` is a nullable boolean.
    """
    known = {**CELL_COLUMNS, **dict.fromkeys(INTEGERS, "Int64"), **dict.fromkeys(TEXTS, "string")}
    return {name: known.get(name, "float64") for name in columns}


def typed(rows: Mapping[str, Any], constant: Mapping[str, Any], columns: Sequence[str]) -> pa.Table:
    """Return a table with these columns, each of one fixed type, even if there are no rows or no values.

    `rows` holds arrays by column, `constant` one value for all rows; a column in neither is null, and so is NaN.
    """
    n = len(next(iter(rows.values())))
    values = {name: rows.get(name, [constant.get(name)] * n) for name in columns}
    types = types_of(columns)
    return pa.table({name: arrow_column(values[name], types[name]) for name in columns})
