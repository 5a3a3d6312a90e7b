"""Exact permutation tests of a batch of new numbers against known ones, without simulation.

If the batch is drawn from the same images as the known ones, all orders of the pooled numbers are equally likely. The
distribution of a sum of integer scores over all ways to draw the batch from the pool is counted, not sampled, so that
P(p <= a) <= a for every a, with ties and for any number of images.
"""

from functools import lru_cache
from math import comb

import numpy as np

MOST_KNOWN = 1000
"""The largest number of known images: of these and the largest batch that the settings allow, 100 images, the ways to
draw the batch can be counted. There are up to 1e145 of them, and floats end at 1e308."""
PER_UNIT = 32
"""Steps of the scores per unit of the logarithm."""
STEPS = 100
"""Steps of the scores between the lowest and the highest rank."""


def novelty_p_value(known: np.ndarray, batch: np.ndarray) -> float:
    """Return the probability that a batch of known images is as new as this one.

    `known` (K,) and `batch` (n,) are novelties. The statistic is Fisher's: the sum of -log of the share of all K + n
    images that are at least as new as each image of the batch, which is its conformal p-value (Vovk et al. 2005).
    """
    pooled = np.concatenate([known, batch])
    above = len(pooled) - np.searchsorted(np.sort(pooled), pooled)
    upper, _ = _tails(np.rint(-np.log(above / len(pooled)) * PER_UNIT).astype(int), len(batch))
    return upper


def shift_p_value(known: np.ndarray, batch: np.ndarray) -> float:
    """Return the two-sided probability that a batch of known images is shifted as far up or down as this one.

    `known` (K,) and `batch` (n,) are values of one measure.

    The statistic is the sum of the ranks, as of Wilcoxon and of Mann & Whitney, in `STEPS` steps.
    """
    pooled = np.concatenate([known, batch])
    ordered = np.sort(pooled)
    ranks = np.searchsorted(ordered, pooled) + np.searchsorted(ordered, pooled, side="right")
    upper, lower = _tails(ranks * STEPS // (2 * len(pooled)), len(batch))
    return min(1.0, 2 * min(upper, lower))


def smallest_p_value(n_known: int, n: int) -> float:
    """Return the smallest p-value of `shift_p_value` for n numbers and n_known known ones; that of `novelty_p_value` is
    half of it."""
    return 2 / comb(n_known + n, n)


def conformal_p_values(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return for each new image (n,) the share of it and the known images (K,) that are at least as new as it."""
    above = len(known) - np.searchsorted(np.sort(known), new)
    return (1 + above) / (1 + len(known))


def _tails(scores: np.ndarray, n: int) -> tuple[float, float]:
    """Return the probabilities that n of the scores have a sum of at least, and of at most, that of the last n."""
    chances = _chances(tuple(np.sort(scores).tolist()), n)
    observed = int(scores[-n:].sum())
    return min(1.0, float(chances[observed:].sum())), min(1.0, float(chances[: observed + 1].sum()))


@lru_cache(maxsize=16)
def _chances(scores: tuple[int, ...], n: int) -> np.ndarray:
    """Return the probability of each sum of n of the scores (integers from 0) drawn without replacement.

    The scores are taken one after the other: the ways to have j with a sum s are those without the score, and those to
    have j - 1 with what is left of s.
    """
    ways = np.zeros((n + 1, sum(scores[-n:]) + 1))
    ways[0, 0] = 1
    for score in scores:
        ways[1:, score:] += ways[:-1, : ways.shape[1] - score]
    return ways[n] / ways[n].sum()
