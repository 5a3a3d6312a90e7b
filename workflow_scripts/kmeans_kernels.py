"""Find the compiled kernels of k-means that this processor can run, or say why there is none.

A kernel is the C code of k-means, compiled for one instruction set of the processor. Without one, k-means runs slowly.

The environment variable `CLUSTERGRID_KMEANS` forces the kernel of one instruction set (`avx512`, `avx2` or `base`), or
`torch`, which uses no kernel. It is meant for tests. Rules import this module, so it imports nothing heavy.
"""

import ctypes as ct
import importlib.machinery
import os
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from workflow_scripts.errors import UserError

FOLDER = Path(__file__).parent / "clusterers" / "kmeans"
"""The folder of the compiled kernels."""
VARIABLE = "CLUSTERGRID_KMEANS"
"""The environment variable that forces one of the kernels, or none (`torch`)."""
SLOW_PATH = "k-means takes the slow path (no compiled kernel): "
"""The beginning of the line that k-means writes to the log when it runs without a kernel."""
REMEDY = "run `make env`, with a C compiler"
"""What to do where no kernel was compiled, for messages."""
COST = "10 to 20 times as long"
"""How long restarts take without a kernel, measured with 347 x 20 to 20 000 x 50 points."""


class Points(ct.Structure):
    """The points as a kernel takes them: the C structure `struct points` of `_kernel.h`."""

    _fields_ = [
        *((name, ct.c_int64) for name in ("n", "d", "stride", "tiles")),
        ("scatter", ct.c_double),
        *((name, ct.c_void_p) for name in ("rows", "tiled", "norm", "distance", "gram", "heads")),
        ("width", ct.c_int64),
    ]


class Restarts(ct.Structure):
    """A batch of restarts as a kernel takes it: the C structure `struct batch` of `_kernel.h`."""

    _fields_ = [
        *((name, ct.c_int64) for name in ("restarts", "k", "trials", "max_iter", "keep_products", "side_by_side")),
        ("tol", ct.c_double),
        *((name, ct.c_void_p) for name in ("draws", "start_points", "start_centers", "stop")),
        *((name, ct.c_void_p) for name in ("inertia", "n_iter", "converged", "labels")),
        *((name, ct.c_int64) for name in ("label_bytes", "keep_all")),
        *((name, ct.c_void_p) for name in ("best_centers", "settled")),
    ]


class Kernel(ct.Structure):
    """A kernel, with its name and its functions: the C structure `struct kernel` of `_kernel.h`."""

    _fields_ = [
        ("name", ct.c_char_p),
        ("run", ct.CFUNCTYPE(ct.c_int, ct.POINTER(Points), ct.POINTER(Restarts))),
        ("distances", ct.CFUNCTYPE(ct.c_int, ct.POINTER(Points), ct.c_int64, ct.c_int64, ct.c_void_p)),
    ]


def kernels() -> dict[str, Kernel]:
    """Return the kernels that this processor can run, by instruction set, the fastest first.

    The environment variable `CLUSTERGRID_KMEANS` may name one kernel; then only this one is returned. If the variable
    is `torch`, the result is empty. Raises `UserError` if it names a kernel that cannot run here.
    """
    usable, _ = _compiled(FOLDER)
    forced = os.environ.get(VARIABLE)
    if not forced:
        return usable
    if forced not in (*usable, "torch"):
        raise UserError(f"{VARIABLE}: found {forced}, allowed here: {', '.join((*usable, 'torch'))}")
    return {name: kernel for name, kernel in usable.items() if name == forced}


def why_none() -> str:
    """Return why `kernels` returns no kernel, as the second half of a sentence."""
    return f"{VARIABLE} is torch" if os.environ.get(VARIABLE) else _compiled(FOLDER)[1]


@cache
def _compiled(folder: Path) -> tuple[dict[str, Kernel], str]:
    try:
        lookup = _library(folder).kmeans_kernel
    except OSError as error:
        return {}, str(error)
    lookup.restype = ct.POINTER(Kernel)
    usable: dict[str, Kernel] = {}
    while pointer := lookup(len(usable)):
        usable[pointer.contents.name.decode()] = pointer.contents
    return usable, ""


def _library(folder: Path) -> ct.CDLL:
    """Load the compiled library of the kernels from a folder.

    Raises `OSError` if there is no library, if it is damaged, or if the C sources in the folder were changed after it
    was compiled, because its structures may then be different.
    """
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    path = next((path for suffix in suffixes if (path := folder / f"_kernel{suffix}").exists()), None)
    if path is None:
        raise OSError("no kernel was compiled")
    try:
        library = ct.CDLL(str(path))
    except OSError:
        raise OSError(f"{path.name} is damaged or was compiled for another machine") from None
    sources = sha256(b"".join(source.read_bytes() for source in sorted(folder.glob("*.[ch]")))).hexdigest()
    try:
        compiled = (ct.c_char * len(sources)).in_dll(library, "kmeans_sources").value.decode()
    except ValueError:  # the library was compiled before the digest was added
        compiled = ""
    if compiled != sources:
        raise OSError(f"{path.name} was compiled from other sources than the present ones")
    return library


def check(folder: Path) -> None:
    """Exit with one line on stderr if `folder` has no usable kernel.

    The line says how slow k-means will be, why, and what to do.
    """
    usable, reason = _compiled(folder)
    if not usable:
        sys.exit(
            f"Restarts of k-means will take {COST}, because {reason}: install a C compiler (Debian: gcc libc6-dev) and "
            "run `make env` again"
        )


if __name__ == "__main__":
    check(FOLDER)
