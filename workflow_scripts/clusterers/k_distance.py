"""Find the knee of the sorted k-distance curve, and test it for a density gap (Ester et al. 1996, section 4.2).

The k-distance of a point is the smallest radius at which DBSCAN counts it as a core point. The knee is the place where
the curve turns from flat to steep. A density gap means that clusters stay separate if the radius grows from there.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.clusterers.memory import need_time
from workflow_scripts.clusterers.spanning_tree import spanning_tree

SEPARATED = 0.1
"""Smallest separation (see `Knee`) that counts as more than one cluster; below it, the confidence is 0."""
SURE = 0.25
"""Smallest confidence that counts as a density gap: the radius can grow by a third before half of the separation is
lost."""


@dataclass(frozen=True)
class Knee:
    """The knee of a k-distance curve: the place where the sorted k-distances of all points begin to rise fast.

    The k-distance of a point is the smallest radius at which DBSCAN counts it as a core point.

    Attributes
    ----------
    curve : (N,) float64, the k-distances of all points in ascending order.
    place : index of the knee in `curve`.
    eps : the k-distance at the knee.
    height :
        how far the curve at the knee lies below the straight line between the curve's ends; both axes are scaled to 0
        to 1 first. It is 0 for a straight line and 1 for a right angle (Satopää et al. 2011).
    separation : probability that two random core points are in different clusters of DBSCAN with the radius `eps`.
    confidence :
        1 - eps / r, where r is the radius at which half of the separation is lost; 0 if the separation is below
        `SEPARATED`.
    """

    curve: np.ndarray
    place: int
    eps: float
    height: float
    separation: float
    confidence: float

    @property
    def is_gap(self) -> bool:
        """Return whether there is a density gap above the knee: whether the confidence is at least `SURE`."""
        return self.confidence >= SURE


def k_distances(points: np.ndarray, min_samples: int) -> np.ndarray:
    """Return for each point the smallest radius at which it is a core point of DBSCAN, (N,) float64.

    It is the distance to neighbour number `min_samples` - 1, because DBSCAN counts the point itself too.
    """
    return NearestNeighbors(n_neighbors=min(min_samples, len(points)) - 1).fit(points).kneighbors()[0][:, -1]


def find_knee(points: np.ndarray, min_samples: int) -> Knee:
    """Return the knee of the k-distance curve of `points` (N, d), with its confidence that there is a density gap.

    The shape of the curve alone does not show a gap: data with and without clusters can have the same curve. Therefore
    the clusters of DBSCAN are computed at the knee and at larger radii, from the minimum spanning tree of mutual
    reachability. If there is a gap, the clusters stay separate while the radius grows; otherwise they merge at once.

    Raises `UserError` if this would take too long.
    """
    need_time("the knee of the k-distance curve", points, 0.2, "try fewer images, or eps as a number")
    core = k_distances(points, min_samples)
    curve = np.sort(core)
    sag = np.linspace(0, 1, len(curve)) - (curve - curve[0]) / max(curve[-1] - curve[0], np.finfo(float).tiny)
    place = int(sag.argmax())
    eps = max(float(curve[place]), np.finfo(float).tiny)
    tree = _Tree(*spanning_tree(lambda a, b: cdist(points[a], points[b]), np.arange(len(points)), core), core)
    separation = tree.separation(eps)
    confidence = 1 - eps / tree.lost(eps, separation / 2) if separation >= SEPARATED else 0.0
    return Knee(curve, place, eps, float(sag[place]), separation, confidence)


@dataclass(frozen=True)
class _Tree:
    """A minimum spanning tree of mutual reachability (`spanning_tree`), from which clusters of DBSCAN are read.

    It has `edges` (N - 1, 2) integers, their `lengths` (N - 1,), and the k-distances `core` (N,) of all points.
    """

    edges: np.ndarray
    lengths: np.ndarray
    core: np.ndarray

    def separation(self, eps: float) -> float:
        """Return the probability that two random core points are in different clusters of DBSCAN with radius `eps`."""
        starts, ends = self.edges[self.lengths <= eps].T
        links = coo_array((np.ones(len(starts)), (starts, ends)), shape=(len(self.core),) * 2)
        clusters = connected_components(links, directed=False)[1][self.core <= eps]
        return 1 - float(np.square(np.bincount(clusters) / len(clusters)).sum())

    def lost(self, eps: float, limit: float) -> float:
        """Return the smallest radius above `eps` at which `separation` returns at most `limit`.

        Only the lengths of the tree's edges are tried as radii, by bisection.
        """
        radii = np.unique(self.lengths[self.lengths > eps])
        low, high = 0, len(radii) - 1
        while low < high:
            middle = (low + high) // 2
            if self.separation(radii[middle]) <= limit:
                high = middle
            else:
                low = middle + 1
        return float(radii[low])
