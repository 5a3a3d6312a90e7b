"""Features scaled before a decomposition: each to unit variance, by a power, or each image's to length 1."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from workflow_scripts.io.points import Matrix

ROWS = 1024
"""Number of images that are read together; it is fixed, because the order of the sums depends on it."""


class Scaled:
    """A matrix whose rows are scaled when they are read.

    `standard` divides each column by its standard deviation, if it varies. The others act on each row alone
    (`scaled_rows`).

    Parameters
    ----------
    X : (N, d) floats, an array or an HDF5 dataset.
    scale : `standard`, `power`, `l2`, or None for rows as they are.
    training : (N,) bool, the rows whose standard deviations are taken; None takes all.

    Attributes
    ----------
    divisors : (d,) float64, the numbers that columns are divided by; ones if `scale` is not `standard`.
    """

    def __init__(self, X: Matrix, scale: str | None, training: np.ndarray | None = None) -> None:
        self.X, self.scale = X, scale
        self.divisors = _deviations(X, training) if scale == "standard" else np.ones(X.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape (N, d)."""
        return self.X.shape

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        """Return the scaled rows of a slice, (n, d)."""
        if self.scale is None:
            return self.X[rows]
        return scaled_rows(np.asarray(self.X[rows], dtype=np.float64), self.scale) / self.divisors


def scaled_rows(features: np.ndarray, scale: str | None) -> np.ndarray:
    """Return features (n, d) with the part of a scaling that needs no other images.

    `power` takes the square root of each number with its sign kept (Perronnin, Sánchez & Mensink 2010, section 3.1).
    `l2` divides each row by its length, so that the squared distance of two rows is twice their cosine distance.
    """
    if scale == "power":
        return np.sign(features) * np.sqrt(np.abs(features))
    if scale == "l2":
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return features / np.where(lengths > 0, lengths, 1)
    return features


def _deviations(X: Matrix, training: np.ndarray | None) -> np.ndarray:
    """Return the standard deviation of each column, (d,) float64; 1 if it does not vary."""
    from sklearn.preprocessing import StandardScaler  # takes a second, which other scalings do without

    scaler = StandardScaler()
    for rows in _slices(X.shape[0]):
        block = np.asarray(X[rows], dtype=np.float64)
        kept = block if training is None else block[training[rows]]
        if len(kept):
            scaler.partial_fit(kept)
    return scaler.scale_


def _slices(length: int) -> Iterator[slice]:
    return (slice(start, min(start + ROWS, length)) for start in range(0, length, ROWS))
