"""Types that k-means and its backends exchange: the points, a batch of restarts, and its result."""

import ctypes as ct
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

INERTIA_BITS = 32
"""Number of significant bits to which every path rounds inertias (`rounded` in `_kernel_impl.h`)."""
ROUNDING_ALONE = 1e-28
"""Inertias below this share of the points' summed squared norms are rounding errors and become 0."""


@dataclass(frozen=True)
class Problem:
    """Points centred on their mean and scaled by a power of two, which is exact, so that no square overflows."""

    X: np.ndarray
    mean: np.ndarray
    scale: float

    @classmethod
    def of(cls, X: np.ndarray) -> "Problem":
        """Centre and scale `X` (N, d)."""
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
        """Return the inertias (R,) of the scaled points to the digits on which all kernels agree (`INERTIA_BITS`)."""
        inertia = np.where(inertia < ROUNDING_ALONE * np.square(self.X).sum(), 0, inertia)
        mantissa, exponent = np.frexp(inertia)
        return np.ldexp(np.rint(np.ldexp(mantissa, INERTIA_BITS)), exponent - INERTIA_BITS)

    def inside(self, centers: np.ndarray) -> np.ndarray:
        """Return points (..., d) of the caller's space as points of the scaled space."""
        return (centers - self.mean) * self.scale

    def outside(self, centers: np.ndarray) -> np.ndarray:
        """Return points (..., d) of the scaled space as points of the caller's space."""
        return centers / self.scale + self.mean


class Batch(NamedTuple):
    """Restarts with one k. Exactly one of `draws`, `start_points` and `start_centers` says where they start.

    Attributes
    ----------
    restarts, k, max_iter : int
    tol : a restart stops when the summed squared movement of its centres is at most this.
    labels : the output array, (restarts, N) if `keep_all`, otherwise (1, N) for the best restart.
    keep_all : whether to keep the labels of all restarts.
    trials : number of candidates of k-means++ for each centre.
    draws : (restarts, 1 + (k - 1) * trials) float64, random numbers for k-means++.
    start_points : (restarts, k) int32, indices of points.
    start_centers : (restarts, k, d) float64.
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
    """Result of a batch.

    Attributes
    ----------
    inertia : (restarts,) float64, rounded by `Problem.rounded`.
    n_iter, converged : (restarts,)
    best_centers : (k, d) float64 of the best restart.
    settled : number of points whose nearest centre had to be decided in double precision.
    """

    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    best_centers: np.ndarray
    settled: int


class Backend(Protocol):
    """An object that runs batches of restarts on the points that it was made with."""

    def chunk(self, k: int) -> int:
        """Return how many restarts to run in one call."""

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run all restarts of `batch`; stop early when `stop` becomes non-zero."""
