"""Measure without labels how much each choice changes the partitions: how much of the disagreement it explains.

The partitions of the cells are treated as points, whose squared distances are 1 - ARI. The scatter is the sum of the
squared distances of these points to their mean.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from workflow_scripts.consensus.levels import levels_of
from workflow_scripts.consensus.permutation import least_p, members_of, p_value, shuffled_within

COLUMNS = ["term", "order", "share", "p", "added", "chance_low", "chance_high", "least_p"]


def partition_effects(
    agreement: np.ndarray, choices: pd.DataFrame, *, n_permutations: int = 999, seed: int = 0
) -> pd.DataFrame:
    """Return an analysis of variance of the partitions over the choices.

    1 - ARI of two cells is treated as a squared distance between them (McArdle & Anderson 2001; Anderson 2001). It is
    nearly half the squared distance of two vectors that say for each pair of images whether these are together. If the
    cells are all combinations of the levels, the shares are those of functional analysis of variance (Hutter, Hoos &
    Leyton-Brown 2014); with the terms of higher order they sum to 1.

    A permutation exchanges the levels of one choice among cells that are equal in all other choices, or among all cells
    if no two cells are equal in all others.

    Parameters
    ----------
    agreement : (C, C), ARI of each pair of cells.
    choices : C rows, one column per axis; axes with a single level are left out.
    n_permutations : number of permutations for each choice.
    seed : seed of the permutations.

    Returns
    -------
    DataFrame with one row per choice, the highest share first, and then one row per pair of choices:

    - `term`: `a` for a choice, `a × b` for a pair;
    - `order`: 1 for a choice, 2 for a pair;
    - `share`: the share of the scatter that a choice explains in addition to all other choices, or that a pair explains
      in addition to its two choices alone;
    - `p`: share of the permutations with a `share` at least as large (Phipson & Smyth 2010), and at least `least_p`;
      1 if there is no scatter, NaN for pairs;
    - `added`: how much 1 - ARI of two cells grows if they differ in this choice; NaN for pairs. It is a coefficient of
      a least-squares regression over all pairs of cells;
    - `chance_low`, `chance_high`: 2.5 % and 97.5 % quantiles of `added` over the permutations; NaN for pairs;
    - `least_p`: the lowest p-value that is possible with these cells; if it is high, there are too few cells to tell an
      effect from chance. NaN for pairs.
    """
    codes = {axis: numbers for axis, (numbers, levels) in levels_of(choices).items() if len(levels) > 1}
    centred = _centred(1 - np.asarray(agreement, dtype=np.float64))
    total = float(np.trace(centred))
    mains = []
    for number, (axis, levels) in enumerate(codes.items()):
        others = {name: other for name, other in codes.items() if name != axis}
        members, rng = members_of(_strata(others, len(choices))), np.random.default_rng([seed, number])
        permuted = [shuffled_within(members, levels, rng) for _ in range(n_permutations)]
        shares = np.array([_beyond(centred, each, others, total) for each in (levels, *permuted)])
        added = np.array([_added(agreement, each, others) for each in (levels, *permuted)])
        low, high = np.quantile(added[1:], [0.025, 0.975])
        least = least_p(members, levels)
        p = max(least, p_value(shares[0], shares[1:])) if total > 0 else 1.0
        mains.append((axis, 1, shares[0], p, added[0], low, high, least))
    mains.sort(key=lambda row: -row[2])
    pairs = [
        (f"{first} × {second}", 2, _of_pair(centred, codes[first], codes[second], total), *[np.nan] * 5)
        for first, second in combinations(codes, 2)
    ]
    return pd.DataFrame([*mains, *pairs], columns=COLUMNS)


def _of_pair(centred: np.ndarray, first: np.ndarray, second: np.ndarray, total: float) -> float:
    """Return the share of the scatter that a pair of choices explains in addition to the two choices alone; NaN if
    there is no scatter.

    `first` and `second` (C,) are the levels of the two choices. `total` is the whole scatter.
    """
    if total <= 0:
        return np.nan
    both = _dummies(_combined([first, second]))
    return (_explained(centred, [both]) - _explained(centred, [_dummies(first), _dummies(second)])) / total


def _centred(distances: np.ndarray) -> np.ndarray:
    """Return the inner products (C, C) of points about their mean, from their squared distances (C, C) (Gower 1966)."""
    products = -distances / 2
    return products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()


def _dummies(codes: np.ndarray) -> np.ndarray:
    """Return the dummy variables of a choice, (C, levels): 1 if the cell has this level, otherwise 0."""
    return (codes[:, None] == np.unique(codes)).astype(float)


def _combined(codes: list[np.ndarray]) -> np.ndarray:
    """Number the combinations of levels, and return the number of each cell's combination, (C,).

    `codes` has one array (C,) for each choice: the level of each cell.
    """
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].ravel()


def _explained(centred: np.ndarray, blocks: list[np.ndarray]) -> float:
    """Return the scatter explained by a linear model. The regressors are the columns of all `blocks`, each (C,
    columns).

    `centred` (C, C) comes from `_centred`.
    """
    design = np.column_stack([np.ones(len(centred)), *blocks])
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > sizes[0] * 1e-10]
    return float(np.einsum("ij,ik,kj->", basis, centred, basis, optimize=True))


def _beyond(centred: np.ndarray, levels: np.ndarray, others: dict[str, np.ndarray], total: float) -> float:
    """Return the share of the scatter that a choice explains in addition to the other choices; NaN if there is no
    scatter.

    `levels` (C,) are the levels of the choice, and `others` those of the other choices. `total` is the whole scatter.
    """
    rest = [_dummies(other) for other in others.values()]
    if total <= 0:
        return np.nan
    return (_explained(centred, [*rest, _dummies(levels)]) - _explained(centred, rest)) / total


def _added(agreement: np.ndarray, levels: np.ndarray, others: dict[str, np.ndarray]) -> float:
    """Return how much 1 - ARI of two cells grows if they differ in a choice (`added` in `partition_effects`)."""
    first, second = np.triu_indices(len(agreement), 1)
    differs = [(axis_levels[first] != axis_levels[second]).astype(float) for axis_levels in (levels, *others.values())]
    design = np.column_stack([*differs, np.ones(len(first))])
    return float(np.linalg.lstsq(design, 1 - agreement[first, second], rcond=None)[0][0])


def _strata(others: dict[str, np.ndarray], n_cells: int) -> np.ndarray:
    """Return the stratum of each cell, (C,) integers: a stratum is a set of cells that are equal in all other choices.

    If no two cells are equal in all other choices, all cells are in one stratum. `others` are the levels (C,) of the
    other choices.
    """
    strata = _combined(list(others.values())) if others else np.zeros(n_cells, dtype=np.intp)
    return strata if np.bincount(strata).max() > 1 else np.zeros(n_cells, dtype=np.intp)
