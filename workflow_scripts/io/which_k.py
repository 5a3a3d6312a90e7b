"""Choose one k, the number of clusters, among those of a cell."""

from collections.abc import Iterable

from workflow_scripts.errors import UserError


def choose_k(wanted: int | None, available: Iterable[int | None], key: str = "figures: k") -> int | None:
    """Return the wanted k, or the smallest one in `available` if `wanted` is None.

    The result is None if `available` holds only None, which means that the clusterer finds k itself. Raises
    `UserError`, which names the configuration's `key`, if `wanted` is not available.
    """
    numbers = sorted(k for k in available if k is not None)
    if wanted is None or not numbers:
        return numbers[0] if numbers else None
    if wanted not in numbers:
        raise UserError(f"config: {key}: found {wanted}, allowed: {', '.join(map(str, numbers))}")
    return wanted
