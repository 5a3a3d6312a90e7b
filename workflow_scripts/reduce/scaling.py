"""Features scaled before a decomposition: each to unit variance, by a power, or each image's to length 1."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from workflow_scripts.io.points import Matrix

ROWS = 1024
"""Number of images that are read together; it is fixed, because the order of the sums depends on it."""
FITTED_NUMBERS = 1 << 24
"""Largest number of values that the powers of `yeo-johnson` are fitted on, 128 MiB in double precision."""
POWERS = "powers"
"""The name of the fitted powers in stores and models."""


class Scaled:
    """A matrix whose rows are scaled when they are read.

    `standard` divides each column by its standard deviation, if it varies. `yeo-johnson` transforms each column by a
    power that is fitted to it, and then divides it by its standard deviation. The others act on each row alone
    (`scaled_rows`).

    Parameters
    ----------
    X : (N, d) floats, an array or an HDF5 dataset.
    scale : `standard`, `power`, `yeo-johnson`, `l2`, or None for rows as they are.
    training : (N,) bool, the rows that deviations and powers are taken from; None takes all.

    Attributes
    ----------
    fitted : the powers of the columns, (d,) float32, as `POWERS`; empty if `scale` is not `yeo-johnson`.
    divisors : (d,) float64, the numbers that columns are divided by; ones for `power`, `l2` and None.
    """

    def __init__(self, X: Matrix, scale: str | None, training: np.ndarray | None = None) -> None:
        self.X, self.scale = X, scale
        self.fitted = {POWERS: _powers(X, training)} if scale == "yeo-johnson" else {}
        divides = scale in ("standard", "yeo-johnson")
        self.divisors = self._deviations(training) if divides else np.ones(X.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape (N, d)."""
        return self.X.shape

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        """Return the scaled rows of a slice, (n, d)."""
        return self.X[rows] if self.scale is None else self._transformed(rows) / self.divisors

    def _transformed(self, rows: slice) -> np.ndarray:
        return scaled_rows(np.asarray(self.X[rows], dtype=np.float64), self.scale, self.fitted.get(POWERS))

    def _deviations(self, training: np.ndarray | None) -> np.ndarray:
        """Return the standard deviation of each column, (d,) float64; 1 if it does not vary."""
        from sklearn.preprocessing import StandardScaler  # takes a second, which other scalings do without

        scaler = StandardScaler()
        for rows in _slices(self.shape[0]):
            block = self._transformed(rows)
            kept = block if training is None else block[training[rows]]
            if len(kept):
                scaler.partial_fit(kept)
        return scaler.scale_


def scaled_rows(features: np.ndarray, scale: str | None, powers: np.ndarray | None = None) -> np.ndarray:
    """Return features (n, d) with the part of a scaling that needs no other images.

    `power` takes the square root of each number with its sign kept (Perronnin, Sánchez & Mensink 2010, section 3.1).
    `l2` divides each row by its length, so that the squared distance of two rows is twice their cosine distance.
    `yeo-johnson` transforms each column by its power of `powers` (d,).
    """
    if scale == "power":
        return np.sign(features) * np.sqrt(np.abs(features))
    if scale == "l2":
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return features / np.where(lengths > 0, lengths, 1)
    if powers is not None:
        return _yeo_johnson(features, powers.astype(np.float64))
    return features


def _yeo_johnson(features: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return the transform of features (n, d) by the powers (d,) of the columns (Yeo & Johnson 2000)."""
    from scipy.special import boxcox1p

    sizes = np.abs(features)
    return np.where(features >= 0, boxcox1p(sizes, powers), -boxcox1p(sizes, 2 - powers))


def _powers(X: Matrix, training: np.ndarray | None) -> np.ndarray:
    """Return the power of each column that makes its numbers most like a normal distribution, (d,) float32.

    scikit-learn's `PowerTransformer` finds it by maximum likelihood, on all training rows, or on evenly spaced ones
    with `FITTED_NUMBERS` values together.
    """
    from sklearn.preprocessing import PowerTransformer

    rows = np.arange(X.shape[0]) if training is None else np.flatnonzero(training)
    most = min(len(rows), max(FITTED_NUMBERS // X.shape[1], 2))
    rows = rows[np.linspace(0, len(rows) - 1, most).astype(int)]
    sample = np.empty((most, X.shape[1]))
    for block in _slices(most):
        sample[block] = X[rows[block]]
    return PowerTransformer(standardize=False).fit(sample).lambdas_.astype(np.float32)


def _slices(length: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, length)) for start in range(0, length, ROWS))
