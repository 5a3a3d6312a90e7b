"""What every training of a network has: one thread, batches that depend on a seed alone, and a safe step."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from workflow_scripts.errors import UserError


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch and BLAS one math thread: the last bits of a matrix product depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def batches(n: int, size: int, seed: int) -> Iterator[Tensor]:
    """Yield the rows 0..n-1 in random order, in batches of at most `size`."""
    yield from torch.from_numpy(np.random.default_rng(seed).permutation(n)).split(size)


def step(optimiser: torch.optim.Optimizer, loss: Tensor, key: str) -> None:
    """Take one step down the gradient of a loss.

    Raises `UserError` that begins with the settings' `key` where the loss is not finite: there is no way down.
    """
    if not torch.isfinite(loss):
        raise UserError(f"{key}: the loss became {loss.item()}; try a lower learning_rate")
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
