"""Permute values within strata (disjoint sets of rows), and compute p-values of permutation tests."""

from math import factorial, prod

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


def least_p(members: list[np.ndarray], levels: np.ndarray) -> float:
    """Return the lowest p-value that a permutation of `levels` within strata can have, whatever the statistic.

    It is the share of the arrangements that only give the levels other names: no statistic tells these from the
    observed arrangement. With few rows it is high, and the test cannot be significant.

    Parameters
    ----------
    members : the rows of each stratum (`members_of`).
    levels : (N,) integers, the level of each row; which number a level has does not matter.
    """
    names, codes = np.unique(levels, return_inverse=True)
    counts = np.array([np.bincount(codes[rows], minlength=len(names)) for rows in members])
    alike = np.unique(counts, axis=1, return_counts=True)[1]  # numbers of levels that may exchange their names
    arrangements = _orders(counts.sum(axis=1)) // _orders(counts.ravel())
    return _orders(alike) / arrangements


def _orders(sizes: np.ndarray) -> int:
    """Return in how many ways the members of several sets can be ordered within each set; `sizes` are the sets'."""
    return prod(factorial(int(size)) for size in sizes)
