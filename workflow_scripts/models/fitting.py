"""Make a model from the files of a cell. The model can predict the clusters of new images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.backbones import codebook
from workflow_scripts.backbones.joined import facts_for_models
from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.best_k import best_k
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import groups_of, read_labels, read_manifest
from workflow_scripts.io.runs import NOISE, Runs, read_runs
from workflow_scripts.io.tables import best_of_repeats, with_k
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.metrics.members import cluster_names
from workflow_scripts.metrics.votes import majority_names
from workflow_scripts.models.batch_tests import MOST_KNOWN
from workflow_scripts.models.novelty import MOST_IMAGES, at_most, novelty, outlier_threshold, parted, spreads
from workflow_scripts.models.saved import SavedModel
from workflow_scripts.reduce.placing import placing_by

RATE = 0.01
"""The share of images like those of the model that count as outliers."""


def fit_model(sources: Mapping[str, str], cell: Mapping[str, Any], settings: Mapping[str, Any]) -> SavedModel:
    """Return a model of a cell's best clustering.

    If there are several k, the one with the highest mean adjusted Rand index over the repeats is taken, because this
    index, unlike an accuracy, does not grow with k by itself. Without labels, the k with the highest mean silhouette is
    taken. Of the repeats with this k, the one with the lowest inertia is taken. New images get the cluster with the
    nearest centre, for every clusterer.

    Parameters
    ----------
    sources :
        the paths of the cell's `manifest`, `features`, `points`, `clusters` and `scores`, and of `network`: the feature
        store of all images, which names the network (the feature store of a subset does not).
    cell : the choices of the cell, by axis.
    settings :
        the settings of its `preprocess`, `backbone` and `decomposition` (None if the features themselves are
        clustered).

    Raises
    ------
    UserError
        If the clusterer labels every image as noise, or there are fewer than three images.
    """
    files = OneCell(cell, sources)
    with store.reading(sources["clusters"]) as file:
        runs, manifest, clusterer = read_runs(file), store.text(file, "manifest"), store.attribute(file, "settings")
    k, row, choice = choose(files.scores(), runs)
    labels = runs[k].labels[row].astype(int)
    given = pd.Series(read_labels(sources["manifest"], manifest))
    names = majority_names(labels, given)
    if names.empty:
        raise UserError(f"model: {cell['clusterer']} found only noise, allowed: a clusterer that finds clusters")
    names["name"] = pd.Series(cluster_names(labels, given))
    clusters = np.where(labels < 0, NOISE, np.searchsorted(names.index, labels))  # numbered without empty clusters
    images = read_manifest(sources["manifest"], manifest)
    known, held_out = _known(sources["features"], manifest, groups_of(images))
    centers = _centers(files, runs[k], row)[names.index]
    backbone, codebooks = _network(sources["network"], settings["backbone"])
    facts = {
        "cell": dict(cell),
        "images": len(clusters),
        "manifest": manifest,
        "preprocess": settings["preprocess"],
        "backbone": {**backbone, "layer": cell["layer"]},
        "reduction": {
            "whiten": cell["whiten"],
            "n_components": centers.shape[1],
            "settings": settings["decomposition"],
        },
        "clusterer": {**clusterer, "chosen_k": k, "repeat": int(runs[k].repeat[row]), **choice},
        "clusters": names.reset_index()[["cluster", "size", "predicted", "name"]].to_dict("records"),
        "novelty": {"threshold": outlier_threshold(known["held_out"], RATE), "rate": RATE},
        "held_out": images["image_id"].iloc[held_out].tolist(),
    }
    decomposition, stores = settings["decomposition"], (sources["features"], sources["points"])
    reduction = placing_by(decomposition).read_tensors(*stores, cell["n_components"]) if decomposition else {}
    measured = {name: array.astype(np.float32) for name, array in {"centers": centers, **known}.items()}
    return SavedModel(facts, {**measured, **reduction, **codebooks})


def _known(features: str, manifest: str, groups: np.ndarray | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the arrays that new images are compared with, and the row numbers of the held-out images.

    The arrays are `kept_images` (M, d), the features of at most `MOST_IMAGES` images of the model; `spread` (M,), see
    `novelty.spreads`; and `held_out` (K,), the novelties of at most `MOST_KNOWN` held-out images. `features` is the
    path of the feature store.
    """
    with store.reading(features, manifest) as file:
        of_all = file["features"]
        of_model, held_out = parted(len(of_all), groups)
        held_out = at_most(MOST_KNOWN, held_out, of_all.shape[1])
        kept = of_all[at_most(MOST_IMAGES, of_model, of_all.shape[1])]
        spread = spreads(kept)
        known = novelty(of_all[held_out], kept, spread)
    return {"kept_images": kept, "spread": spread, "held_out": known}, held_out


def _network(path: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a model must know about a backbone, and the codebooks by name.

    The first value has the backbone's settings and the facts that `joined.facts_for_models` reads from the feature
    store `path`.
    """
    with store.reading(path) as file:
        known = facts_for_models(file)
        parts = [{**settings["join"][part["backbone"]], **part} for part in known.get("join", [])]
        return {**settings, **known, **({"join": parts} if parts else {})}, codebook.stored(file)


def choose(scores: pd.DataFrame, runs: Mapping[int | None, Runs]) -> tuple[int | None, int, dict[str, Any]]:
    """Return the k of the model, the index of the best run with this k, and a dictionary about the choice of k.

    `scores` is the table of the cell's scores, and `runs` has the runs of each k. The dictionary has the keys
    `chosen_by` (the name of the metric by which k was chosen) and `mean_ari` or `mean_silhouette` (the mean of this
    metric).
    """
    scores = best_of_repeats(scores)
    by = "ari" if scores["ari"].notna().any() else "silhouette"
    k = choose_k(best_k(scores, by), runs)
    return k, runs[k].best, {"chosen_by": by, f"mean_{by}": _finite(with_k(scores, k)[by].mean())}


def _centers(cell: OneCell, runs: Runs, row: int) -> np.ndarray:
    """Return the centres (k, C) of one run; if the clusterer has no centres, the means of the clusters."""
    if runs.centers.shape[1]:
        return runs.centers[list(np.unique(runs.repeat)).index(runs.repeat[row])]
    return cluster_means(cell.points().values, runs.labels[row])


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
