"""Methods that need all pairs of points at once, and say so before they begin."""

import os

from workflow_scripts.errors import UserError

GIB = 2**30


def need_memory(method: str, n_bytes: int, instead: str) -> None:
    """Raises `UserError` if `method` needs more bytes than this machine has; `instead` is what would run."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n_bytes > there:
        raise UserError(
            f"config: clusterers: {method} needs {n_bytes:,} bytes ({n_bytes / GIB:.1f} GiB) of memory, "
            f"this machine has {there / GIB:.1f} GiB; {instead}"
        )
