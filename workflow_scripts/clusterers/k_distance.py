"""The sorted k-distance curve, its knee, and a test for a density gap (Ester et al. 1996, section 4.2)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.clusterers.memory import need_time
from workflow_scripts.clusterers.spanning_tree import spanning_tree

SEPARATED = 0.1
"""Smallest separation (see `Knee`) for which the knee is taken to separate clusters at all."""
SURE = 0.25
"""Smallest confidence that counts as a density gap: the radius may then grow by a third."""


@dataclass(frozen=True)
class Knee:
    """The knee of a k-distance curve.

    Attributes
    ----------
    curve : (N,) float64, the sorted distances.
    place : index of the knee in `curve`.
    eps : distance at the knee.
    height : distance of the curve, scaled to the unit square, below its chord at the knee: 0 for a straight line, 1 for
        a right angle (Satopää et al. 2011).
    separation : probability that two random core points are in different clusters at `eps`.
    confidence : 1 - eps / r, where r is the radius at which half of the separation is lost; 0 if the separation is
        below `SEPARATED`.
    """

    curve: np.ndarray
    place: int
    eps: float
    height: float
    separation: float
    confidence: float

    @property
    def is_gap(self) -> bool:
        """Return whether the knee lies below a density gap."""
        return self.confidence >= SURE


def k_distances(points: np.ndarray, min_samples: int) -> np.ndarray:
    """Return the distance of each point to neighbour number `min_samples` - 1, (N,); DBSCAN counts the point itself.

    It is the smallest radius at which the point is a core point.
    """
    return NearestNeighbors(n_neighbors=min(min_samples, len(points)) - 1).fit(points).kneighbors()[0][:, -1]


def find_knee(points: np.ndarray, min_samples: int) -> Knee:
    """Return the knee of the k-distance curve of `points` (N, d), and whether it lies below a density gap.

    The shape of the curve does not show a gap: the curves of two moons and of deep features bend alike. Therefore the
    clusters that DBSCAN would give are followed from the knee to larger radii, along the minimum spanning tree of
    mutual reachability. If there is a gap, the clusters stay apart while the radius grows; otherwise they merge at
    once.

    Raises `UserError` with the time needed if that is too much.
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
    """A minimum spanning tree: `edges` (N - 1, 2), `lengths` (N - 1,), and core distances `core` (N,)."""

    edges: np.ndarray
    lengths: np.ndarray
    core: np.ndarray

    def separation(self, eps: float) -> float:
        """Return the probability that two random core points are in different clusters of DBSCAN at `eps`."""
        starts, ends = self.edges[self.lengths <= eps].T
        links = coo_array((np.ones(len(starts)), (starts, ends)), shape=(len(self.core),) * 2)
        clusters = connected_components(links, directed=False)[1][self.core <= eps]
        return 1 - float(np.square(np.bincount(clusters) / len(clusters)).sum())

    def lost(self, eps: float, limit: float) -> float:
        """Return the smallest radius above `eps` with a separation of at most `limit`; bisect over the edges."""
        radii = np.unique(self.lengths[self.lengths > eps])
        low, high = 0, len(radii) - 1
        while low < high:
            middle = (low + high) // 2
            if self.separation(radii[middle]) <= limit:
                high = middle
            else:
                low = middle + 1
        return float(radii[low])
