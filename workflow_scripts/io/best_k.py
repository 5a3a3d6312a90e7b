"""Choose the number of clusters k with the best value of a metric.

This is not part of `which_k`: jobs that cluster import `which_k`, and after a change of the metrics, which are imported
here, they must not run again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_scripts.scores import METRICS

if TYPE_CHECKING:
    import pandas as pd

BEST = "best"
"""The value of a figure's setting `k` that stands for the k with the best value of a metric."""


def best_k(scores: "pd.DataFrame", by: str) -> int | None:
    """Return the k for which the mean of the metric `by` over all repeats is best; of several such k the smallest.

    `scores` has one row for each k and repeat (see `tables.best_of_repeats`). A repeat is the best of several restarts.
    Returns None if the metric has no value, for instance because there are no labels, or if the clusterer finds k
    itself.
    """
    means = scores.groupby("k")[by].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if METRICS[by].low_is_good else means.idxmax())


def chosen_by(figure: Mapping[str, Any]) -> str | None:
    """Return the metric that decides the k of a figure, or None if no metric does.

    A metric decides if the setting `k` is `best`. `figure` has the figure's settings.
    """
    return figure["by"] if figure["k"] == BEST else None
