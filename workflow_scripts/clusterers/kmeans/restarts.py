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
def run_restarts(  # type: ignore[misc]  # the overloads do not list the options
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
    """Run many restarts of Lloyd's k-means, each from its own first centres.

    A restart ends with the result that scikit-learn's KMeans(n_init=1) has from the same first centres. On a CPU a
    compiled kernel runs the restarts (`native`). It compares distances in single precision, and in double precision
    where rounding could change a label. On a GPU, and where no kernel was compiled, torch runs the restarts in batches
    (`torch_backend`), with the same bits on every machine. `native.NativeBackend` says which matrices are kept in
    memory.

    Parameters
    ----------
    X : (N, d) finite numbers.
    k : number of clusters, or a sequence of numbers. The result for a k does not depend on the others.
    restarts : number of restarts for each k and seed. The random numbers of restart r depend only on the seed and r.
    seed : an int, or a sequence of ints, one for each repeat.
    init :
        how the first centres are chosen: "k-means++" (greedy, with 2 + log k candidates, as in scikit-learn),
        "k-means++-plain" (with one candidate), "random" (k points), an integer array (R, k) of indices of points, or an
        array (R, k, d) of centres.
    max_iter : largest number of iterations of a restart.
    tol :
        a restart stops when the squared movement of the centres is at most `tol` times the mean variance of the
        features, as in scikit-learn; with 0 it runs until no label changes.
    dtype :
        the type that X is rounded to first (None: not rounded). With torch it is also the type of the matrix products
        that propose labels (None: float32); that changes the time but no result.
    device : "cpu", or a torch device such as "cuda".
    n_threads : number of restarts that run in parallel, each on one thread; it does not change the results.
    max_memory : number of bytes for matrices that are kept to save time.
    keep : "all" keeps the labels of all restarts, "best" those of the best restart of each seed.
    progress : a function that is called with the number of restarts that finished since its last call.

    Returns
    -------
    `Restarts`, or a list with one `Restarts` for each k if `k` is a sequence.

    Raises
    ------
    ValueError : if X or an option cannot be used.

    Warns
    -----
    ConvergenceWarning : if the best restart has fewer than k clusters.
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
        of_each_k = [OneK(problem, one_k, len(seeds), restarts, keep) for one_k in ks]
        starts = Starts(problem, seeds, init)
        parts = [part for of_k in of_each_k for part in of_k.parts(backend, n_threads)]
        for part, result in _run_parts(parts, backend, starts, max_iter, tol, n_threads):
            part.of_k.add(part, result)
            if progress:
                progress(len(part.restarts))
    results = [of_k.result(squeeze=np.ndim(seed) == 0) for of_k in of_each_k]
    return results[0] if np.ndim(k) == 0 else results


def _run_parts(
    parts: list[Part], backend: Backend, starts: Starts, max_iter: int, tol: float, n_threads: int
) -> Iterator[tuple[Part, Result]]:
    """Run the parts (some restarts of one k and seed) on `n_threads` threads, and yield each part with its result.

    Parts are yielded in the order in which they finish. If the caller is interrupted, the parts that are running stop.
    """
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
    """Return the code that runs k-means on `device`: the instruction set of a compiled kernel, or "torch"."""
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
