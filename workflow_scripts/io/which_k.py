"""Which k: the one place that chooses a number of clusters among those of a cell."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workflow_scripts.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

BEST = "best"
"""The k that a metric prefers."""
LOW_IS_GOOD = ("inertia", "davies_bouldin", "bic", "aic")
"""Metrics of which the lowest value is the best."""


def choose_k(wanted: int | None, available: Iterable[int | None], key: str = "figures: k") -> int | None:
    """Return the wanted k, or the smallest; None (the clusterer finds k itself) if that is all there is.

    Raises `UserError` with the configuration's `key` when `wanted` was not clustered.
    """
    numbers = sorted(k for k in available if k is not None)
    if wanted is None or not numbers:
        return numbers[0] if numbers else None
    if wanted not in numbers:
        raise UserError(f"config: {key}: found {wanted}, allowed: {', '.join(map(str, numbers))}")
    return wanted


def best_k(scores: "pd.DataFrame", by: str) -> int | None:
    """Return the k with the best mean of the metric `by`, the smallest of equals.

    `scores` has a row for each repeat (`tables.best_of_repeats`). Where the metric has no value (no labels, say, or a
    clusterer that finds k itself) the answer is None, which `choose_k` takes for the smallest.
    """
    means = scores.groupby("k")[by].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if by in LOW_IS_GOOD else means.idxmax())


def chosen_by(figure: Mapping[str, Any]) -> str | None:
    """Return the metric by which a figure's k is the best; None where the settings give the k."""
    return figure["by"] if figure["k"] == BEST else None
