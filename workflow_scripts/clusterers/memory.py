"""Check, before a method starts, that the machine has enough memory and that the method will not take too long."""

import os

import numpy as np

from workflow_scripts.errors import UserError

GIB = 2**30
LONGEST_MINUTES = 60
"""Longest time that a clustering may take. Methods that do not call `need_time` take seconds."""


def need_memory(method: str, n_bytes: int, instead: str) -> None:
    """Raise `UserError` if `n_bytes` are more than this machine's memory.

    `method` is the name of the method in the message, and `instead` the end of the message, which says what to do.
    """
    available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n_bytes > available:
        raise UserError(
            f"config: clusterers: {method} needs {n_bytes:,} bytes ({n_bytes / GIB:.1f} GiB) of memory, "
            f"this machine has {available / GIB:.1f} GiB; {instead}"
        )


def need_time(method: str, points: np.ndarray, microseconds: float, instead: str) -> None:
    """Raise `UserError` if `method` would take longer than `LONGEST_MINUTES` for `points` (N, d).

    `microseconds` is the time for one pair of points in 50 dimensions on one core; the estimate grows with N² and with
    d. `instead` is the end of the message, which says what to do.
    """
    n, d = points.shape
    minutes = microseconds * 1e-6 * n**2 * (50 + d) / 100 / 60
    if minutes > LONGEST_MINUTES:
        raise UserError(
            f"config: clusterers: {method} of {n} images in {d} dimensions takes about {minutes / 60:.1f} hours, "
            f"allowed: {LONGEST_MINUTES / 60:.0f}; {instead}"
        )


def need_images(key: str, least: int, points: np.ndarray) -> None:
    """Raise `UserError` if `least`, the value of the setting `key`, is larger than the number N of `points` (N, d)."""
    if least > len(points):
        message = f"found {least}, allowed: at most the number of images, {len(points)}"
        raise UserError(f"config: clusterers: {key}: {message}")
