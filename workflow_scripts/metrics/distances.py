"""How far distances between images tell their classes apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits


def balanced_sample(labels: Sequence[str | None], n_images: int, seed: int = 0) -> np.ndarray:
    """Return rows of about `n_images` labelled images, as many of each class (or all of a smaller one), sorted by
    class."""
    classes = sorted({label for label in labels if label is not None})
    of_row = np.array([-1 if label is None else classes.index(label) for label in labels])
    random = np.random.default_rng(seed)
    rows = (random.permutation(np.flatnonzero(of_row == c)) for c in range(len(classes)))
    return np.concatenate([np.sort(of_class[: n_images // len(classes)]) for of_class in rows] or [np.empty(0, int)])


def discrete_correlations(
    distances: Sequence[np.ndarray],
    labels: npt.ArrayLike,
    n_bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return Pearson's correlation of the distances of all pairs with the discrete distance: 0 within a class, 1
    across.

    The discrete distance is one minus Kronecker's delta. Images are drawn again within their classes, and pairs of an
    image with itself left out: pairs are not independent, images are. All matrices get the same draws, so that the
    interval of the gain is a paired one. Draws without a pair within a class, which small classes have, do not count.

    Parameters
    ----------
    distances : matrices (n, n), symmetric, zero on the diagonal.
    labels : (n,)

    Returns
    -------
    DataFrame, a row per matrix: `correlation, low, high` (percentiles of the bootstrap), and `gain, gain_low,
    gain_high`: the correlation relative to the first matrix's, less one.
    """
    _, of_row = np.unique(labels, return_inverse=True)
    draws = _draws(of_row, n_bootstrap, np.random.default_rng(seed))
    weights = np.concatenate([np.ones((1, len(of_row))), draws])  # the first row is the sample itself
    across = (of_row[:, None] != of_row).astype(np.float64)
    with threadpool_limits(1):  # the last bits depend on it
        found = np.array([_weighted(np.asarray(matrix, dtype=np.float64), across, weights) for matrix in distances])
    gains = found / found[0] - 1
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    (low, high), (gain_low, gain_high) = (np.nanquantile(matrix[:, 1:], tails, axis=1) for matrix in (found, gains))
    correlations = {"correlation": found[:, 0], "low": low, "high": high}
    return pd.DataFrame({**correlations, "gain": gains[:, 0], "gain_low": gain_low, "gain_high": gain_high})


def _draws(of_row: np.ndarray, n_bootstrap: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each image is drawn, (n_bootstrap, n): from each class as many as it has, with replacement."""
    counts = np.zeros((n_bootstrap, len(of_row)))
    for rows in (np.flatnonzero(of_row == c) for c in np.unique(of_row)):
        counts[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), n_bootstrap)
    return counts


def _weighted(distances: np.ndarray, across: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the correlation over pairs of different images for each row of weights (B, n); a pair weighs their
    product."""
    n_pairs = weights.sum(axis=1) ** 2 - np.square(weights).sum(axis=1)

    def mean(values: np.ndarray) -> np.ndarray:
        return ((weights @ values) * weights).sum(axis=1) / n_pairs

    x, y = mean(distances), mean(across)
    covariance = mean(distances * across) - x * y
    with np.errstate(invalid="ignore"):
        return covariance / np.sqrt((mean(np.square(distances)) - x**2) * (y - y**2))
