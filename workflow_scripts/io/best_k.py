"""The k that a metric prefers.

Apart from `which_k`, which clusterers read: a new metric must not make clusters again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflow_scripts.scores import METRICS

if TYPE_CHECKING:
    import pandas as pd

BEST = "best"
"""The value of a figure's setting `k` that asks for the k which a metric prefers."""


def best_k(scores: "pd.DataFrame", by: str) -> int | None:
    """Return the k with the best mean over repeats of the metric `by`, the smallest of equals.

    `scores` has a row for each k and repeat (see `tables.best_of_repeats`). Returns None if the metric has no value
    (for instance if there are no labels), or if the clusterer finds k itself.
    """
    means = scores.groupby("k")[by].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if METRICS[by].low_is_good else means.idxmax())


def chosen_by(figure: Mapping[str, Any]) -> str | None:
    """Return the metric that chooses a figure's k, or None if its settings give the k."""
    return figure["by"] if figure["k"] == BEST else None
