"""Run thousands of independent k-means restarts on the same points and keep the result of each."""

import ctypes as ct
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers.kmeans import native, streams
from workflow_scripts.clusterers.kmeans.problem import Backend, Batch, Problem, Result
from workflow_scripts.kmeans_kernels import REMEDY, SLOW_PATH, kernels, why_none

log = logging.getLogger(__name__)

INITS = ("k-means++", "k-means++-plain", "random")


@dataclass(frozen=True)
class Restarts:
    """Results of all restarts. If a sequence of seeds was given, every shape has a leading axis of that length.

    Attributes
    ----------
    inertia : (R,) float64, sum of squared distances to the nearest centre, rounded to the 32 bits (relative 2e-10) that
        agree on every path and processor, so that restarts with the same solution have equal inertias.
    n_iter : (R,) int32, number of iterations, including the last one, which changed nothing.
    converged : (R,) bool, False if max_iter ended the restart.
    labels : (R, N) in the smallest unsigned type that holds k; (N,) of the best restart with keep="best".
    best : index of the lowest inertia, the first one of equals.
    best_centers : (k, d) float64.
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


@overload
def run_restarts(X: ArrayLike, k: int, restarts: int, seed: int | Sequence[int], **options: Any) -> Restarts: ...
@overload
def run_restarts(
    X: ArrayLike, k: Sequence[int], restarts: int, seed: int | Sequence[int], **options: Any
) -> list[Restarts]: ...
def run_restarts(  # type: ignore[misc]  # the overloads leave the options to this signature
    X: ArrayLike,
    k: int | Sequence[int],
    restarts: int,
    seed: int | Sequence[int],
    init: str | np.ndarray = "k-means++",
    max_iter: int = 300,
    tol: float = 0.0,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
    n_threads: int = 1,
    max_memory: int = 2**31,
    keep: Literal["all", "best"] = "all",
    progress: Callable[[int], None] | None = None,
) -> Restarts | list[Restarts]:
    """Run Lloyd's k-means from many starts.

    From the same centres each restart ends with the result of scikit-learn's KMeans(n_init=1). On a CPU a compiled
    kernel runs the restarts: it sweeps in single precision over the centres that moved, and decides in double precision
    where rounding could change a label. Where no kernel was compiled, and on a GPU, torch runs them in batches
    (`torch_backend`) and gives the same bits on every machine. Which matrices are cached depends on (N, d, k) and
    `max_memory` (see `native.NativeBackend`).

    Parameters
    ----------
    X : (N, d) finite numbers.
    k : number of clusters, or a list of them; each result is the same as for this k alone.
    restarts : number of restarts for each k and seed. Restart r of a seed depends only on (seed, r).
    seed : int, or a sequence of them for repeats.
    init : "k-means++" (greedy, 2 + log k candidates, as in scikit-learn), "k-means++-plain" (one candidate), "random"
        (k points), an integer array (R, k) of points, or an array (R, k, d) of centres.
    max_iter : largest number of iterations of a restart.
    tol : stop when the squared movement of the centres is below tol times the mean variance of the features, as in
        scikit-learn; 0 runs until no label changes.
    dtype : type that X is rounded to first (default float64). On the torch path also the type of the products that
        propose labels (default float32 on a GPU); this changes the time but no result.
    device : "cpu" or a torch device.
    n_threads : number of restarts that run in parallel, each on one thread; it does not change the results.
    max_memory : bytes for matrices that are cached to save time.
    keep : keep the labels of "all" restarts, or of the "best" one of each seed.
    progress : called with the number of restarts that finished since its last call.

    Returns
    -------
    `Restarts`, or a list of them if `k` is a sequence.

    Raises
    ------
    ValueError : if X or an option cannot be used.

    Warns
    -----
    ConvergenceWarning : if fewer than k clusters are found.
    """
    X = _check_points(X)
    ks, seeds = ([int(value) for value in np.atleast_1d(values)] for values in (k, seed))
    _check_options(X.shape, ks, restarts, init, max_iter, keep)
    if dtype is not None:
        X = X.astype(dtype)
    problem = Problem.of(X)
    tol *= problem.X.var(axis=0).mean()
    with threadpool_limits(1):
        backend = _backend(problem, dtype, device, max_memory)
        studies = [_Study(problem, one_k, len(seeds), restarts, keep) for one_k in ks]
        starts = _Starts(problem, seeds, init)
        parts = [part for study in studies for part in study.parts(backend, n_threads)]
        for part, result in _run_parts(parts, backend, starts, max_iter, tol, n_threads):
            part.study.add(part, result)
            if progress:
                progress(len(part.restarts))
    results = [study.result(squeeze=np.ndim(seed) == 0) for study in studies]
    return results[0] if np.ndim(k) == 0 else results


class _Study:
    """The results of one k, filled part by part."""

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

    def parts(self, backend: Backend, n_threads: int) -> Iterator["_Part"]:
        """Yield parts of the restarts that are small enough to share between the threads."""
        seeds, restarts = self.inertia.shape
        step = min(backend.chunk(self.k), -(-seeds * restarts // (2 * n_threads)))
        for row in range(seeds):
            for start in range(0, restarts, step):
                some = range(start, min(start + step, restarts))
                n = self.labels.shape[-1]
                labels = self.labels[row, start : some.stop] if self.keep_all else np.empty((1, n), self.labels.dtype)
                yield _Part(self, row, some, labels)

    def add(self, part: "_Part", result: Result) -> None:
        """Add the result of a part. The order does not matter: of equal inertias the first restart is the best."""
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
        """Return the finished arrays, without the axis of the seeds if `squeeze`."""
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
class _Part:
    """Some restarts of one k and one seed, and the array that their labels are written to."""

    study: _Study
    row: int
    restarts: range
    labels: np.ndarray


@dataclass(frozen=True)
class _Starts:
    """The starting points of all restarts."""

    problem: Problem
    seeds: list[int]
    init: str | np.ndarray

    def batch(self, part: _Part, max_iter: int, tol: float) -> Batch:
        """Return the part in the form that a backend takes."""
        k, some, seed = part.study.k, part.restarts, self.seeds[part.row]
        batch = Batch(len(some), k, max_iter, tol, part.labels, part.study.keep_all)
        if isinstance(self.init, np.ndarray):
            given = self.init[some.start : some.stop]
            if given.ndim == 2:
                return batch._replace(start_points=np.ascontiguousarray(given, np.int32))
            return batch._replace(start_centers=self.problem.inside(given))
        if self.init == "random":
            return batch._replace(start_points=streams.random_points(seed, some, k, len(self.problem.X)))
        trials = 2 + int(np.log(k)) if self.init == "k-means++" else 1
        return batch._replace(trials=trials, draws=streams.uniforms(seed, some, 1 + (k - 1) * trials))


def _run_parts(
    parts: list[_Part], backend: Backend, starts: _Starts, max_iter: int, tol: float, n_threads: int
) -> Iterator[tuple[_Part, Result]]:
    """Run the parts on `n_threads` threads and yield each when it is done; an interrupt also stops the running ones."""
    stop = ct.c_int32(0)
    pool = ThreadPoolExecutor(n_threads)
    try:
        futures = {
            pool.submit(lambda part: backend.run(starts.batch(part, max_iter, tol), stop), part): part for part in parts
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        stop.value = 1
        pool.shutdown(cancel_futures=True)


def path_on(device: str) -> str:
    """Return what runs k-means on this device: the instruction set of a compiled kernel, or "torch"."""
    return next(iter(kernels()), "torch") if device == "cpu" else "torch"


@cache
def _warn_once(why: str) -> None:
    log.warning("%s%s; %s", SLOW_PATH, why, REMEDY)


def _backend(problem: Problem, dtype: DTypeLike | None, device: str, max_memory: int) -> Backend:
    if (path := path_on(device)) != "torch":
        return native.NativeBackend(problem, max_memory, kernels()[path])
    if device == "cpu":
        _warn_once(why_none())
    from workflow_scripts.clusterers.kmeans.torch_backend import TorchBackend  # torch takes a second to import

    return TorchBackend(problem, dtype, device, max_memory)


def _smallest_type(k: int) -> type:
    return next(t for t in (np.uint8, np.uint16, np.uint32) if k - 1 <= np.iinfo(t).max)


def _check_points(X: ArrayLike) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}: k-means needs a table with rows and columns")
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X has dtype {X.dtype}: k-means needs real numbers")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X holds {X[row, column]} in row {row}, column {column}: k-means needs finite numbers")
    return X


def _check_options(
    shape: tuple[int, int], ks: Sequence[int], restarts: int, init: str | np.ndarray, max_iter: int, keep: str
) -> None:
    n, d = shape
    for k in ks:
        if not 1 <= k <= n:
            raise ValueError(f"k={k} but X has {n} points: k must be between 1 and the number of points")
    if restarts < 1 or max_iter < 1:
        raise ValueError(f"restarts={restarts}, max_iter={max_iter}: both must be at least 1")
    if keep not in ("all", "best"):
        raise ValueError(f"keep={keep!r}: it must be 'all' or 'best'")
    if isinstance(init, str):
        if init not in INITS:
            raise ValueError(f"init={init!r}: it must be one of {', '.join(INITS)}, or an array")
        return
    given = np.asarray(init)
    if given.shape not in {(restarts, k) for k in ks} | {(restarts, k, d) for k in ks} or len(ks) > 1:
        raise ValueError(f"init has shape {given.shape}: it must be (restarts, k) or (restarts, k, d), with one k only")
    if not np.isfinite(given).all():
        raise ValueError("init holds NaN or infinity")
    if given.ndim == 2 and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= n):
        raise ValueError(f"init holds points that do not exist: whole numbers from 0 to {n - 1}")
