"""The tables of scores: one row for each stored clustering, and one for each of its classes."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from workflow_scripts.grid.axes import COLUMNS as CELL_COLUMNS
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.points import Points
from workflow_scripts.io.runs import NOT_APPLICABLE, Runs
from workflow_scripts.metrics import class_scores, compactness, score_restarts, silhouettes
from workflow_scripts.metrics.dbcv import dbcv
from workflow_scripts.metrics.internal import MAX_POINTS

CRITERIA = ("bic", "aic")
"""Diagnostics of clusterers that become columns."""
COLUMNS = [
    "dataset",
    *CELL_COLUMNS,
    *("k", "n_clusters", "noise_fraction", "fold", "split", "repeat", "restart", "n_init", "seed", "inertia", "n_iter"),
    *("accuracy_majority", "accuracy_matched", "ari", "ami", "nmi_arithmetic", "nmi_geometric"),
    *("purity", "homogeneity", "completeness", "silhouette"),
    *("silhouette_low", "silhouette_high", "calinski_harabasz", "davies_bouldin", "dbcv", "dbcv_low", "dbcv_high"),
    *CRITERIA,
    *("largest_cluster", "largest_class"),
]
CLASS_COLUMNS = [
    *COLUMNS[: COLUMNS.index("k") + 1],
    *("fold", "split", "repeat", "label", "support", "precision", "recall", "f1"),
]
INTEGERS = ("k", "n_clusters", "fold", "repeat", "restart", "n_init", "seed", "n_iter", "support")
DBCV_PAIRS = 1e9
"""Largest number of pairs of points, over all partitions of a file, for which DBCV is computed; takes half a minute."""
TEXTS = ("dataset", "split", "label")


def score_clusters(cell: OneCell) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    internal = _internal_scores(runs, points)
    scores = pd.concat([_scores(k, k_runs, labels).join(internal[k]) for k, k_runs in runs.items()])
    classes = [frame for k, k_runs in runs.items() for frame in _classes(k, k_runs, labels)]
    by_class = pd.concat(classes) if classes else pd.DataFrame(columns=CLASS_COLUMNS)
    return typed(scores.assign(**constant, n_init=n_init), COLUMNS), typed(by_class.assign(**constant), CLASS_COLUMNS)


def _scores(k: int | None, runs: Runs, labels: np.ndarray) -> pd.DataFrame:
    own = {name: getattr(runs, name) for name in ("repeat", "restart", "inertia")}
    own |= {name: pd.Series(getattr(runs, name)).replace(NOT_APPLICABLE, None) for name in ("seed", "n_iter")}
    criteria = {name: runs.diagnostics.get(name, np.nan) for name in CRITERIA}
    return score_restarts(runs.labels, labels).assign(k=k, **own, **criteria)


def _internal_scores(runs: Mapping[int | None, Runs], points: Points) -> dict[int | None, pd.DataFrame]:
    """Return the scores without labels of the best run of each repeat of every k, in one pass over the distances."""
    best = {k: k_runs.best_of_repeats for k, k_runs in runs.items()}
    partitions = np.concatenate([k_runs.labels[best[k]] for k, k_runs in runs.items()])
    scores = compactness(points.values, partitions)
    scores[["silhouette", "silhouette_low", "silhouette_high"]] = np.transpose(silhouettes(points.values, partitions))
    if len(partitions) * min(len(points.values), MAX_POINTS) ** 2 <= DBCV_PAIRS:
        scores[["dbcv", "dbcv_low", "dbcv_high"]] = np.transpose(dbcv(points.values, partitions))
    ends = np.cumsum([len(rows) for rows in best.values()])
    parts = np.split(np.arange(len(partitions)), ends[:-1])
    return {k: scores.iloc[part].set_axis(rows) for (k, rows), part in zip(best.items(), parts, strict=True)}


def _classes(k: int | None, runs: Runs, labels: np.ndarray) -> Iterator[pd.DataFrame]:
    if not (labels != "").any():
        return
    for row in runs.best_of_repeats:
        yield class_scores(runs.labels[row], labels).assign(k=k, repeat=runs.repeat[row])


def typed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns in their order, each with one fixed type, even if the frame has no rows or no values.

    Whole numbers are nullable integers, so that 7 does not become 7.0; `whiten` is a nullable boolean.
    """
    types = {**CELL_COLUMNS, **dict.fromkeys(INTEGERS, "Int64"), **dict.fromkeys(TEXTS, "string")}
    frame = frame.reindex(columns=columns).reset_index(drop=True)
    return frame.astype({name: types.get(name, "float64") for name in columns})
