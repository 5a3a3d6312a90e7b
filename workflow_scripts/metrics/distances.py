"""Measure how the distances between images correlate with their classes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits


def balanced_sample(labels: Sequence[str | None], n_images: int, seed: int = 0) -> np.ndarray:
    """Return the rows of at most `n_images` labelled images, the same number of each class, sorted by class.

    They are drawn at random with `seed`. If a class has too few images, all of its images are taken.
    """
    classes = sorted({label for label in labels if label is not None})
    codes = np.array([-1 if label is None else classes.index(label) for label in labels])
    random = np.random.default_rng(seed)
    rows = (random.permutation(np.flatnonzero(codes == c)) for c in range(len(classes)))
    return np.concatenate(
        [np.sort(class_rows[: n_images // len(classes)]) for class_rows in rows] or [np.empty(0, int)]
    )


def discrete_correlations(
    distances: Sequence[np.ndarray],
    labels: npt.ArrayLike,
    n_bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return Pearson's correlation of the distances of all pairs of images with the discrete distance.

    The discrete distance is 0 for two images of one class and 1 for two images of different classes. The intervals come
    from a bootstrap that draws images, not pairs, because pairs are not independent. Each class keeps its number of
    images, and pairs of an image with itself are left out. All matrices get the same draws, because `gain` compares
    them. If classes are small, a draw may have no two different images of one class; such a draw is ignored.

    Parameters
    ----------
    distances : matrices (n, n), symmetric, zero on the diagonal.
    labels : (n,) classes.
    n_bootstrap : number of bootstrap draws.
    confidence : confidence of the intervals, between 0 and 1.
    seed : seed of the draws.

    Returns
    -------
    DataFrame with one row per matrix:

    - `correlation`, `low`, `high`: the correlation, and the ends of its interval.
    - `gain`, `gain_low`, `gain_high`: the correlation divided by that of the first matrix, minus 1, and the ends of its
      interval.
    """
    _, codes = np.unique(labels, return_inverse=True)
    draws = draws_within_classes(codes, n_bootstrap, np.random.default_rng(seed))
    weights = np.concatenate([np.ones((1, len(codes))), draws])  # the first row is the sample itself
    across = (codes[:, None] != codes).astype(np.float64)
    with threadpool_limits(1):  # the last bits depend on the number of threads
        correlations = np.array(
            [weighted_correlations(np.asarray(matrix, dtype=np.float64), across, weights) for matrix in distances]
        )
    gains = correlations / correlations[0] - 1
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    (low, high), (gain_low, gain_high) = (
        np.nanquantile(matrix[:, 1:], tails, axis=1) for matrix in (correlations, gains)
    )
    columns = {"correlation": correlations[:, 0], "low": low, "high": high}
    return pd.DataFrame({**columns, "gain": gains[:, 0], "gain_low": gain_low, "gain_high": gain_high})


def draws_within_classes(codes: np.ndarray, n_bootstrap: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each image occurs in each bootstrap draw, (n_bootstrap, n) float64.

    Images are drawn with replacement, and each class keeps its number of images. `codes` (n,) are the classes.
    """
    counts = np.zeros((n_bootstrap, len(codes)))
    for rows in (np.flatnonzero(codes == c) for c in np.unique(codes)):
        counts[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), n_bootstrap)
    return counts


def weighted_correlations(distances: np.ndarray, across: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted correlation of `distances` with `across`, for each row of `weights`, (B,).

    `distances` and `across` are (n, n), and `weights` (B, n) has a weight for each image. The correlation is over the
    pairs of different images. The weight of a pair is the product of its images' weights.
    """
    n_pairs = weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1)

    def mean(values: np.ndarray) -> np.ndarray:
        return ((weights @ values) * weights).sum(axis=1) / n_pairs

    x, y = mean(distances), mean(across)
    covariance = mean(distances * across) - x * y
    with np.errstate(invalid="ignore"):
        return covariance / np.sqrt((mean(np.square(distances)) - x**2) * (y - y**2))
