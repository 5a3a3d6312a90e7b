"""What figures read of the artefacts, and what they call things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.clusterers import OWN_K
from workflow_scripts.errors import UserError
from workflow_scripts.io.store import reading

PERCENT = "\u00a0(%)"
METRIC_NAMES = {
    "accuracy_majority": "Accuracy, majority vote\u00a0(%)",
    "accuracy_matched": "Accuracy, one-to-one matching\u00a0(%)",
    "ari": "Adjusted Rand index",
    "ami": "Adjusted mutual information",
    "nmi_arithmetic": "Normalised mutual information (arithmetic)",
    "nmi_geometric": "Normalised mutual information (geometric)",
    "purity": "Purity (%)",
    "homogeneity": "Homogeneity",
    "completeness": "Completeness",
    "silhouette": "Mean silhouette",
    "inertia": "Inertia (sum of squared distances)",
    "calinski_harabasz": "Calinski-Harabasz index",
    "davies_bouldin": "Davies-Bouldin index (low is good)",
    "dbcv": "Density-based validity (DBCV)",
    "bic": "Bayesian information criterion (low is good)",
    "aic": "Akaike information criterion (low is good)",
}
BY = {metric: f", best {name[0].lower() + name[1:].removesuffix(PERCENT)}" for metric, name in METRIC_NAMES.items()}
"""How a title says that k is the best, and by which metric."""
LOW_IS_GOOD = ("inertia", "davies_bouldin", "bic", "aic")
UNLABELLED_METRICS = ("silhouette", "inertia")


def read_manifest(path: str) -> pd.DataFrame:
    """The manifest, rows in the order of all stores; `label` is None where there is none.

    `row` is the image's row in the stack of preprocessed images, which holds all images also of a subset.
    """
    manifest = pd.read_csv(path, dtype={"image_id": str, "path": str, "label": str}, keep_default_na=False)
    rows = manifest.get("row", manifest.index)
    return manifest.assign(label=manifest["label"].astype(object).where(manifest["label"] != "", None), row=rows)


def classes(manifest: pd.DataFrame) -> list[str]:
    """The labels that occur, sorted."""
    return sorted(manifest["label"].dropna().unique())


def evenly(n: int, count: int) -> np.ndarray:
    """At most `count` of the indices 0..n-1, evenly spread from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(int))


def choose_k(wanted: int | None, available: Sequence[int | None]) -> int | None:
    """The wanted k, or the smallest there is; None (a clusterer that finds k itself) if that is all there is.

    Raises `UserError` when `wanted` was not clustered.
    """
    numbers = sorted(k for k in available if k is not None)
    if wanted is None or not numbers:
        return numbers[0] if numbers else None
    if wanted not in numbers:
        raise UserError(f"config: figures: k: found {wanted}, allowed: {', '.join(map(str, numbers))}")
    return wanted


def choose_best_k(inputs: Mapping[str, Sequence[str]], figure: Mapping[str, Any]) -> int | None:
    """The k of a figure's settings; `best` is the one with the best mean of the metric `by` over the repeats.

    Without labels, where the metric has no value, it is the smallest k.
    """
    if figure["k"] != "best":
        return figure["k"]
    means = best_of_repeats(read_scores(inputs["scores"][0])).groupby("k")[figure["by"]].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if figure["by"] in LOW_IS_GOOD else means.idxmax())


@dataclass(frozen=True)
class Clustering:
    """The best of the stored partitions with one k: `labels` (N,) integers, negative is noise."""

    k: int | None
    labels: np.ndarray
    n_stored: int


def best_clusterings(path: str, wanted: Sequence[int] | None) -> list[Clustering]:
    """`best_clustering` for each of the wanted k, for all that there are if None, or for the one of a method's own."""
    with reading(path) as file:
        ks = sorted(int(name.removeprefix("k=")) for name in file if name.startswith("k=") and name != OWN_K)
    if not ks:
        return [best_clustering(path, None)]
    return [best_clustering(path, k) for k in (sorted(wanted) if wanted else ks)]


def best_clustering(path: str, wanted: int | None) -> Clustering:
    """The partition of lowest inertia in a cluster store, for the wanted k or the smallest.

    It is the first of the stored ones if the clusterer has no inertia.
    """
    with reading(path) as file:
        names = [name for name in file if name.startswith("k=")]
        k = choose_k(wanted, [None if name == OWN_K else int(name.removeprefix("k=")) for name in names])
        group = file[OWN_K if k is None else f"k={k}"]
        inertia = group["inertia"][:]
        best = int(np.nanargmin(inertia)) if np.isfinite(inertia).any() else 0
        labels = group["labels"]
        return Clustering(k, labels[best].astype(np.int64), len(labels))


def read_scores(path: str) -> pd.DataFrame:
    """A cell's scores on all images: the folds of a cross-validation are left out."""
    scores = pd.read_parquet(path)
    return scores[scores["fold"].isna()]


def best_of_repeats(scores: pd.DataFrame) -> pd.DataFrame:
    """Of each k and repeat the row of lowest inertia: a repeat may store all its restarts."""
    return scores.sort_values("inertia", kind="stable").groupby(["k", "repeat"], dropna=False).head(1).sort_index()


def with_k(scores: pd.DataFrame, wanted: int | None) -> pd.DataFrame:
    """The scores with the wanted k, or the smallest."""
    k = choose_k(wanted, [None if pd.isna(k) else int(k) for k in scores["k"].unique()])
    return scores[scores["k"].isna() if k is None else scores["k"] == k]


def shown(metric: str, values: pd.Series) -> pd.Series:
    """A metric's values as its name has them: shares in percent, the rest as they are."""
    return values * 100 if METRIC_NAMES[metric].endswith("(%)") else values
