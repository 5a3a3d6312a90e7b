"""Cross-validation: measure how well clusters predict the classes of images that were not clustered.

In each fold, the training images are clustered, and the others, the validation images, get the nearest cluster.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.errors import UserError
from workflow_scripts.io.points import Matrix, reduced
from workflow_scripts.io.runs import NOT_APPLICABLE
from workflow_scripts.metrics.agreement import score_restarts
from workflow_scripts.metrics.internal import silhouettes
from workflow_scripts.metrics.table import CLASS_COLUMNS, COLUMNS, typed
from workflow_scripts.metrics.votes import class_scores, majority_names, predict_classes
from workflow_scripts.reduce.pca import fit_pca
from workflow_scripts.reduce.scaling import Scaled
from workflow_scripts.seeds import seed


@dataclass(frozen=True)
class Model:
    """The settings of the scaling, the PCA and the clusterer, which are fitted on the training images.

    Attributes
    ----------
    n_components : number of components of the PCA; None takes all, up to `max_components`.
    whiten : whether the components are scaled to unit variance.
    max_components : largest number of components; None for no limit.
    scale : the scaling of the features (`reduce.scaling.Scaled`).
    cluster : the function `cluster` of the clusterer's module.
    clusterer : the settings of the clusterer.
    """

    n_components: int | None
    whiten: bool
    max_components: int | None
    scale: str | None
    cluster: Callable[..., Any]
    clusterer: Mapping[str, Any]


@dataclass(frozen=True)
class Fold:
    """A fold whose PCA is fitted: `points` (N, d) and `labels` (N,) of all images, and two arrays of rows of images.

    `training` are the rows of the images that are clustered, `validation` the rows of the other images.
    """

    points: np.ndarray
    training: np.ndarray
    validation: np.ndarray
    labels: np.ndarray


def cross_validate(
    features: Matrix,
    labels: np.ndarray,
    model: Model,
    settings: Mapping[str, Any],
    columns: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    groups: np.ndarray | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the scores of every fold, k and repeat in the columns of the study's tables.

    The scaling, the PCA, the centres and the classes of the clusters are computed from the training images only. A
    validation image gets the cluster with the nearest centre; if the method has no centres, they are the means of the
    clusters. The column `split` says what was scored. `train` are the training images. `validation` are the validation
    images, with the classes that the training images gave to the clusters. For `validation_refitted`, the validation
    images themselves vote for the classes of the clusters, so their labels leak into their own score (as in Cohn & Holm
    2020).

    Parameters
    ----------
    features : (N, d), for example an HDF5 dataset.
    labels : (N,) str, "" if missing.
    model : the settings of the scaling, the PCA and the clusterer.
    settings : the settings of `settings.CrossValidation`.
    columns : the values of the columns that describe the cell.
    base_seed : the seeds of folds and clusterings are computed from it.
    n_threads : number of threads of the clusterer.
    progress : called after each fold with the number of folds done and of all folds.
    groups : (N,) str, groups of images, such as specimens, that stay in one fold; None if all images are independent.

    Returns
    -------
    A table with one row for each fold, k, repeat and split, and a second table in which each of these rows is divided
    into one row for each class.

    Raises
    ------
    UserError
        If the largest class has fewer images or groups than there are folds, or if all training images are noise.
    """
    rows: list[pd.DataFrame] = []
    classes: list[pd.DataFrame] = []
    for number, (training, validation) in enumerate(stratified_folds(labels, settings["folds"], base_seed, groups)):
        fold = Fold(_points(features, training, model), training, validation, labels)
        fold_columns = {**columns, "fold": number, "n_components_used": fold.points.shape[1]}
        fold_seed = seed(base_seed, "fold", number)
        for scores, by_class in _scores_of_fold(fold, model, fold_seed, n_threads, settings["mapping"]):
            rows.append(scores.assign(**fold_columns))
            classes.append(by_class.assign(**fold_columns))
        progress(number + 1, settings["folds"])
    return typed(dict(pd.concat(rows)), {}, COLUMNS), typed(dict(pd.concat(classes)), {}, CLASS_COLUMNS)


def stratified_folds(
    labels: np.ndarray, n_folds: int, base_seed: int, groups: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return for each fold the rows of the training images and the rows of the validation images.

    Each fold has about the same share of every class; images without a label count as one more class. The folds are
    those of scikit-learn's `StratifiedKFold`, or if `groups` (N,) are given, of `StratifiedGroupKFold`, which keeps
    each group together. Raises `UserError` if the largest class has fewer images (or groups) than there are folds.
    """
    independent = np.arange(len(labels)) if groups is None else groups
    largest = pd.Series(independent).groupby(labels).nunique().max()
    if largest < n_folds:
        unit = "images" if groups is None else "groups"
        raise UserError(
            f"config: cross_validations: folds: found {n_folds}, allowed: at most {largest}, the {unit} of the largest "
            "class"
        )
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = kind(n_folds, shuffle=True, random_state=seed(base_seed, "folds"))
    return folds.split(np.zeros(len(labels)), labels, groups)


def _points(features: Matrix, training: np.ndarray, model: Model) -> np.ndarray:
    inside = np.isin(np.arange(features.shape[0]), training)
    X = Scaled(features, model.scale, inside)
    limits = [limit for limit in (model.n_components, model.max_components) if limit]
    fitted = fit_pca(X, rows=training, max_components=min(limits, default=None))
    scores = np.concatenate([chunk for _, chunk in fitted.transform(X)])
    return reduced(scores, fitted.explained_variance, scores.shape[1], model.whiten)[0]


def _scores_of_fold(
    fold: Fold, model: Model, fold_seed: int, n_threads: int, mappings: list[str]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Cluster the training images, and yield the scores, and the scores by class, of each k, repeat and split."""
    points = fold.points[fold.training]
    for k, runs in model.cluster(points, model.clusterer, fold_seed, n_threads, lambda *_: None):
        for row, stored in zip(runs.best_of_repeats, runs.centers, strict=True):
            run = {"k": k, "repeat": runs.repeat[row], "n_init": model.clusterer.get("n_init")}
            run_seed = runs.seed[row] if runs.seed[row] != NOT_APPLICABLE else None
            centers = stored if len(stored) else cluster_means(points, runs.labels[row])
            for split, scores, by_class in _splits(fold, runs.labels[row], centers, mappings):
                yield (
                    scores.assign(**run, seed=run_seed, restart=runs.restart[row], split=split),
                    pd.DataFrame(by_class).assign(**run, split=split),
                )


def _splits(
    fold: Fold, clusters: np.ndarray, centers: np.ndarray, mappings: list[str]
) -> Iterator[tuple[str, pd.DataFrame, dict[str, np.ndarray]]]:
    """Yield the name of each split (see `cross_validate`), its scores, and its scores by class.

    `clusters` are the clusters of the training images, `centers` (K, d) their centres, and `mappings` says which of
    the two validation splits are wanted. Raises `UserError` if all training images are noise.
    """
    truth, unseen = fold.labels[fold.training], fold.labels[fold.validation]
    names = majority_names(clusters, truth)
    present = np.flatnonzero(np.isfinite(centers).all(axis=1))
    if not len(present):
        message = "every image of a fold is noise, allowed: a clusterer that finds clusters"
        raise UserError(f"config: cross_validation: {message}")
    nearest, distance = pairwise_distances_argmin_min(fold.points[fold.validation], centers[present])
    nearest = present[nearest]
    clustered = clusters >= 0
    seen_inertia = float(np.square(fold.points[fold.training][clustered] - centers[clusters[clustered]]).sum())
    yield "train", _scores(fold, fold.training, clusters, seen_inertia), class_scores(clusters, truth)
    refitted = _scores(fold, fold.validation, nearest, float(np.square(distance).sum()))
    if "training" in mappings:
        by_training = refitted.assign(
            accuracy_majority=accuracy(predict_classes(nearest, names), unseen),
            accuracy_matched=accuracy(predict_classes(nearest, matched_names(clusters, truth)), unseen),
        )
        yield "validation", by_training, class_scores(nearest, unseen, names)
    if "validation" in mappings:
        yield "validation_refitted", refitted, class_scores(nearest, unseen)


def _scores(fold: Fold, rows: np.ndarray, clusters: np.ndarray, inertia: float) -> pd.DataFrame:
    silhouette = silhouettes(fold.points[rows], clusters[None]).value
    agreement = score_restarts(clusters[None], fold.labels[rows])
    return pd.DataFrame({**agreement, "inertia": inertia, "silhouette": silhouette})


def matched_names(clusters: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return the class of each cluster, if clusters and classes are matched one to one in the best way (Kuhn 1955).

    `clusters` (N,) and `labels` (N,) are the cluster and the label of each image. The table has the column `predicted`
    and one row for each cluster, with the cluster as index. Clusters that get no class are left out.
    """
    labelled = labels != ""
    counts = pd.crosstab(clusters[labelled], labels[labelled])
    at, best = linear_sum_assignment(counts.to_numpy(), maximize=True)
    return pd.DataFrame({"predicted": counts.columns[best].astype(object)}, index=counts.index[at])


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the labelled images whose class is predicted correctly; NaN if no image has a label.

    `predicted` (N,) are classes or None; `labels` (N,) are texts, "" for images without a label.
    """
    labelled = labels != ""
    return float(np.mean(predicted[labelled] == labels[labelled])) if labelled.any() else np.nan
