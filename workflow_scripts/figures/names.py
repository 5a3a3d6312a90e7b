"""The names of metrics in figures and pages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

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
"""Text that says in a title that k is the best one by this metric."""
MAP_NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PC", "autoencoder": "Code"}
"""The names of the axes of maps, by the method that made the map."""
UNLABELLED_METRICS = ("silhouette", "inertia")


def shown(metric: str, values: "pd.Series") -> "pd.Series":
    """Return the values of a metric in the units of its name: shares in percent, others unchanged."""
    return values * 100 if METRIC_NAMES[metric].endswith("(%)") else values
