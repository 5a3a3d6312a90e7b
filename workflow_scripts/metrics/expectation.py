"""The expected score of the best of n restarts, which shows how many restarts are enough."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 256  # values of n computed at once


def best_of_n(
    inertia: npt.ArrayLike, score: npt.ArrayLike, *, n_bootstrap: int = 1000, confidence: float = 0.95, seed: int = 0
) -> "pd.DataFrame":
    """Return the expected score of the restart with the lowest inertia among n restarts, for n = 1..R.

    The n restarts are drawn from the R restarts without replacement. If the restarts are sorted by inertia, restart i =
    0..R-1 is the best of n with probability C(R-1-i, n-1) / C(R, n), so the expectation is exact. Restarts of equal
    inertia all get their mean score, because any of them may be kept. The confidence band is the percentile bootstrap
    (Efron 1979) over the R restarts.

    Parameters
    ----------
    inertia : (R,) finite numbers, the inertia of each restart.
    score : (R,) finite numbers, the score of each restart.
    n_bootstrap : number of resamples of the R restarts.
    confidence : confidence of the band, between 0 and 1.
    seed : seed of the resampling.

    Returns
    -------
    DataFrame with R rows and the columns `n`, `expected` (the expected score), `low` and `high` (the band).

    Raises
    ------
    ValueError
        If `inertia` and `score` differ in length, are empty, or have a value that is not finite.
    """
    import pandas as pd

    inertias, scores = np.asarray(inertia, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if inertias.shape != scores.shape or inertias.ndim != 1 or inertias.size == 0:
        raise ValueError(f"inertia {inertias.shape} and score {scores.shape}: expected the same (R,), R >= 1")
    if not (np.isfinite(inertias).all() and np.isfinite(scores).all()):
        raise ValueError("inertia, score: expected finite numbers only")
    n_restarts = len(inertias)
    by_inertia = np.argsort(inertias, kind="stable")
    _, tie, tie_sizes = np.unique(inertias[by_inertia], return_inverse=True, return_counts=True)
    in_order = (np.bincount(tie, weights=scores[by_inertia]) / tie_sizes)[tie]
    draws = np.random.default_rng(seed).integers(n_restarts, size=(n_bootstrap, n_restarts))
    columns = np.column_stack([in_order, in_order[np.sort(draws, axis=1)].T])

    result = np.empty((n_restarts, 3))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    for start in range(0, n_restarts, _BLOCK):
        n = np.arange(start, min(start + _BLOCK, n_restarts)) + 1
        probabilities = _rank_probabilities(n, n_restarts)
        expected = probabilities @ columns[: probabilities.shape[1]]
        result[n - 1, 0] = expected[:, 0]
        result[n - 1, 1:] = np.quantile(expected[:, 1:], tails, axis=1).T
    curve = pd.DataFrame(result, columns=["expected", "low", "high"])
    curve.insert(0, "n", np.arange(n_restarts) + 1)
    return curve


def _rank_probabilities(n: np.ndarray, n_restarts: int) -> np.ndarray:
    """Return the probability that the best of n restarts, drawn from R = `n_restarts`, has rank i, (len(n), ranks).

    The best restart has rank 0. The probability C(R-1-i, n-1) / C(R, n) is computed as a product of ratios, without
    factorials. For rank 0 it is n / R. For rank i it is the probability of rank i - 1 times (R - i - n + 1) / (R - i),
    or 0 if fewer than n restarts are left. Ranks with a probability below exp(-45) for every n are left out.
    """
    smallest = n[0] / n_restarts
    n_ranks = n_restarts if smallest == 1 else min(n_restarts, int(-45 / np.log1p(-smallest)) + 1)
    left = n_restarts - np.arange(n_ranks)
    factors = np.maximum(left - n[:, None] + 1, 0) / left
    factors[:, 0] = n / n_restarts
    return np.cumprod(factors, axis=1)
