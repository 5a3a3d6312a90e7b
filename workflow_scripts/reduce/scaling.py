"""Scale features before a decomposition: each feature (to unit variance, or by a power) or each image (to length 1)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from workflow_scripts.errors import UserError
from workflow_scripts.io.points import Matrix, row_slices

FITTED_NUMBERS = 1 << 24
"""Largest number of values that the powers of `yeo-johnson` are fitted on; they take 128 MiB as float64."""
POWERS = "powers"
"""Name of the array of powers of `yeo-johnson`."""
DIVISORS = "divisors"
"""Name of the array of divisors."""
FITTED = {"standard": (DIVISORS,), "yeo-johnson": (POWERS, DIVISORS)}
"""The names, in stores and models, of the arrays that each scaling fits to the images."""


class Scaled:
    """A matrix whose rows are scaled when they are read.

    The scale `standard` divides each column that varies by its standard deviation. `yeo-johnson` transforms each column
    by a power that is fitted to it, and then divides it by its standard deviation. `power` and `l2` need nothing but
    the row itself (`scaled_rows`).

    Parameters
    ----------
    X : (N, d) floats, an array or an HDF5 dataset.
    scale : `standard`, `power`, `yeo-johnson`, `l2`, or None for rows as they are.
    training : (N,) bool, the rows that standard deviations and powers are computed from; None takes all.

    Raises `UserError` if these rows have NaN or infinite features and the scale computes anything from them.

    Attributes
    ----------
    fitted :
        the arrays that the scale fitted, by their names in `FITTED`: the powers of the columns, (d,) float32, and the
        divisors of the columns, (d,) float64.
    """

    def __init__(self, X: Matrix, scale: str | None, training: np.ndarray | None = None) -> None:
        self.X, self.scale = X, scale
        self.fitted: dict[str, np.ndarray] = {}
        fits = {POWERS: self._powers, DIVISORS: self._deviations}
        for name in FITTED.get(scale or "", ()):
            self.fitted[name] = fits[name](training)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape (N, d)."""
        return self.X.shape

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        """Return the scaled rows of a slice, (n, d)."""
        if self.scale is None:
            return self.X[rows]
        return scaled_rows(np.asarray(self.X[rows], dtype=np.float64), self.scale, self.fitted)

    def _powers(self, training: np.ndarray | None) -> np.ndarray:
        """Return for each column the power that makes its numbers most like a normal distribution, (d,) float32.

        scikit-learn's `PowerTransformer` finds the powers by maximum likelihood on the training rows. If these have
        more than `FITTED_NUMBERS` values, only evenly spaced rows with that many values are used.
        """
        from sklearn.preprocessing import PowerTransformer

        rows = np.arange(self.shape[0]) if training is None else np.flatnonzero(training)
        most = min(len(rows), max(FITTED_NUMBERS // self.shape[1], 2))
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(int)]
        sample = np.empty((most, self.shape[1]))
        for block in row_slices(most):
            sample[block] = self.X[rows[block]]
        return PowerTransformer(standardize=False).fit(finite(sample, "yeo-johnson")).lambdas_.astype(np.float32)

    def _deviations(self, training: np.ndarray | None) -> np.ndarray:
        """Return the standard deviation of each column over the training rows, (d,) float64; 1 for a constant column.

        For the scale `yeo-johnson`, these are the deviations of the transformed columns.
        """
        from sklearn.preprocessing import StandardScaler  # takes a second, which other scalings do without

        scaler = StandardScaler()
        for rows in row_slices(self.shape[0]):
            block = self[rows]
            kept = block if training is None else block[training[rows]]
            if len(kept):
                scaler.partial_fit(finite(kept, self.scale))
        return scaler.scale_


def fitted_shapes(scale: str | None, width: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays that a scaling fits to `width` features. The keys are names in `FITTED`."""
    return dict.fromkeys(FITTED.get(scale or "", ()), (width,))


def scaled_rows(features: np.ndarray, scale: str | None, fitted: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return features (n, d) float64 after scaling; `fitted` has the arrays that the scale needs (see `FITTED`).

    `power` takes the square root of each number with its sign kept (Perronnin, Sánchez & Mensink 2010, section 3.1).
    `l2` divides each row by its length, so that the squared distance of two rows is twice their cosine distance.
    """
    if scale == "power":
        return np.sign(features) * np.sqrt(np.abs(features))
    if scale == "l2":
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return features / np.where(lengths > 0, lengths, 1)
    if POWERS in fitted:
        features = _yeo_johnson(features, fitted[POWERS].astype(np.float64))
    return features / fitted[DIVISORS] if DIVISORS in fitted else features


def _yeo_johnson(features: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return features (n, d) transformed by the powers (d,) of the columns, (n, d) (Yeo & Johnson 2000)."""
    from scipy.special import boxcox1p

    sizes = np.abs(features)
    return np.where(features >= 0, boxcox1p(sizes, powers), -boxcox1p(sizes, 2 - powers))


def finite(features: np.ndarray, method: str | None) -> np.ndarray:
    """Return the features unchanged. Raises `UserError` with the name of the method if a feature is NaN or infinite."""
    if not np.isfinite(features).all():
        raise UserError(f"{method}: found NaN or infinite values among the features, only finite ones are allowed")
    return features
