"""Collect the results of k-means while restarts of several k and seeds run.

A part is some restarts of one k and one seed, which one thread runs.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workflow_scripts.clusterers.kmeans.problem import Backend, Problem, Result


@dataclass(frozen=True)
class Restarts:
    """The results of all restarts of one k. For a sequence of seeds, every array has one more axis, the first.

    Attributes
    ----------
    inertia :
        (R,) float64, sum of squared distances to the nearest centre. It is rounded to 32 bits, on which all processors
        agree; so restarts with the same solution have equal inertias.
    n_iter : (R,) int32, number of iterations. The last one changes nothing, unless max_iter ended the restart.
    converged : (R,) bool, False if max_iter ended the restart.
    labels :
        (R, N) in the smallest unsigned type that holds k - 1; with keep="best" (N,), the labels of the best restart.
    best : index of the restart with the lowest inertia; if several are equal, the first.
    best_centers : (k, d) float64, the centres of the best restart.
    """

    inertia: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray
    labels: np.ndarray
    best: int | np.ndarray
    best_centers: np.ndarray

    @property
    def best_labels(self) -> np.ndarray:
        """Return the labels of the best restart, (N,)."""
        if self.labels.ndim == self.inertia.ndim:
            return self.labels
        return self.labels[self.best] if self.inertia.ndim == 1 else self.labels[np.arange(len(self.labels)), self.best]


class OneK:
    """The results of all restarts of one k. The method `add` fills in the results of a part (some of the restarts)."""

    def __init__(self, problem: Problem, k: int, seeds: int, restarts: int, keep: str) -> None:
        n, d = problem.X.shape
        self.problem, self.k, self.keep_all = problem, k, keep == "all"
        self.inertia = np.empty((seeds, restarts))
        self.n_iter = np.empty((seeds, restarts), np.int32)
        self.converged = np.empty((seeds, restarts), bool)
        self.labels: np.ndarray = np.empty((seeds, restarts, n) if self.keep_all else (seeds, n), _smallest_type(k))
        self.best = np.zeros(seeds, np.intp)
        self.best_inertia = np.full(seeds, np.inf)
        self.best_centers = np.empty((seeds, k, d))

    def parts(self, backend: Backend, n_threads: int) -> Iterator["Part"]:
        """Yield the parts that the restarts are divided into, small enough to keep all threads busy."""
        seeds, restarts = self.inertia.shape
        step = min(backend.chunk(self.k), -(-seeds * restarts // (2 * n_threads)))
        for row in range(seeds):
            for start in range(0, restarts, step):
                some = range(start, min(start + step, restarts))
                n = self.labels.shape[-1]
                labels = self.labels[row, start : some.stop] if self.keep_all else np.empty((1, n), self.labels.dtype)
                yield Part(self, row, some, labels)

    def add(self, part: "Part", result: Result) -> None:
        """Add the result of a part.

        The order of the parts does not matter: if inertias are equal, the restart with the lowest number is the best.
        """
        row, where = part.row, slice(part.restarts.start, part.restarts.stop)
        self.inertia[row, where] = result.inertia
        self.n_iter[row, where] = result.n_iter
        self.converged[row, where] = result.converged
        best = int(result.inertia.argmin())
        if (result.inertia[best], part.restarts[best]) < (self.best_inertia[row], self.best[row]):
            self.best_inertia[row], self.best[row] = result.inertia[best], part.restarts[best]
            self.best_centers[row] = result.best_centers
            if not self.keep_all:
                self.labels[row] = part.labels[0]

    def result(self, squeeze: bool) -> Restarts:
        """Return the results, without the axis of the seeds if `squeeze`.

        Warns with `ConvergenceWarning` if the best restart has fewer than k clusters.
        """
        arrays = (
            self.inertia / self.problem.scale**2,
            self.n_iter,
            self.converged,
            self.labels,
            self.best,
            self.problem.outside(self.best_centers),
        )
        out = Restarts(*(array[0] for array in arrays)) if squeeze else Restarts(*arrays)
        n_clusters = min(len(np.unique(labels)) for labels in np.atleast_2d(out.best_labels))
        if n_clusters < self.k:
            from sklearn.exceptions import ConvergenceWarning  # takes a second to import

            message = f"k={self.k} but the best restart found {n_clusters} clusters: X may have too few distinct points"
            warnings.warn(message, ConvergenceWarning, stacklevel=3)
        return out


@dataclass(frozen=True)
class Part:
    """Some restarts of one k and one seed, which one thread runs.

    Attributes
    ----------
    of_k : the results of this k, to which the results of the part are added.
    row : index of the seed.
    restarts : numbers of the restarts.
    labels : the array into which the labels are written, as in `problem.Batch`.
    """

    of_k: OneK
    row: int
    restarts: range
    labels: np.ndarray


def _smallest_type(k: int) -> type:
    return next(t for t in (np.uint8, np.uint16, np.uint32) if k - 1 <= np.iinfo(t).max)
