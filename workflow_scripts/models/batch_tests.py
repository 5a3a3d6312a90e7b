"""Exact permutation tests that compare the numbers of a batch of new images with those of known images.

If the batch and the known images come from the same source, each way to draw the batch from all images is equally
likely. The sum of integer scores is computed for all these ways by counting, without simulation. So P(p <= a) <= a for
every a, also with ties and for any number of images.
"""

from functools import lru_cache
from math import comb

import numpy as np

MOST_KNOWN = 1000
"""The largest number of known images. With it, and the largest batch that the settings allow (100 images), there are up
to 1e145 ways to draw the batch, which floats (up to 1e308) can count."""
PER_UNIT = 32
"""Number of integer scores for each unit of the logarithm in `novelty_p_value`."""
STEPS = 100
"""Number of integer scores between the lowest and the highest rank in `shift_p_value`."""


def novelty_p_value(known: np.ndarray, batch: np.ndarray) -> float:
    """Return the p-value of the novelties of a batch (n,): the probability that they are as high by chance.

    `known` (K,) are the novelties of the known images. The conformal p-value of an image is the share of all K + n
    images whose novelty is at least as high (Vovk et al. 2005). The statistic is Fisher's: the sum over the batch of
    -log of these p-values, each rounded to a multiple of 1 / `PER_UNIT`.
    """
    pooled = np.concatenate([known, batch])
    above = len(pooled) - np.searchsorted(np.sort(pooled), pooled)
    upper, _ = _tails(np.rint(-np.log(above / len(pooled)) * PER_UNIT).astype(int), len(batch))
    return upper


def shift_p_value(known: np.ndarray, batch: np.ndarray) -> float:
    """Return the two-sided p-value of a shift: the probability that the batch differs as much from `known` by chance.

    `known` (K,) and `batch` (n,) are values of one measure, such as brightness. The statistic is the sum of the batch's
    ranks, as in the tests of Wilcoxon and of Mann & Whitney. The ranks are first rounded down to one of `STEPS` steps.
    """
    pooled = np.concatenate([known, batch])
    ordered = np.sort(pooled)
    ranks = np.searchsorted(ordered, pooled) + np.searchsorted(ordered, pooled, side="right")
    upper, lower = _tails(ranks * STEPS // (2 * len(pooled)), len(batch))
    return min(1.0, 2 * min(upper, lower))


def smallest_p_value(n_known: int, n: int) -> float:
    """Return the smallest possible p-value of `shift_p_value`, for a batch of n images and `n_known` known images.

    The smallest possible p-value of `novelty_p_value` is half of it.
    """
    return 2 / comb(n_known + n, n)


def conformal_p_values(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the conformal p-value of each new image, (n,) float64.

    It is (1 + m) / (1 + K), where m of the K known images have at least the novelty of the new image. `known` (K,) and
    `new` (n,) are novelties.
    """
    above = len(known) - np.searchsorted(np.sort(known), new)
    return (1 + above) / (1 + len(known))


def _tails(scores: np.ndarray, n: int) -> tuple[float, float]:
    """Return the probabilities that the sum of n randomly drawn scores is at least, and at most, the observed sum.

    `scores` are integers from 0. The last n are those of the batch, and their sum is the observed one.
    """
    chances = _chances(tuple(np.sort(scores).tolist()), n)
    observed = int(scores[-n:].sum())
    return min(1.0, float(chances[observed:].sum())), min(1.0, float(chances[: observed + 1].sum()))


@lru_cache(maxsize=16)
def _chances(scores: tuple[int, ...], n: int) -> np.ndarray:
    """Return the probability of each possible sum of n of the `scores` (integers from 0), drawn without replacement.

    Entry s is the probability of the sum s. The scores are taken one after the other. After each of them, the number of
    subsets of j scores with the sum s is updated, for all j and s.
    """
    ways = np.zeros((n + 1, sum(scores[-n:]) + 1))
    ways[0, 0] = 1
    for score in scores:
        ways[1:, score:] += ways[:-1, : ways.shape[1] - score]
    return ways[n] / ways[n].sum()
