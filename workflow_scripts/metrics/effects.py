"""Measure how much each choice changes a score, by a functional analysis of variance over all combinations of choices.

A cell is one combination of choices, such as a backbone and a number of components; a level is one value of a choice.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd


def variance_shares(table: pd.DataFrame, factors: Sequence[str], value: str) -> pd.DataFrame:
    """Return the shares of the variance of a score that each factor, and each pair of factors, explains.

    It is the functional analysis of variance of a full factorial design: the score is a sum of terms that are
    orthogonal (Hoeffding 1948; for choices of an analysis: Hutter, Hoos & Leyton-Brown 2014, equations 3 to 7). The
    main effect of a factor is, for each of its levels, the mean over the cells with this level minus the mean over all
    cells. An interaction is, for each pair of levels, the mean over the cells with both minus the terms of lower order.
    The share of a term is its variance divided by that of all cells: the Sobol index of first or second order (Saltelli
    et al. 2010), which is exact because every cell is present. Each repeat is analysed alone, so the spread over the
    repeats shows how much the seed alone changes a share.

    Parameters
    ----------
    table :
        one row per cell and repeat, with the number of the repeat as column `repeat`; each combination of levels occurs
        exactly once per repeat.
    factors : names of the columns with the choices.
    value : name of the column with the score.

    Returns
    -------
    DataFrame with one row per repeat and term: `term` (`a` for a factor, `a × b` for a pair), `order` (1 or 2),
    `repeat`, `share` of the variance over the cells (NaN if the variance is 0), and `span`, the largest minus the
    smallest mean over the levels of the term, in the units of `value`.

    Raises
    ------
    ValueError
        If the design is not a full product with one value for each cell.
    """
    tables = [
        pd.DataFrame(list(_terms(_response(repeat_table, factors, value), factors))).assign(repeat=number)
        for number, repeat_table in table.groupby("repeat")
    ]
    return pd.concat(tables, ignore_index=True)


def _response(table: pd.DataFrame, factors: Sequence[str], value: str) -> np.ndarray:
    """Return the scores of one repeat as an array with one axis for each factor, and one entry for each level.

    Raises `ValueError` if a combination of levels is missing or occurs twice.
    """
    levels = [np.unique(table[factor], return_inverse=True) for factor in factors]
    shape = tuple(len(names) for names, _ in levels)
    response = np.full(shape, np.nan)
    response[tuple(codes for _, codes in levels)] = table[value]
    if len(table) != response.size or np.isnan(response).any():
        cells = " x ".join(map(str, shape))
        raise ValueError(f"got {len(table)} values for {cells} cells, expected one value for each cell")
    return response


def _terms(response: np.ndarray, factors: Sequence[str]) -> Iterator[dict[str, object]]:
    total = response.var()
    mean = response.mean()
    main = [_marginal(response, (axis,)) - mean for axis in range(response.ndim)]
    for order in (1, 2):
        for axes in combinations(range(response.ndim), order):
            marginal = _marginal(response, axes)
            effect = main[axes[0]] if order == 1 else marginal - mean - main[axes[0]] - main[axes[1]]
            yield {
                "term": " × ".join(factors[axis] for axis in axes),
                "order": order,
                "share": float(np.square(effect).mean() / total) if total > 0 else np.nan,
                "span": float(np.ptp(marginal)),
            }


def _marginal(response: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """Return the means over all axes but `axes`; the axes that are averaged keep the length 1."""
    others = tuple(axis for axis in range(response.ndim) if axis not in axes)
    return response.mean(axis=others, keepdims=True)
