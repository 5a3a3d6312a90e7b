"""What figures and pages call metrics, axes, choices and cells."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ALL_IMAGES = "all"
"""The subset that is none."""
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
UNLABELLED_METRICS = ("silhouette", "inertia")
CELL_AXES = ("preprocess", "backbone", "layer", "subset", "decomposition", "n_components", "whiten", "clusterer")
AXIS_NAMES = {
    "preprocess": "Preprocessing",
    "backbone": "Backbone",
    "layer": "Layer",
    "subset": "Images",
    "decomposition": "Decomposition",
    "reducer": "Reduction",
    "n_components": "Number of components",
    "whiten": "Whitening",
    "clusterer": "Clusterer",
    "k": "Number of clusters k",
}


def shown(metric: str, values: "pd.Series") -> "pd.Series":
    """Return a metric's values as its name has them: shares in percent, the rest as they are."""
    return values * 100 if METRIC_NAMES[metric].endswith("(%)") else values


def word(axis: str, value: Any) -> str:
    """Return a choice in plain language: `whiten=True` is "whitened", `n_components=50` is "50 components"."""
    if axis == "whiten":
        return "whitened" if value else "not whitened"
    if axis == "subset" and value == ALL_IMAGES:
        return "all images"
    if axis == "n_components":
        return f"{value} components" if value else "all components"
    return str(value)


def cell_names(cells: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> list[str]:
    """Return a name for each cell: its choices on those of `axes` in which the cells differ, or on all if they don't.

    That all images are meant goes without saying.
    """
    differing = [axis for axis in axes if len({cell[axis] for cell in cells}) > 1]
    telling = differing or [axis for axis in axes if cells[0][axis] != ALL_IMAGES]
    return [", ".join(word(axis, cell[axis]) for axis in telling) for cell in cells]
