"""Types that k-means and its backends exchange: the points, a batch of restarts, and the result of a batch.

A backend is the code that runs the restarts: a compiled kernel, or torch.
"""

import ctypes as ct
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

INERTIA_BITS = 32
"""Number of significant bits to which every backend rounds inertias (`rounded` in `_kernel_impl.h`)."""
ROUNDING_ALONE = 1e-28
"""Inertias below this share of the points' summed squared norms are rounding errors and become 0."""


@dataclass(frozen=True)
class Problem:
    """The points of k-means, centred and scaled: `X` (N, d) float64 is (the given points - `mean`) * `scale`.

    The scale keeps squares from overflowing. It is a power of two, so that the multiplication is exact.
    """

    X: np.ndarray
    mean: np.ndarray
    scale: float

    @classmethod
    def of(cls, X: np.ndarray) -> "Problem":
        """Return the problem with the points `X` (N, d), centred and scaled."""
        X = X.astype(np.float64, order="C")
        mean = X.mean(axis=0)
        X -= mean
        rounding = X.mean(axis=0)  # the mean's rounding error, which matters if the offset is huge
        X -= rounding
        mean += rounding
        largest = np.abs(X).max()
        scale = 2.0 ** -np.frexp(largest)[1] if largest > 0 else 1.0
        X *= scale
        return cls(X, mean, scale)

    def rounded(self, inertia: np.ndarray) -> np.ndarray:
        """Return inertias (R,) rounded to `INERTIA_BITS` bits, so that all backends give the same numbers.

        `inertia` is of the scaled points. An inertia that is so small that it is only a rounding error becomes 0.
        """
        inertia = np.where(inertia < ROUNDING_ALONE * np.square(self.X).sum(), 0, inertia)
        mantissa, exponent = np.frexp(inertia)
        return np.ldexp(np.rint(np.ldexp(mantissa, INERTIA_BITS)), exponent - INERTIA_BITS)

    def inside(self, centers: np.ndarray) -> np.ndarray:
        """Return `centers` (..., d), centred and scaled in the same way as the points `X`."""
        return (centers - self.mean) * self.scale

    def outside(self, centers: np.ndarray) -> np.ndarray:
        """Undo the centring and scaling of `centers` (..., d): the inverse of `inside`."""
        return centers / self.scale + self.mean


class Batch(NamedTuple):
    """Restarts with one k. Exactly one of `draws`, `start_points` and `start_centers` gives the first centres.

    Attributes
    ----------
    restarts : number of restarts.
    k : number of clusters.
    max_iter : largest number of iterations of a restart.
    tol : a restart stops when the sum of the squared movements of its centres is at most this.
    labels : the array to write labels to: (restarts, N) if `keep_all`, otherwise (1, N) for the best restart.
    keep_all : whether to keep the labels of all restarts.
    trials : number of candidates of k-means++ for each centre.
    draws : (restarts, 1 + (k - 1) * trials) float64, random numbers for k-means++.
    start_points : (restarts, k) int32, indices of the points that are the first centres.
    start_centers : (restarts, k, d) float64, the first centres.
    """

    restarts: int
    k: int
    max_iter: int
    tol: float
    labels: np.ndarray
    keep_all: bool
    trials: int = 1
    draws: np.ndarray | None = None
    start_points: np.ndarray | None = None
    start_centers: np.ndarray | None = None


class Result(NamedTuple):
    """The result of a batch of restarts.

    Attributes
    ----------
    inertia : (restarts,) float64, rounded by `Problem.rounded`.
    n_iter : (restarts,) int32, number of iterations.
    converged : (restarts,) bool, False if `max_iter` ended the restart.
    best_centers : (k, d) float64, the centres of the restart with the lowest inertia.
    settled : how many times a point's nearest centre had to be decided in double precision.
    """

    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    best_centers: np.ndarray
    settled: int


class Backend(Protocol):
    """The interface of an object that has the points and runs batches of restarts on them."""

    def chunk(self, k: int) -> int:
        """Return the number of restarts, each with k clusters, that one call of `run` should compute."""

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run all restarts of `batch` and return the result; stop early if another thread sets `stop` to 1."""
