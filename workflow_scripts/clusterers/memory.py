"""Methods that cannot run at a size say before they begin how much memory or time it would take."""

import os

import numpy as np

from workflow_scripts.errors import UserError

GIB = 2**30
LONGEST_MINUTES = 60
"""What a clustering may take; the other methods answer in seconds."""


def need_memory(method: str, n_bytes: int, instead: str) -> None:
    """Raise `UserError` if `method` needs more bytes than this machine has; `instead` is what would run."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n_bytes > there:
        raise UserError(
            f"config: clusterers: {method} needs {n_bytes:,} bytes ({n_bytes / GIB:.1f} GiB) of memory, "
            f"this machine has {there / GIB:.1f} GiB; {instead}"
        )


def need_time(method: str, points: np.ndarray, microseconds: float, instead: str) -> None:
    """Raise `UserError` if `method` takes too long; `instead` is what would run.

    `microseconds` is what it takes for each pair of points (N, d) in 50 dimensions on one core; it grows with d.
    """
    n, d = points.shape
    minutes = microseconds * 1e-6 * n**2 * (50 + d) / 100 / 60
    if minutes > LONGEST_MINUTES:
        raise UserError(
            f"config: clusterers: {method} of {n} images in {d} dimensions takes about {minutes / 60:.1f} hours, "
            f"allowed: {LONGEST_MINUTES / 60:.0f}; {instead}"
        )


def need_images(key: str, least: int, points: np.ndarray) -> None:
    """Raise `UserError` if there are fewer images than the value `least` of the setting `key` needs."""
    if least > len(points):
        message = f"found {least}, allowed: at most the number of images, {len(points)}"
        raise UserError(f"config: clusterers: {key}: {message}")
