"""Choose the number of clusters k with the best value of a metric.

This module imports the metrics, and the module `which_k` does not. So jobs that need no metric, such as those of
subsets, can import `which_k` and do not run again after a change of the metrics.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_scripts.scores import METRICS

if TYPE_CHECKING:
    import pandas as pd

BEST = "best"
"""The value of a figure's setting `k` that stands for the k with the best value of a metric."""


def best_k(scores: "pd.DataFrame", by: str) -> int | None:
    """Return the k with the best mean of the metric `by` over all repeats; if several are equal, the smallest of them.

    `scores` has one row for each k and repeat (see `tables.best_of_repeats`). A repeat is a set of restarts with one
    seed. Returns None if the metric has no value, for instance because there are no labels, or if the clusterer finds k
    itself.
    """
    means = scores.groupby("k")[by].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if METRICS[by].low_is_good else means.idxmax())


def chosen_by(figure: Mapping[str, Any]) -> str | None:
    """Return the metric by which the k of a figure is chosen, or None if the figure's setting `k` is not `best`.

    `figure` has the figure's settings.
    """
    return figure["by"] if figure["k"] == BEST else None
