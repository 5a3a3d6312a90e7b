"""Which choices matter, without labels: how much of the disagreement between cells each choice explains."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.consensus.permutation import members_of, p_value, shuffled_within


def partition_effects(
    agreement: np.ndarray, choices: pd.DataFrame, *, n_permutations: int = 999, seed: int = 0
) -> pd.DataFrame:
    """Analyse the variance of the partitions themselves over the choices.

    1 - ARI is, but for the sizes of clusters, half the squared distance of two partitions as vectors of standardised
    co-membership, an entry for each pair of images. So it is analysed as squared distances are (McArdle & Anderson
    2001; Anderson 2001): `share` is the part of the scatter of all cells that a choice explains beyond all other
    choices. In a full product the shares of main effects and interactions are those of functional analysis of variance
    (Hutter, Hoos & Leyton-Brown 2014), and with those of higher order sum to 1. `added` is the coefficient of a
    least-squares regression of 1 - ARI of every pair of cells on "they differ in this choice", one for each choice:
    what a change of this choice alone costs in agreement.

    The interval is that of chance: `added` when the levels of the choice are dealt anew, among cells that are the same
    in all other choices where there are such (else among all): 2.5 and 97.5 % quantiles. The p-value counts
    permutations with as large a share (Phipson & Smyth 2010: the observed one among them).

    Parameters
    ----------
    agreement : (C, C) ARI of the cells.
    choices : C rows, a column per axis; those of one level are left out.
    n_permutations : of each choice.
    seed : of the permutations.

    Returns
    -------
    DataFrame, a row per choice and then per pair of choices: `term` (`a` or `a × b`), `order` (1 or 2), `share`, `p`,
    `added`, `chance_low`, `chance_high` (the last four NaN for order 2). Main effects by falling share.
    """
    codes = {axis: pd.factorize(choices[axis])[0] for axis in choices}
    codes = {axis: levels for axis, levels in codes.items() if levels.max() > 0}
    centred = _centred(1 - np.asarray(agreement, dtype=np.float64))
    total = float(np.trace(centred))
    rows: list[dict[str, Any]] = []
    for axis, levels in codes.items():
        others = {name: other for name, other in codes.items() if name != axis}
        members = members_of(_strata(others, len(choices)))
        share = _beyond(centred, levels, others, total)
        added = _added(agreement, levels, others)
        rng = np.random.default_rng([seed, len(rows)])
        dealt = [shuffled_within(members, levels, rng) for _ in range(n_permutations)]
        null_share = np.array([_beyond(centred, levels_dealt, others, total) for levels_dealt in dealt])
        null_added = [_added(agreement, levels_dealt, others) for levels_dealt in dealt]
        low, high = np.quantile(null_added, [0.025, 0.975])
        p = p_value(share, null_share)
        rows.append(
            {"term": axis, "order": 1, "share": share, "p": p, "added": added, "chance_low": low, "chance_high": high}
        )
    rows.sort(key=lambda row: -row["share"])
    for first, second in combinations(codes, 2):
        mains = [_dummies(codes[first]), _dummies(codes[second])]
        both = _dummies(_combined([codes[first], codes[second]]))
        share = (_explained(centred, [both]) - _explained(centred, mains)) / total if total > 0 else np.nan
        rows.append({"term": f"{first} × {second}", "order": 2, "share": share})
    columns = ["term", "order", "share", "p", "added", "chance_low", "chance_high"]
    return pd.DataFrame(rows, columns=columns)


def _centred(distances: np.ndarray) -> np.ndarray:
    """Inner products about the mean of points with these squared distances (Gower 1966)."""
    products = -distances / 2
    return products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()


def _dummies(codes: np.ndarray) -> np.ndarray:
    """A column per level, 0 or 1."""
    return (codes[:, None] == np.unique(codes)).astype(float)


def _combined(codes: list[np.ndarray]) -> np.ndarray:
    """The combination of levels of each cell, numbered."""
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].ravel()


def _explained(centred: np.ndarray, blocks: list[np.ndarray]) -> float:
    """Scatter that a linear model of the columns of all blocks explains."""
    design = np.column_stack([np.ones(len(centred)), *blocks])
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > sizes[0] * 1e-10]
    return float(np.einsum("ij,ik,kj->", basis, centred, basis, optimize=True))


def _beyond(centred: np.ndarray, levels: np.ndarray, others: dict[str, np.ndarray], total: float) -> float:
    """Share of the scatter that a choice explains beyond the other choices."""
    rest = [_dummies(other) for other in others.values()]
    if total <= 0:
        return np.nan
    return (_explained(centred, [*rest, _dummies(levels)]) - _explained(centred, rest)) / total


def _added(agreement: np.ndarray, levels: np.ndarray, others: dict[str, np.ndarray]) -> float:
    """Coefficient of "differs in this choice" in the regression of 1 - ARI over all pairs."""
    first, second = np.triu_indices(len(agreement), 1)
    differs = [(axis_levels[first] != axis_levels[second]).astype(float) for axis_levels in (levels, *others.values())]
    design = np.column_stack([*differs, np.ones(len(first))])
    return float(np.linalg.lstsq(design, 1 - agreement[first, second], rcond=None)[0][0])


def _strata(others: dict[str, np.ndarray], n_cells: int) -> np.ndarray:
    """Numbers of the sets of cells that are the same in all other choices, or one set if each is alone."""
    strata = _combined(list(others.values())) if others else np.zeros(n_cells, dtype=np.intp)
    return strata if np.bincount(strata).max() > 1 else np.zeros(n_cells, dtype=np.intp)
