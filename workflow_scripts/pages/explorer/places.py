"""Store in few bytes where images are on a map, and the points between which the page computes distances."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from workflow_scripts.reduce.pca import MAX_EXACT, fit_pca

NOWHERE = 65535
"""The value of both coordinates of an image that a map does not show."""
WIDEST = 64
"""Largest dimension of the points on the page. Wider points are reduced to this number of principal components."""
LARGEST = 127


@dataclass(frozen=True)
class Place:
    """A map or a set of points, with a name and a row for each of N images.

    `values` are the coordinates on a map, (N, 2) or (N, 3) uint16, or the points, (N, d) int8.
    """

    name: str
    values: np.ndarray


def map_of(name: str, coordinates: np.ndarray, rows: np.ndarray, n: int) -> Place:
    """Return a map with coordinates from 0 to 65534, centred, and with the same scale on all axes; y points down.

    `coordinates` (M, 2) or (M, 3) belong to the images with the indices `rows` (M,). There are `n` images; the others
    get `NOWHERE`.
    """
    coordinates = coordinates * (1, -1, 1)[: coordinates.shape[1]]
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    scale = (NOWHERE - 1) / ((high - low).max() or 1.0)
    values = np.full((n, coordinates.shape[1]), NOWHERE, dtype=np.uint16)
    values[rows] = np.rint((coordinates - (low + high) / 2) * scale + (NOWHERE - 1) / 2)
    return Place(name, values)


def along_a_curve(place: Place) -> np.ndarray:
    """Return the indices of all images, (N,), sorted along a Z-order curve (Morton 1966): images that are close
    together on the map are mostly close together in this order."""
    x, y = place.values[:, :2].astype(np.uint64).T
    code = np.zeros(len(x), dtype=np.uint64)
    for bit in range(16):
        code |= (x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1
    return np.argsort(code, kind="stable")


def points_of(name: str, points: np.ndarray, rows: np.ndarray, n: int) -> Place:
    """Return points as int8: centred, reduced to `WIDEST` components if they have more features, and scaled by one
    number.

    `points` (M, d) belong to the images with the indices `rows` (M,). There are `n` images; the others get 0. The
    largest 0.1 % of the absolute values are clipped, because outliers would leave few integer steps for the other
    values. Apart from the reduction, the clipping and the rounding, distances keep their order.
    """
    reduced = narrow(points)
    reduced = reduced - reduced.mean(axis=0)
    largest = np.quantile(np.abs(reduced), 0.999) or 1.0
    values = np.zeros((n, reduced.shape[1]), dtype=np.int8)
    values[rows] = np.rint(np.clip(reduced / largest, -1, 1) * LARGEST)
    return Place(name, values)


def narrow(points: np.ndarray) -> np.ndarray:
    """Return points (M, d) with at most `WIDEST` dimensions: their first principal components if they have more."""
    return first_components(points, WIDEST) if points.shape[1] > WIDEST else points


def first_components(points: np.ndarray, n_components: int) -> np.ndarray:
    """Return the first principal components of points (M, d), (M, n_components). If there are fewer, the other columns
    are 0."""
    used = min(n_components, *points.shape)
    if used < len(points) and points.shape[1] > MAX_EXACT:  # a covariance (d, d) of whole maps would take 60 GB
        components = np.concatenate([chunk for _, chunk in fit_pca(points, max_components=used).transform(points)])
    else:
        solver = "full" if used == min(points.shape) else "covariance_eigh"
        with threadpool_limits(1):
            components = PCA(used, svd_solver=solver).fit_transform(points)
    return np.pad(components, ((0, 0), (0, n_components - components.shape[1])))
