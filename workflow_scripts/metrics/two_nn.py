"""Estimate the intrinsic dimension of points from their two nearest neighbours (TwoNN, Facco et al. 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError

FRACTIONS = (1.0, 0.9, 0.7, 0.5)
"""Shares of the points that the line is fitted to, those with the smallest mu (see `TwoNN`); Facco et al. use 0.9."""
FEWEST = 20
"""Smallest number of different points that a dimension is estimated from."""
MOST_BLOCKS = 64
"""Largest number of samples of one size."""
_BYTES = 1 << 24  # size of a block of differences to the neighbours


@dataclass(frozen=True)
class TwoNN:
    """The distribution F of mu: for each point, mu is the distance to its second neighbour divided by the distance to
    its first.

    If n points are sorted by mu, F(mu_i) = i / n; the last point, where 1 - F is zero, is left out. If the density is
    locally constant, -log(1 - F) = d log(mu), where d is the intrinsic dimension.

    Attributes
    ----------
    log_mu : (n - 1,) float64, log(mu) in ascending order.
    minus_log : (n - 1,) float64, -log(1 - F) in the same order.
    n_copies : number of points that were left out because they are copies of another.
    """

    log_mu: np.ndarray
    minus_log: np.ndarray
    n_copies: int

    def dimension(self, fraction: float = 0.9) -> float:
        """Return the intrinsic dimension d, the slope of -log(1 - F) against log(mu).

        The slope is that of a least-squares line through the origin. Only the points with the smallest mu are used: the
        share `fraction` of all points.
        """
        kept = int((len(self.log_mu) + 1) * fraction)
        x, y = self.log_mu[:kept], self.minus_log[:kept]
        return float((x * y).sum() / np.square(x).sum())  # no BLAS, whose threads change the last bits


def two_nn(X: npt.ArrayLike) -> TwoNN:
    """Return the distribution of mu (see `TwoNN`) over the points X (N, d), computed with exact neighbours.

    Of equal points only one counts. Raises `UserError` if there are fewer than `FEWEST` different points.
    """
    points = np.asarray(X, dtype=np.float64)
    points = points - points.mean(axis=0)
    distances = _two_distances(points)
    if (copied := distances[:, 0] == 0).any():
        points = np.concatenate([points[~copied], np.unique(points[copied], axis=0)])
        distances = _two_distances(points)
    n = len(points)
    mu = np.sort(distances[:, 1] / distances[:, 0])
    return TwoNN(np.log(mu[:-1]), -np.log1p(-np.arange(1, n) / n), len(np.asarray(X)) - n)


def dimension_by_size(
    X: npt.ArrayLike, fractions: Sequence[float] = FRACTIONS, smallest: int = 50, seed: int = 0
) -> pd.DataFrame:
    """Return the dimension of all points X (N, d), and of samples with a half of the points, a quarter and so on.

    If the dimension stays the same over several sizes, it is a property of the data. The samples of one size are
    disjoint blocks of the shuffled points, at most `MOST_BLOCKS`, as in Facco et al. 2017. The smallest samples have at
    least `smallest` points.

    Returns
    -------
    DataFrame with one row per size, block and fraction: `size`, `block`, `fraction`, `dimension`.
    """
    points = np.asarray(X)
    order = np.random.default_rng(seed).permutation(len(points))
    rows = []
    for halvings in range(max(1, int(np.log2(max(len(points) / smallest, 1))) + 1)):
        size = len(points) >> halvings
        for block in range(min(1 << halvings, MOST_BLOCKS)):
            fitted = two_nn(points[order[block * size : (block + 1) * size]])
            rows += [(size, block, fraction, fitted.dimension(fraction)) for fraction in fractions]
    return pd.DataFrame(rows, columns=["size", "block", "fraction", "dimension"])


def thick_line(n: int, noise: float = 0.001, length: float = 100, seed: int = 0) -> np.ndarray:
    """Return points along a straight line with normal noise across it, (n, 2) float64 (Coronica 2018, figure 3.4).

    They are one-dimensional at a large scale and two-dimensional at a small one. `noise` is the standard deviation.
    """
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(0, length, n), rng.normal(0, noise, n)])


def _two_distances(points: np.ndarray) -> np.ndarray:
    """Return the distances of every point to its two nearest neighbours, ascending, (N, 2).

    They are computed from the differences of coordinates: a search by matrix products has rounding errors, so that the
    distance of equal points would not be 0. Raises `UserError` if there are fewer than `FEWEST` points.
    """
    if len(points) < FEWEST:
        raise UserError(f"intrinsic dimension: found {len(points)} different points, at least {FEWEST} are needed")
    with threadpool_limits(1):
        neighbours = NearestNeighbors(n_neighbors=2, n_jobs=1).fit(points).kneighbors(return_distance=False)
    distances = np.empty(neighbours.shape)
    step = max(1, _BYTES // points[:1].nbytes)
    for start in range(0, len(points), step):
        rows = slice(start, start + step)
        distances[rows] = np.linalg.norm(points[neighbours[rows]] - points[rows, None], axis=2)
    return np.sort(distances, axis=1)
