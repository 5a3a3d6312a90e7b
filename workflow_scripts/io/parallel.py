"""An ordered, memory-bounded map over processes."""

import ctypes
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

# Forked workers start at once and, unlike spawned ones, do not run the job's script a second time.
_CONTEXT = get_context("fork")
_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of linux/prctl.h: otherwise workers of a killed job wait for ever."""


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, batch: int = 1
) -> Iterator[Result]:
    """`function` of each item, in the items' order, computed by `workers` processes with one math thread each.

    Items travel in lists of `batch`; at most two such lists per worker are ahead of the reader, which bounds memory.
    The results do not depend on `workers` or `batch`. An exception in a worker is raised here.
    """
    pool = ProcessPoolExecutor(workers, _CONTEXT, initializer=_begin_worker)
    waiting: deque[Future[list[Result]]] = deque()
    remaining = iter(items)
    try:
        while chunk := list(islice(remaining, batch)):
            waiting.append(pool.submit(_apply, function, chunk))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _apply(function: Callable[[Item], Result], chunk: list[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _begin_worker() -> None:
    threadpool_limits(1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
