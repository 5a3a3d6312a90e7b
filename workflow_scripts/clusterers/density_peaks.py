"""Density Peaks (Rodriguez & Laio 2014): a cluster centre has a high density and is far from all denser points."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.forest import roots
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed

SAMPLE = 2000
"""Largest number of points whose pairwise distances are used to choose the cut-off distance."""
_BYTES = 1 << 26  # size of one block of differences to neighbours; it does not change the result
_PEAKS = 64  # number of peaks whose distances to all denser points are in memory at once


@dataclass(frozen=True)
class DecisionGraph:
    """For every point its density, the nearest denser point, and the distance to that point.

    Attributes
    ----------
    density : (N,) float64; of two points with equal density, the one with the lower index counts as denser.
    distance : (N,) float64, the distance to the nearest denser point; for the densest point, to the farthest point.
    denser : (N,) integers, the index of the nearest denser point; for the densest point, its own index.
    """

    density: np.ndarray
    distance: np.ndarray
    denser: np.ndarray

    def cut(self, k: int) -> np.ndarray:
        """Return the labels 0..k-1 of all points, (N,), for k clusters around the k best centres (`best_centres`).

        Every other point is in the cluster of its nearest denser point.
        """
        centres = best_centres(self.density, self.distance)[:k]
        parents = self.denser.copy()
        parents[centres] = centres
        number = np.empty(len(parents), dtype=np.intp)
        number[centres] = np.arange(k)
        return number[roots(parents)]


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.DensityPeaks`; yields (k, the runs).

    The decision graph is computed once and used for every k. The runs of the first k have `density` and `distance` as
    diagnostics. From k to k + 1, one cluster is split and the others stay as they are.
    """
    graph = decision_graph(points, settings, seed(base_seed, "density_peaks"), n_threads)
    diagnostics = {"density": graph.density, "distance": graph.distance}
    for done, k in enumerate(settings["k"], 1):
        runs = Runs.single(graph.cut(k)[None])
        yield k, runs if done > 1 else replace(runs, diagnostics=diagnostics)
        progress(done, len(settings["k"]))


def decision_graph(
    points: np.ndarray, settings: Mapping[str, Any], sample_seed: int = 0, n_threads: int = 1
) -> DecisionGraph:
    """Return for every point its density, its nearest denser point, and the distance to that point.

    Most points have denser points among their `n_neighbors` nearest neighbours; the nearest of these is taken. For the
    other points (local peaks), all denser points are searched (Coronica 2018, section 4.2.1).

    Parameters
    ----------
    points : (N, d) float64, with N at least 2.
    settings : the settings of `settings.DensityPeaks`.
    sample_seed :
        seed of the random sample of points from which the cut-off distance is computed; there is a sample only if there
        are more than `SAMPLE` points.
    n_threads : number of threads of the search for neighbours.
    """
    with threadpool_limits(n_threads):
        neighbours, distances = nearest(points, min(settings["n_neighbors"], len(points) - 1), n_threads)
    if settings["density"] == "knn":
        with np.errstate(divide="ignore"):  # duplicate points have distance 0 and infinite density
            density = 1 / distances[:, -1]
    else:
        density = _counts(points, _cutoff(points, settings["fraction"], sample_seed))
    rank = _rank(density)
    denser = rank[neighbours] < rank[:, None]
    first = denser.argmax(axis=1)
    rows = np.arange(len(points))
    parent, distance = neighbours[rows, first], distances[rows, first]
    peaks = np.flatnonzero(~denser.any(axis=1))
    parent[peaks], distance[peaks] = _denser_than_peaks(points, rank, peaks)
    return DecisionGraph(density, distance, parent)


def best_centres(density: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return the indices (N,) of all points, sorted by `density` (N,) times `distance` (N,), the highest first.

    If products are equal, the denser point comes first. The densest point is always the first of all, because no other
    point has a higher density or a longer distance.
    """
    with np.errstate(invalid="ignore"):  # duplicate points may have infinite density and distance 0
        product = np.where(distance > 0, density * distance, 0.0)
    return np.lexsort((_rank(density), -product))


def nearest(points: np.ndarray, n_neighbors: int, n_threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices (N, n_neighbors) of each point's nearest neighbours, and their distances (N, n_neighbors).

    A point is not its own neighbour. Neighbours at equal distance are sorted by index. Distances are computed from the
    differences of coordinates, because scikit-learn's search loses digits of short distances in many dimensions.
    """
    search = NearestNeighbors(n_neighbors=n_neighbors, n_jobs=n_threads).fit(points)
    neighbours = search.kneighbors(return_distance=False)
    distances = np.empty(neighbours.shape)
    step = max(1, _BYTES // (points[0].nbytes * n_neighbors))
    for start in range(0, len(points), step):
        rows = slice(start, start + step)
        distances[rows] = np.linalg.norm(points[rows, None] - points[neighbours[rows]], axis=2)
    order = np.lexsort((neighbours, distances))
    return np.take_along_axis(neighbours, order, axis=1), np.take_along_axis(distances, order, axis=1)


def _rank(density: np.ndarray) -> np.ndarray:
    """Return the rank (N,) of each point by density, 0 for the densest; if densities are equal, by index."""
    rank = np.empty(len(density), dtype=np.intp)
    rank[np.argsort(-density, kind="stable")] = np.arange(len(density))
    return rank


def _denser_than_peaks(points: np.ndarray, rank: np.ndarray, peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each peak the index of the nearest denser point, and the distance to it, both (peaks,).

    `peaks` are indices of points, and `rank` (N,) comes from `_rank`. For the densest point, see `DecisionGraph`.
    """
    by_density = np.argsort(rank)
    parents, distances = np.empty(len(peaks), dtype=np.intp), np.empty(len(peaks))
    in_order = np.argsort(rank[peaks])
    for start in range(0, len(peaks), _PEAKS):
        places = in_order[start : start + _PEAKS]
        denser = np.sort(by_density[: rank[peaks[places]].max()])
        between = cdist(points[peaks[places]], points[denser])
        between[rank[denser] >= rank[peaks[places], None]] = np.inf
        parents[places] = denser[between.argmin(axis=1)] if len(denser) else peaks[places]
        distances[places] = between.min(axis=1, initial=np.inf)
    top = rank[peaks].argmin()
    parents[top] = peaks[top]
    distances[top] = cdist(points[peaks[top], None], points).max()
    return parents, distances


def _cutoff(points: np.ndarray, fraction: float, sample_seed: int) -> float:
    """Return the quantile `fraction` of the distances of all pairs of points; of a sample if there are many points."""
    if len(points) > SAMPLE:
        points = points[np.random.default_rng(sample_seed).choice(len(points), SAMPLE, replace=False)]
    # the midpoint between two distances: so the cut-off equals no distance, unless these two are equal
    return float(np.quantile(pdist(points), fraction, method="midpoint"))


def _counts(points: np.ndarray, cutoff: float) -> np.ndarray:
    """Return for each point the number of other points nearer than the cut-off, (N,) float64.

    Source: Rodriguez & Laio 2014, equation 1.
    """
    centred = points - points.mean(axis=0)
    counts = pairwise_distances_chunked(
        centred, reduce_func=lambda block, start: np.count_nonzero(block < cutoff, axis=1), working_memory=256
    )
    return np.maximum(np.concatenate(list(counts)) - 1.0, 0)  # the point itself is counted unless the cut-off is 0
