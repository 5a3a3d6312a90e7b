"""Measure without labels how stable a clustering is over its restarts, and how many restarts are enough.

An optimum is a partition in which one or more restarts end. The best optimum is the one with the lowest inertia.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workflow_scripts.consensus.agreement import agreement_with, compact
from workflow_scripts.metrics.contingency import contingency_tables

SAME = 0.98
"""Smallest ARI with the best optimum for which an optimum counts as equal to it; about 1 image in 100 then differs."""
SURE = 0.95
"""Probability with which enough restarts reach an optimum, and confidence of the lower bound of an optimum's share."""


@dataclass(frozen=True)
class RestartStability:
    """The stability of one cell over many restarts.

    An optimum is a partition in which one or more restarts end; the best one has the lowest inertia.

    Attributes
    ----------
    optima :
        one row per optimum, the best first: `inertia`, `restarts` (the number that ended there), `ari` (with the best
        optimum).
    curve :
        one row for each number of restarts `n` = 1..R. `best` is the probability that n restarts reach the best
        optimum. For `equal`, an optimum with an ARI of `SAME` or more to the best one is as good as the best one.
        `best_low` and `equal_low` are the lower 95 % bounds of these two probabilities.
    enough :
        the smallest number of restarts that reaches the best optimum with a probability of 95 %. For the probability of
        a single restart, the one-sided lower 95 % bound is taken (Clopper & Pearson 1934). None if the number is more
        than ten times R.
    enough_equal : the same, if optima with an ARI of `SAME` or more to the best optimum count as reached too.
    new_optimum :
        probability that one more restart ends in a new optimum (Good 1953): the share of the restarts that end in an
        optimum that no other restart ends in.
    image :
        (N,) float64 in [0, 1]. The image's cluster in the best restart is compared with its cluster in each other
        restart, by the Jaccard index; the value is the mean.
    cluster :
        (K,) float64 in [0, 1]. Each cluster of the best restart is compared with the most similar cluster of each other
        restart, by the Jaccard index; the value is the mean (Hennig 2007).
    """

    optima: pd.DataFrame
    curve: pd.DataFrame
    enough: int | None
    enough_equal: int | None
    new_optimum: float
    image: np.ndarray
    cluster: np.ndarray


def restart_stability(partitions: np.ndarray, inertia: np.ndarray) -> RestartStability:
    """Return the optima that the restarts end in, and how stable images and clusters are.

    Parameters
    ----------
    partitions : (R, N) integers, one row per restart; R >= 2.
    inertia : (R,) finite numbers; the restart with the lowest is the best, and if several are equal, the first.
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
    # if inertias are equal, the optimum of `best` comes first
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
    """Return the smallest number of restarts that reaches an optimum with a probability of at least 95 %.

    `hits` of `n_restarts` restarts reached the optimum; the lower 95 % bound of this share is used. Return None if the
    number is more than ten times `n_restarts`.
    """
    share = _lower(hits, n_restarts)
    n = 1 if share >= SURE else int(np.ceil(np.log(1 - SURE) / np.log1p(-share)))
    return n if n <= 10 * n_restarts else None


def _lower(hits: int, n_restarts: int) -> float:
    """Return the one-sided lower 95 % bound of the share `hits` / `n_restarts` (Clopper & Pearson 1934)."""
    from scipy.stats import beta  # takes most of a second to import

    return float(beta.ppf(1 - SURE, hits, n_restarts - hits + 1))


def _misses(n: np.ndarray, hits: int, n_restarts: int) -> np.ndarray:
    """Return for each number n in `n` (M,) the probability that n restarts all miss an optimum, (M,) float64.

    The n restarts are drawn without replacement from all `n_restarts`, of which `hits` reached the optimum.
    """
    factors = np.clip(n_restarts - hits - np.arange(n_restarts), 0, None) / (n_restarts - np.arange(n_restarts))
    return np.cumprod(factors)[n - 1]


def _in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    """Return labels (R, N) with clusters renumbered 1, 2, ... in the order in which they first occur; noise stays 0.

    So rows with equal partitions are equal.
    """
    renamed = np.zeros_like(labels)
    for row, partition in zip(renamed, labels, strict=True):
        names, first = np.unique(partition[partition > 0], return_index=True)
        number = np.zeros(int(partition.max(initial=0)) + 1, dtype=labels.dtype)
        number[names[np.argsort(first)]] = np.arange(1, len(names) + 1)
        row[:] = number[partition]
    return renamed


def _jaccard(labels: np.ndarray, best: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `image` (N,) and `cluster` (K,) of `RestartStability`; `best` is the row of the best restart."""
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
