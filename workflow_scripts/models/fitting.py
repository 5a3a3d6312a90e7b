"""From the artefacts of a cell to a model that can name new pictures."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from workflow_scripts.clusterers import NOISE, Runs, cluster_means, read_runs
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.tables import read_labels
from workflow_scripts.metrics.votes import majority_names
from workflow_scripts.models.saved import ENCODER, SavedModel
from workflow_scripts.reduce.autoencoder import read as read_autoencoder
from workflow_scripts.reduce.pca import Matrix, fit_pca

QUANTILE = 0.99
"""Of the distances of the pictures that the model is made of: one in a hundred like them will be called an outlier."""
ROWS = 1024
"""Images at once; fixed, since the order of the sums depends on it."""


def fit_model(sources: Mapping[str, str], cell: Mapping[str, Any], settings: Mapping[str, Any]) -> SavedModel:
    """A model of a cell's best clustering.

    Of several k it is the one with the highest mean adjusted Rand index over the repeats (which, unlike accuracy by
    majority, does not grow with k by itself), without labels the highest mean silhouette; of its repeats the one of
    lowest inertia. New pictures go to the nearest centre, also where the clusterer itself works otherwise.

    Parameters
    ----------
    sources :
        paths of the cell's `manifest, features, points, clusters, scores`, and of the features of all images, `network`
        (they say what network they come from; those of a subset do not)
    cell : its choices, by axis
    settings : of its `preprocess`, `backbone` and `decomposition` (null: the features themselves are clustered)

    Raises
    ------
    UserError
        If the clusterer calls every image noise.
    """
    with store.reading(sources["clusters"]) as file:
        runs, manifest, clusterer = read_runs(file), file.attrs["manifest"], store.attribute(file, "settings")
    k, row, told = choose(pd.read_parquet(sources["scores"]), runs)
    labels = runs[k].labels[row].astype(int)
    names = majority_names(labels, read_labels(sources["manifest"], manifest))
    if names.empty:
        raise UserError(f"model: {cell['clusterer']} found every image noise, allowed: a clusterer that finds clusters")
    clusters = np.where(labels < 0, NOISE, np.searchsorted(names.index, labels))  # without clusters that are empty
    with store.reading(sources["features"], manifest) as file:
        features = file["features"]
        means = _means(features, clusters)
        threshold = float(np.quantile(own_distances(features, clusters, means), QUANTILE))
        centers = _centers(sources, cell, runs[k], row)[names.index]
        tensors = {"centers": centers, "feature_centers": means}
        tensors |= _reduction(sources, features, cell, settings["decomposition"])
    with store.reading(sources["network"]) as file:
        its = {"batch_size": int(file.attrs["batch_size"]), "weights_sha256": file.attrs["weights_sha256"]}
        if "scales" in file.attrs:
            its["scales"] = store.attribute(file, "scales")  # of a joined layer
    facts = {
        "cell": dict(cell),
        "images": len(clusters),
        "manifest": manifest,
        "preprocess": settings["preprocess"],
        "backbone": {**settings["backbone"], "layer": cell["layer"], **its},
        "reduction": {
            "whiten": cell["whiten"],
            "n_components": centers.shape[1],
            "settings": settings["decomposition"],
        },
        "clusterer": {**clusterer, "chosen_k": k, "repeat": int(runs[k].repeat[row]), **told},
        "clusters": names.reset_index()[["cluster", "size", "predicted", "name"]].to_dict("records"),
        "novelty": {"threshold": threshold, "quantile": QUANTILE},
    }
    return SavedModel(facts, {name: its.astype(np.float32) for name, its in tensors.items()})


def choose(scores: pd.DataFrame, runs: Mapping[int | None, Runs]) -> tuple[int | None, int, dict[str, Any]]:
    """The k and the row of its runs to make a model of, and what the choice of k went by."""
    by = "ari" if scores["ari"].notna().any() else "silhouette"
    of_k = {k: scores.loc[scores["k"].isna() if k is None else scores["k"] == k, by] for k in runs}
    means = {k: its.iloc[runs[k].best_of_repeats].mean() for k, its in of_k.items()}
    best = max(means, key=lambda k: np.nan_to_num(means[k], nan=-np.inf))
    return best, runs[best].best, {"chosen_by": by, f"mean_{by}": _finite(means[best])}


def own_distances(features: Matrix, clusters: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Distances of the clustered images to the nearest mean, each as if its own cluster's had been taken without it.

    `features` (N, d), `clusters` (N,) with negative noise, `means` (k, d) float64 of all members. Without itself, the
    mean of an image's n - 1 cluster mates is n / (n - 1) times as far away; alone in its cluster it has none.
    """
    sizes = np.bincount(clusters[clusters >= 0], minlength=len(means)).astype(float)
    found = []
    for rows in _slices(features):
        own = clusters[rows]
        distances = cdist(features[rows], means)[own >= 0]
        own = own[own >= 0]
        its = np.arange(len(own))
        alone = sizes[own] == 1
        distances[its, own] *= sizes[own] / np.where(alone, 1, sizes[own] - 1)
        distances[its[alone], own[alone]] = np.inf
        found.append(distances.min(axis=1))
    return np.concatenate(found)


def _means(features: Matrix, clusters: np.ndarray) -> np.ndarray:
    """The mean features (k, d) float64 of each cluster's images."""
    sums = np.zeros((clusters.max() + 1, features.shape[1]))
    for rows in _slices(features):
        clustered = clusters[rows] >= 0
        np.add.at(sums, clusters[rows][clustered], features[rows][clustered])
    return sums / np.bincount(clusters[clusters >= 0])[:, None]


def _centers(sources: Mapping[str, str], cell: Mapping[str, Any], runs: Runs, row: int) -> np.ndarray:
    """The centres (k, C) of the clusterer, or the means of the clusters of one that has none."""
    if runs.centers.shape[1]:
        return runs.centers[list(np.unique(runs.repeat)).index(runs.repeat[row])]
    points = read_points(sources["points"], cell["n_components"], cell["whiten"])
    return cluster_means(points.values, runs.labels[row])


def _reduction(
    sources: Mapping[str, str], features: Matrix, cell: Mapping[str, Any], settings: Mapping[str, Any] | None
) -> dict[str, np.ndarray]:
    """The tensors that take features to where they are clustered; of a PCA once more, as its store has scores only."""
    if settings is None:
        return {}
    if settings["method"] == "autoencoder":
        return {ENCODER + name: its.numpy() for name, its in read_autoencoder(sources["points"]).state_dict().items()}
    fitted = fit_pca(features, max_components=settings["max_components"] or cell["n_components"])
    kept = slice(cell["n_components"])
    return {
        "mean": fitted.mean,
        "components": fitted.components[kept],
        "explained_variance": fitted.explained_variance[kept],
    }


def _slices(features: Matrix) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, features.shape[0], ROWS))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
