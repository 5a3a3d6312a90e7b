"""Check the points and options of k-means, and raise `ValueError` if they cannot be used."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

INITS = ("k-means++", "k-means++-plain", "random")


def check_points(X: ArrayLike) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}: k-means needs a table with rows and columns")
    if X.dtype.kind not in "fiub":
        raise ValueError(f"X has dtype {X.dtype}: k-means needs real numbers")
    if X.dtype.kind == "f" and not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X holds {X[row, column]} in row {row}, column {column}: k-means needs finite numbers")
    return X


def check_options(
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
