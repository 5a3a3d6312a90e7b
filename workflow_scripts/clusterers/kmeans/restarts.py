"""Run thousands of independent k-means restarts on the same points and keep the result of each."""

import ctypes as ct
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers.kmeans import native
from workflow_scripts.clusterers.kmeans.checks import check_options, check_points
from workflow_scripts.clusterers.kmeans.problem import Backend, Problem, Result
from workflow_scripts.clusterers.kmeans.results import OneK, Part, Restarts
from workflow_scripts.clusterers.kmeans.starts import Starts
from workflow_scripts.kmeans_kernels import REMEDY, SLOW_PATH, kernels, why_none

log = logging.getLogger(__name__)


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
    X = check_points(X)
    ks, seeds = ([int(value) for value in np.atleast_1d(values)] for values in (k, seed))
    check_options(X.shape, ks, restarts, init, max_iter, keep)
    if dtype is not None:
        X = X.astype(dtype)
    problem = Problem.of(X)
    tol *= problem.X.var(axis=0).mean()
    with threadpool_limits(1):
        backend = _backend(problem, dtype, device, max_memory)
        studies = [OneK(problem, one_k, len(seeds), restarts, keep) for one_k in ks]
        starts = Starts(problem, seeds, init)
        parts = [part for study in studies for part in study.parts(backend, n_threads)]
        for part, result in _run_parts(parts, backend, starts, max_iter, tol, n_threads):
            part.study.add(part, result)
            if progress:
                progress(len(part.restarts))
    results = [study.result(squeeze=np.ndim(seed) == 0) for study in studies]
    return results[0] if np.ndim(k) == 0 else results


def _run_parts(
    parts: list[Part], backend: Backend, starts: Starts, max_iter: int, tol: float, n_threads: int
) -> Iterator[tuple[Part, Result]]:
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
