"""Permutations within strata, and their p-value."""

import numpy as np


def members_of(strata: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each stratum; `strata` (N,) are integers."""
    order = np.argsort(strata, kind="stable")
    ends = np.flatnonzero(np.diff(strata[order])) + 1
    return np.split(order, ends)


def shuffled_within(members: list[np.ndarray], values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `values` (N,) shuffled within each stratum; `members` are the rows of each, from `members_of`."""
    shuffled = np.empty_like(values)
    for rows in members:
        shuffled[rows] = values[rng.permutation(rows)]
    return shuffled


def p_value(observed: float, null: np.ndarray) -> float:
    """Return the share of permutations whose statistic is at least `observed`; `null` (P,) are those of the
    permutations.

    The observed one counts as one more permutation (Phipson & Smyth 2010).
    """
    return (1 + np.count_nonzero(null >= observed - 1e-12)) / (len(null) + 1)
