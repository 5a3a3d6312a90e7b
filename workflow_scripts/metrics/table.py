"""The promised table: a row of metrics for each stored clustering, and one for each of its classes."""

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
"""What some clusterers say of themselves."""
COLUMNS = [
    "dataset",
    *CELL_COLUMNS,
    *("k", "n_clusters", "noise_fraction", "fold", "split", "repeat", "restart", "n_init", "seed", "inertia", "n_iter"),
    *("accuracy_majority", "accuracy_matched", "ari", "ami", "nmi_arithmetic", "nmi_geometric"),
    *("purity", "homogeneity", "completeness", "silhouette"),
    *("silhouette_low", "silhouette_high", "calinski_harabasz", "davies_bouldin", "dbcv", "dbcv_low", "dbcv_high"),
    *CRITERIA,
]
CLASS_COLUMNS = [
    *COLUMNS[: COLUMNS.index("k") + 1],
    *("fold", "split", "repeat", "label", "support", "precision", "recall", "f1"),
]
INTEGERS = ("k", "n_clusters", "fold", "repeat", "restart", "n_init", "seed", "n_iter", "support")
DBCV_PAIRS = 1e9
"""Pairs of points, over all partitions of a file, up to which DBCV is computed: about half a minute."""
TEXTS = ("dataset", "split", "label")


def score_clusters(cell: OneCell) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores of every stored clustering of a file; precision, recall and F1 of each class of the best of each
    repeat.

    A column that does not apply is null: agreement with labels where there are none; silhouette, Calinski-Harabasz,
    Davies-Bouldin and DBCV of restarts that are not the best of their repeat (they cost more than all other metrics
    together); their intervals where all points were used; DBCV where it would take more than `DBCV_PAIRS`. Behind a
    fine-tuned network the labels that it was trained on do not count, and `split` is `held out`.
    """
    points, labels, settings = cell.points(), cell.labels(), cell.clusterer()
    runs = cell.runs(points.manifest)
    constant = {**cell.choices, "n_components_used": points.n_components}
    if points.trained_on is not None:
        constant["split"] = "held out"
    n_init = 1 if settings.get("keep") == "all" else settings.get("n_init")
    internal = _internal_scores(runs, points)
    scores = [_scores(k, of_k, labels).join(internal[k]).assign(**constant, n_init=n_init) for k, of_k in runs.items()]
    classes = [frame.assign(**constant) for k, of_k in runs.items() for frame in _classes(k, of_k, labels)]
    by_class = pd.concat(classes) if classes else pd.DataFrame(columns=CLASS_COLUMNS)
    return typed(pd.concat(scores), COLUMNS), typed(by_class, CLASS_COLUMNS)


def _scores(k: int | None, runs: Runs, labels: np.ndarray) -> pd.DataFrame:
    own = {name: getattr(runs, name) for name in ("repeat", "restart", "inertia")}
    own |= {name: pd.Series(getattr(runs, name)).replace(NOT_APPLICABLE, None) for name in ("seed", "n_iter")}
    criteria = {name: runs.diagnostics.get(name, np.nan) for name in CRITERIA}
    return score_restarts(runs.labels, labels).assign(k=k, **own, **criteria)


def _internal_scores(runs: Mapping[int | None, Runs], points: Points) -> dict[int | None, pd.DataFrame]:
    """Return what needs no labels, of the best of each repeat of every k, all in one pass over the distances."""
    best = {k: of_k.best_of_repeats for k, of_k in runs.items()}
    partitions = np.concatenate([of_k.labels[best[k]] for k, of_k in runs.items()])
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
    """Return the columns in their order and of one type each, also without a row or a value.

    Whole numbers are nullable integers, so that a null is null and 7 is not 7.0, and `whiten` is a nullable boolean.
    """
    types = {**CELL_COLUMNS, **dict.fromkeys(INTEGERS, "Int64"), **dict.fromkeys(TEXTS, "string")}
    frame = frame.reindex(columns=columns).reset_index(drop=True)
    return frame.astype({name: types.get(name, "float64") for name in columns})
