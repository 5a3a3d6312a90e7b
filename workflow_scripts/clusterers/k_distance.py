"""The sorted k-distance curve, its knee, and whether there is a density gap to cut on (Ester et al. 1996, 4.2)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.clusterers.memory import need_time
from workflow_scripts.clusterers.spanning_tree import spanning_tree

SEPARATED = 0.1
"""Least chance that two clustered images are in different clusters, for the knee to separate anything."""
SURE = 0.25
"""Least confidence for a density gap: the radius may grow by a third."""


@dataclass(frozen=True)
class Knee:
    """The knee of a k-distance curve.

    `curve` (N,) sorted distances, `place` of the knee in it, `eps` there. `height` is how far the curve, scaled to the
    unit square, sags below its chord at the knee: 0 for a straight line, 1 for a right angle (Satopää et al. 2011).
    `separation` is the chance that two clustered images are in different clusters at `eps`, and `confidence` how sure
    the cut is: 1 - eps / (the radius at which half of the separation is gone), 0 if there is none to lose.
    """

    curve: np.ndarray
    place: int
    eps: float
    height: float
    separation: float
    confidence: float

    @property
    def is_gap(self) -> bool:
        """Return whether there is a density gap to cut on."""
        return self.confidence >= SURE


def k_distances(points: np.ndarray, min_samples: int) -> np.ndarray:
    """Return each point's distance to neighbour number `min_samples` - 1, (N,): DBSCAN counts the point itself.

    It is the radius from which on the point is a core point.
    """
    return NearestNeighbors(n_neighbors=min(min_samples, len(points)) - 1).fit(points).kneighbors()[0][:, -1]


def find_knee(points: np.ndarray, min_samples: int) -> Knee:
    """Return the knee of the k-distance curve of `points` (N, d), and whether it lies below a density gap.

    How the curve bends does not tell: those of two moons and of deep features bend alike. So what DBSCAN would give is
    followed from the knee upwards, along the minimum spanning tree of mutual reachability: with a gap the same clusters
    stay apart while the radius grows; without one they run together at once, or are one already.

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
    """Minimum spanning tree: `edges` (N - 1, 2), their `lengths` (N - 1,) and the points' core distances (N,)."""

    edges: np.ndarray
    lengths: np.ndarray
    core: np.ndarray

    def separation(self, eps: float) -> float:
        """Return the chance that two core points, drawn with replacement, are in different clusters of DBSCAN at
        `eps`."""
        starts, ends = self.edges[self.lengths <= eps].T
        links = coo_array((np.ones(len(starts)), (starts, ends)), shape=(len(self.core),) * 2)
        clusters = connected_components(links, directed=False)[1][self.core <= eps]
        return 1 - float(np.square(np.bincount(clusters) / len(clusters)).sum())

    def lost(self, eps: float, limit: float) -> float:
        """Return the smallest radius above `eps` at which the separation is at most `limit`: by bisection over the
        edges."""
        radii = np.unique(self.lengths[self.lengths > eps])
        low, high = 0, len(radii) - 1
        while low < high:
            middle = (low + high) // 2
            if self.separation(radii[middle]) <= limit:
                high = middle
            else:
                low = middle + 1
        return float(radii[low])
