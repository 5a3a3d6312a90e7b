"""Where images lie, in few bytes: coordinates on a map, and points whose distances the page compares."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

NOWHERE = 65535
"""The coordinate of an image that a map does not show."""
WIDEST = 64
"""Numbers of a point that the page compares; more are reduced to so many principal components."""
LARGEST = 127


@dataclass(frozen=True)
class Place:
    """A name, and the values of every image: of a map (N, 2) uint16, of points (N, d) int8."""

    name: str
    values: np.ndarray


def map_of(name: str, coordinates: np.ndarray, rows: np.ndarray, n: int) -> Place:
    """Return a map, both axes of one scale, its middle in the middle of 0 to 65534; y grows downwards, as on a screen.

    `coordinates` (M, 2) are those of the images in `rows` (M,) among all N; the others are `NOWHERE`.
    """
    coordinates = coordinates * (1, -1)
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    scale = (NOWHERE - 1) / ((high - low).max() or 1.0)
    values = np.full((n, 2), NOWHERE, dtype=np.uint16)
    values[rows] = np.rint((coordinates - (low + high) / 2) * scale + (NOWHERE - 1) / 2)
    return Place(name, values)


def along_a_curve(place: Place) -> np.ndarray:
    """Return the rows of a map, (N,), in an order that keeps neighbours together: a Z-order curve (Morton 1966)."""
    x, y = place.values.astype(np.uint64).T
    code = np.zeros(len(x), dtype=np.uint64)
    for bit in range(16):
        code |= (x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1
    return np.argsort(code, kind="stable")


def points_of(name: str, points: np.ndarray, rows: np.ndarray, n: int) -> Place:
    """Return points in whole numbers of one scale, so that distances keep their order but for rounding.

    `points` (M, d) are those of the images in `rows` (M,); the others are 0. The one largest number of a thousand is
    cut off, for it would leave the others few steps.
    """
    reduced = first_components(points, WIDEST) if points.shape[1] > WIDEST else points - points.mean(axis=0)
    largest = np.quantile(np.abs(reduced), 0.999) or 1.0
    values = np.zeros((n, reduced.shape[1]), dtype=np.int8)
    values[rows] = np.rint(np.clip(reduced / largest, -1, 1) * LARGEST)
    return Place(name, values)


def first_components(points: np.ndarray, n_components: int) -> np.ndarray:
    """Return the first principal components of points (M, d), (M, n_components); of fewer numbers all, and zeros."""
    used = min(n_components, *points.shape)
    with threadpool_limits(1):
        components = PCA(used, svd_solver="full" if used == min(points.shape) else "covariance_eigh").fit_transform(
            points
        )
    return np.pad(components, ((0, 0), (0, n_components - used)))
