"""What a backend is given and gives back."""

import ctypes as ct
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

INERTIA_BITS = 32
"""To so many significant bits inertias are rounded, on every path (`rounded` in `_kernel_impl.h`)."""
ROUNDING_ALONE = 1e-28
"""A smaller share of the points' squared norms is no inertia."""


@dataclass(frozen=True)
class Problem:
    """Points centred on their mean and scaled by a power of two (exactly), so that no square overflows."""

    X: np.ndarray
    mean: np.ndarray
    scale: float

    @classmethod
    def of(cls, X: np.ndarray) -> "Problem":
        """Centre and scale `X` (N, d)."""
        X = X.astype(np.float64, order="C")
        mean = X.mean(axis=0)
        X -= mean
        rounding = X.mean(axis=0)  # of the mean, where the offset is huge
        X -= rounding
        mean += rounding
        largest = np.abs(X).max()
        scale = 2.0 ** -np.frexp(largest)[1] if largest > 0 else 1.0
        X *= scale
        return cls(X, mean, scale)

    def rounded(self, inertia: np.ndarray) -> np.ndarray:
        """Inertias (R,) of the scaled points as all paths give them."""
        inertia = np.where(inertia < ROUNDING_ALONE * np.square(self.X).sum(), 0, inertia)
        mantissa, exponent = np.frexp(inertia)
        return np.ldexp(np.rint(np.ldexp(mantissa, INERTIA_BITS)), exponent - INERTIA_BITS)

    def inside(self, centers: np.ndarray) -> np.ndarray:
        """Return points of the caller's space in the scaled one."""
        return (centers - self.mean) * self.scale

    def outside(self, centers: np.ndarray) -> np.ndarray:
        """Return points of the scaled space in the caller's."""
        return centers / self.scale + self.mean


class Batch(NamedTuple):
    """Restarts with one k. One of `draws`, `start_points` and `start_centers` says where they start.

    draws: (restarts, 1 + (k - 1) * trials) float64 for k-means++ with `trials` candidates a centre;
    start_points: (restarts, k) int32; start_centers: (restarts, k, d) float64.
    labels: written to, (restarts, N) or, unless `keep_all`, (1, N) for the best restart.
    tol: bound on the summed squared movement of the centres.
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
    """Of a batch: inertia (`Problem.rounded`), n_iter and converged (restarts,), the best restart's centres (k, d), and
    how many points were settled in double precision."""

    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    best_centers: np.ndarray
    settled: int


class Backend(Protocol):
    """Something that runs batches on points that it was built with."""

    def chunk(self, k: int) -> int:
        """Return how many restarts to give at once."""

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run all restarts; stop early when `stop` becomes non-zero."""
