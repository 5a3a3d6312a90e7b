"""Density Peaks (Rodriguez & Laio 2014): centres are dense and far from all that is denser; any k from one run."""

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
"""Points of whose distances the cut-off is a quantile."""
_BYTES = 1 << 26  # of differences to neighbours at once; changes nothing else
_PEAKS = 64  # whose distances to all denser points are held at once


@dataclass(frozen=True)
class DecisionGraph:
    """`density` (N,) float64, `distance` (N,) to the nearest denser point, and that point's number `denser` (N,).

    Of equal densities the point that comes first is the denser. The densest point of all is its own `denser`, and its
    distance is that to the farthest point.
    """

    density: np.ndarray
    distance: np.ndarray
    denser: np.ndarray

    def cut(self, k: int) -> np.ndarray:
        """Return the clusters of the k best centres, numbered in their order, (N,): each point is of its denser's
        cluster."""
        centres = best_centres(self.density, self.distance)[:k]
        parents = self.denser.copy()
        parents[centres] = centres
        number = np.empty(len(parents), dtype=np.intp)
        number[centres] = np.arange(k)
        return number[roots(parents)]


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k of the settings (those of `settings.DensityPeaks`), from one decision graph.

    The graph is stored with the first k. k clusters become k + 1 by splitting one.
    """
    graph = decision_graph(points, settings, seed(base_seed, "density_peaks"), n_threads)
    diagnostics = {"density": graph.density, "distance": graph.distance}
    for done, k in enumerate(settings["k"], 1):
        runs = Runs.single(graph.cut(k)[None])
        yield k, runs if done > 1 else replace(runs, diagnostics=diagnostics)
        progress(done, len(settings["k"]))


def decision_graph(
    points: np.ndarray, settings: Mapping[str, Any], its_seed: int = 0, n_threads: int = 1
) -> DecisionGraph:
    """Return density and distance to the nearest denser point of every point.

    Most points have a denser one among their `n_neighbors` nearest, and the first of these is the nearest of all. Only
    for the others, the local peaks, the points denser than the peak are searched (Coronica 2018, section 4.2.1).

    Parameters
    ----------
    points : (N, d) float64, N at least 2.
    settings : those of `settings.DensityPeaks`.
    its_seed : of the sample of points that the cut-off is taken from, where there are more than `SAMPLE`.
    """
    with threadpool_limits(n_threads):
        neighbours, distances = nearest(points, min(settings["n_neighbors"], len(points) - 1), n_threads)
    if settings["density"] == "knn":
        with np.errstate(divide="ignore"):  # points that are many times there
            density = 1 / distances[:, -1]
    else:
        density = _counts(points, _cutoff(points, settings["fraction"], its_seed))
    rank = _rank(density)
    denser = rank[neighbours] < rank[:, None]
    first = denser.argmax(axis=1)
    rows = np.arange(len(points))
    parent, distance = neighbours[rows, first], distances[rows, first]
    peaks = np.flatnonzero(~denser.any(axis=1))
    parent[peaks], distance[peaks] = _denser_than_peaks(points, rank, peaks)
    return DecisionGraph(density, distance, parent)


def best_centres(density: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return all points, the best centre first: by density times distance, of equals the denser.

    The densest point is always the first: no density is higher and no distance longer.
    """
    with np.errstate(invalid="ignore"):  # of equal points the density may be infinite and the distance 0
        product = np.where(distance > 0, density * distance, 0.0)
    return np.lexsort((_rank(density), -product))


def nearest(points: np.ndarray, n_neighbors: int, n_threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers (N, n) of each point's nearest neighbours, and the distances; of equals the lower number
    first.

    scikit-learn's search in many dimensions loses digits of short distances, so they are computed again.
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
    """Return the place of each point among all from the densest on, the first of equals before the next."""
    rank = np.empty(len(density), dtype=np.intp)
    rank[np.argsort(-density, kind="stable")] = np.arange(len(density))
    return rank


def _denser_than_peaks(points: np.ndarray, rank: np.ndarray, peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest denser point of each of the peaks, and the distance."""
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


def _cutoff(points: np.ndarray, fraction: float, its_seed: int) -> float:
    """Return the distance below which this fraction of the pairs are, of all or of a sample of points."""
    if len(points) > SAMPLE:
        points = points[np.random.default_rng(its_seed).choice(len(points), SAMPLE, replace=False)]
    # between two distances, so that none is equal to it but for ties
    return float(np.quantile(pdist(points), fraction, method="midpoint"))


def _counts(points: np.ndarray, cutoff: float) -> np.ndarray:
    """Return how many other points are nearer than the cut-off (Rodriguez & Laio 2014, equation 1)."""
    centred = points - points.mean(axis=0)
    counts = pairwise_distances_chunked(
        centred, reduce_func=lambda block, start: np.count_nonzero(block < cutoff, axis=1), working_memory=256
    )
    return np.maximum(np.concatenate(list(counts)) - 1.0, 0)  # without itself, which no cut-off of 0 counts
