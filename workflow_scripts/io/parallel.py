"""Apply a function to many items in several processes or threads; results keep the order, and memory is bounded."""

import ctypes
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Forked workers start at once and, unlike spawned ones, do not run the job's script a second time.
_CONTEXT = get_context("fork")
_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of linux/prctl.h; without it the workers of a killed job would wait for ever."""


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, batch: int = 1
) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order, computed by `workers` processes with one math thread each.

    Items are sent to the workers in lists of `batch`. At most two such lists per worker are computed before the caller
    asks for their results, which bounds memory. The results do not depend on `workers` or `batch`. An exception in a
    worker is raised here too. Raises `UserError` if the system kills a worker.
    """
    remaining = iter(items)
    chunks = iter(lambda: list(islice(remaining, batch)), [])
    pool = ProcessPoolExecutor(workers, _CONTEXT, initializer=_begin_worker)
    try:
        for results in _bounded(lambda chunk: pool.submit(_apply, function, chunk), chunks, 2 * workers):
            yield from results
    except BrokenProcessPool:
        raise UserError(
            "a process was killed by the system, most likely for lack of memory; run fewer jobs at once (--cores), or "
            "on a machine with more memory"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def threaded_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield `function(item)` for each item, in order, computed by `workers` threads that use one torch thread each.

    At most two items per worker are computed before the caller asks for their results.
    """
    import torch  # takes two seconds to import

    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from _bounded(lambda item: pool.submit(function, item), items, 2 * workers)


def _bounded(submit: Callable[[Item], Future[Result]], items: Iterable[Item], most_waiting: int) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(submit(item))
        if len(waiting) > most_waiting:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _begin_worker() -> None:
    threadpool_limits(1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
