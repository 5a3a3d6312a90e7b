"""Stability over restarts, and the number of restarts that is enough, without labels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workflow_scripts.consensus.agreement import agreement_with, compact
from workflow_scripts.metrics.contingency import contingency_tables

SAME = 0.98
"""ARI with the best restart from which on a restart counts as equal to it: about one image in a hundred differs."""
SURE = 0.95
"""Probability with which an optimum has to be reached, and confidence of the lower bound of its share."""


@dataclass(frozen=True)
class RestartStability:
    """Agreement among many restarts of one cell.

    Attributes
    ----------
    optima : one row per distinct partition, best first: `inertia`, `restarts` (the number that ended there), `ari`
        (with the best one).
    curve : `n` = 1..R; `best`, the probability that the best of n restarts is the best optimum of all R; `equal`, that
        it is that optimum or agrees with it by ARI >= `SAME`; `best_low` and `equal_low`, their lower 95 % bounds.
    enough, enough_equal : the smallest number of restarts that reaches the best optimum, or an equal one, with 95 %
        probability even at the lower bound of its share (Clopper & Pearson 1934, one-sided); None if that is more than
        ten times R.
    new_optimum : probability that one more restart ends in a new optimum (Good 1953): the share of optima found once.
    image : (N,) float64 in [0, 1], mean Jaccard index of the image's clusters in the best restart and in each other
        one.
    cluster : (K,) float64, mean Jaccard index of each cluster of the best restart with the most similar one (Hennig
        2007).
    """

    optima: pd.DataFrame
    curve: pd.DataFrame
    enough: int | None
    enough_equal: int | None
    new_optimum: float
    image: np.ndarray
    cluster: np.ndarray


def restart_stability(partitions: np.ndarray, inertia: np.ndarray) -> RestartStability:
    """Describe the optima that the restarts end in.

    Parameters
    ----------
    partitions : (R, N) integers, one row per restart; R >= 2.
    inertia : (R,) finite numbers; the lowest is the best, the first of equals.
    """
    labels = _in_order_of_appearance(compact(partitions))
    n_restarts = len(labels)
    best = int(np.argmin(inertia))
    distinct, optimum, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    optimum = optimum.ravel()
    lowest = np.full(len(distinct), np.inf)
    np.minimum.at(lowest, optimum, inertia)
    ari = agreement_with(distinct, labels[[best]])[0]
    optima = pd.DataFrame({"inertia": lowest, "restarts": counts, "ari": ari})
    # of equal inertias, the optimum of `best` comes first
    order = np.lexsort((np.arange(len(distinct)) != optimum[best], lowest))
    hits, equals = int(counts[optimum[best]]), int(counts[ari >= SAME].sum())
    image, cluster = _jaccard(labels, best)
    n = np.arange(1, n_restarts + 1)
    curve = pd.DataFrame({"n": n})
    for name, number in (("best", hits), ("equal", equals)):
        curve[name] = 1 - _misses(n, number, n_restarts)
        curve[f"{name}_low"] = 1 - (1 - _lower(number, n_restarts)) ** n
    return RestartStability(
        optima.iloc[order].reset_index(drop=True),
        curve,
        enough_restarts(hits, n_restarts),
        enough_restarts(equals, n_restarts),
        float((counts == 1).sum() / n_restarts),
        image,
        cluster,
    )


def enough_restarts(hits: int, n_restarts: int) -> int | None:
    """Return the smallest number of restarts that reaches an optimum with 95 % probability.

    `hits` of `n_restarts` restarts reached it; its share is taken at the lower 95 % bound. None if the number is more
    than ten times `n_restarts`.
    """
    share = _lower(hits, n_restarts)
    n = 1 if share >= SURE else int(np.ceil(np.log(1 - SURE) / np.log1p(-share)))
    return n if n <= 10 * n_restarts else None


def _lower(hits: int, n_restarts: int) -> float:
    """Return the one-sided lower 95 % bound of a share (Clopper & Pearson 1934)."""
    from scipy.stats import beta  # takes most of a second to import

    return float(beta.ppf(1 - SURE, hits, n_restarts - hits + 1))


def _misses(n: np.ndarray, hits: int, n_restarts: int) -> np.ndarray:
    """Return the probability that n of the restarts, drawn without replacement, contain none of the `hits`."""
    factors = np.clip(n_restarts - hits - np.arange(n_restarts), 0, None) / (n_restarts - np.arange(n_restarts))
    return np.cumprod(factors)[n - 1]


def _in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    """Return labels (R, N) renumbered so that equal partitions are equal rows; noise stays 0."""
    renamed = np.zeros_like(labels)
    for row, partition in zip(renamed, labels, strict=True):
        names, first = np.unique(partition[partition > 0], return_index=True)
        number = np.zeros(int(partition.max(initial=0)) + 1, dtype=labels.dtype)
        number[names[np.argsort(first)]] = np.arange(1, len(names) + 1)
        row[:] = number[partition]
    return renamed


def _jaccard(labels: np.ndarray, best: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean Jaccard index over the other restarts, by image (N,) and by cluster of the best restart (K,)."""
    own = labels[best].astype(np.intp)
    n_own, n_clusters = int(own.max(initial=0)), int(labels.max(initial=0)) + 1
    image, cluster = np.zeros(len(own)), np.zeros(n_own)
    others = np.delete(labels, best, axis=0)
    for row in others:
        table = contingency_tables(row[None], own, n_clusters, n_own + 1)[0, 1:, :-1]
        union = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
        index = np.divide(table, union, out=np.zeros(table.shape), where=union > 0)
        index[0] = 0
        cluster += index[:, 1:].max(axis=0)
        image += np.where(own > 0, index[row, own], row == 0)
    return image / len(others), cluster / len(others)
