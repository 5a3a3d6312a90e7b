"""The choice of one k among those of a cell."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workflow_scripts.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

BEST = "best"
"""The value of a figure's setting `k` that asks for the k which a metric prefers."""
LOW_IS_GOOD = ("inertia", "davies_bouldin", "bic", "aic")
"""Metrics whose lowest value is the best."""


def choose_k(wanted: int | None, available: Iterable[int | None], key: str = "figures: k") -> int | None:
    """Return the wanted k, or the smallest available if `wanted` is None.

    The result is None if `available` holds only None: the clusterer finds k itself. Raises `UserError`, which names the
    configuration's `key`, if `wanted` is not available.
    """
    numbers = sorted(k for k in available if k is not None)
    if wanted is None or not numbers:
        return numbers[0] if numbers else None
    if wanted not in numbers:
        raise UserError(f"config: {key}: found {wanted}, allowed: {', '.join(map(str, numbers))}")
    return wanted


def best_k(scores: "pd.DataFrame", by: str) -> int | None:
    """Return the k with the best mean over repeats of the metric `by`, the smallest of equals.

    `scores` has a row for each k and repeat (see `tables.best_of_repeats`). Returns None if the metric has no value
    (for instance if there are no labels), or if the clusterer finds k itself.
    """
    means = scores.groupby("k")[by].mean().dropna()
    if means.empty:
        return None
    return int(means.idxmin() if by in LOW_IS_GOOD else means.idxmax())


def chosen_by(figure: Mapping[str, Any]) -> str | None:
    """Return the metric that chooses a figure's k, or None if its settings give the k."""
    return figure["by"] if figure["k"] == BEST else None
