"""Which choices matter: the variance of a full product of choices, shared out among them and their interactions."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd


def variance_shares(table: pd.DataFrame, factors: Sequence[str], value: str, repeat: str = "repeat") -> pd.DataFrame:
    """Return functional analysis of variance of a full factorial design: main effects and interactions of two factors.

    The mean response over all cells is decomposed into terms that are orthogonal in a balanced design (Hoeffding 1948;
    for choices of an analysis, Hutter, Hoos & Leyton-Brown 2014, equations 3 to 7): the main effect of a factor is the
    marginal mean of each of its levels less the grand mean, an interaction the marginal mean of each pair of levels
    less the terms below it. A term's share is its variance over that of all cells: the Sobol index of first, or of
    second order (Saltelli et al. 2010), computed exactly since every cell is there. Each repeat is a design of its own,
    so the spread over the repeats says how far the seed alone moves a share.

    Parameters
    ----------
    table : a row per cell and repeat, with the columns below; every combination of levels exactly once per repeat.
    factors : names of the columns that vary.
    value : the response's column.
    repeat : the column that numbers the repeats.

    Returns
    -------
    DataFrame, a row per repeat and term: `term` (`a` or `a × b`), `order` (1 or 2), `repeat`, `share` (of the variance
    over the cells; NaN if there is none) and `span` (largest less smallest marginal mean over the levels of the term's
    factors, in the units of `value`).

    Raises
    ------
    ValueError
        If the design is not a full product with one value each.
    """
    of_repeats = [
        pd.DataFrame(list(_terms(_response(of_repeat, factors, value), factors))).assign(repeat=number)
        for number, of_repeat in table.groupby(repeat)
    ]
    return pd.concat(of_repeats, ignore_index=True)


def _response(table: pd.DataFrame, factors: Sequence[str], value: str) -> np.ndarray:
    """Return the values as an array with an axis for each factor."""
    levels = [np.unique(table[factor], return_inverse=True) for factor in factors]
    shape = tuple(len(names) for names, _ in levels)
    response = np.full(shape, np.nan)
    response[tuple(codes for _, codes in levels)] = table[value]
    if len(table) != response.size or np.isnan(response).any():
        raise ValueError(f"{len(table)} values for {' x '.join(map(str, shape))} cells: not a full product, once each")
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
    """Return means over all other axes, which stay with length 1."""
    others = tuple(axis for axis in range(response.ndim) if axis not in axes)
    return response.mean(axis=others, keepdims=True)
