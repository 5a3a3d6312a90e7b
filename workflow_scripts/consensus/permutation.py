"""Permute values within strata (disjoint sets of rows), and compute p-values of permutation tests."""

import numpy as np


def members_of(strata: np.ndarray) -> list[np.ndarray]:
    """Return one array of rows for each stratum; `strata` (N,) are integers, the stratum of each row."""
    order = np.argsort(strata, kind="stable")
    ends = np.flatnonzero(np.diff(strata[order])) + 1
    return np.split(order, ends)


def shuffled_within(members: list[np.ndarray], values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `values` (N,) shuffled within each stratum; `members` has the rows of each stratum (`members_of`)."""
    shuffled = np.empty_like(values)
    for rows in members:
        shuffled[rows] = values[rng.permutation(rows)]
    return shuffled


def p_value(observed: float, null: np.ndarray) -> float:
    """Return the share of the permutations in which the statistic is at least `observed`.

    `null` (P,) are the statistics of the permutations. The observed statistic counts as one more permutation (Phipson &
    Smyth 2010).
    """
    return (1 + np.count_nonzero(null >= observed - 1e-12)) / (len(null) + 1)
