"""Run many restarts of k-means on one thread with a compiled kernel.

The kernel is called through ctypes, which releases Python's interpreter lock, so that threads run in parallel.
"""

import ctypes as ct

import numpy as np

from workflow_scripts import kmeans_kernels
from workflow_scripts.clusterers.kmeans.problem import Batch, Problem, Result

TILE = 32
"""Number of points in a tile, which is a block of points in the memory layout of the kernels."""
ROW_PAD = 8
"""Rows in double precision are filled up with zeros until their length is a multiple of this."""
CACHE_DISTANCES_UP_TO = 5000
"""Largest number of points for which the distances of all pairs are kept in memory."""
CACHE_GRAM_UP_TO = 4000
"""Largest number of points for which the inner products of all pairs are kept in memory."""
CACHE_GRAM_FROM_FEATURES = 32
"""Smallest number of features for which the inner products are kept in memory."""
FITS_IN_CACHE = 2**20
"""Number of bytes that fit into a core's cache."""
SIDE_BY_SIDE = 8
"""Number of restarts that share what is fetched of the points if these do not fit into the cache."""
LEFT_OUT = 0.2
"""Heads leave out less than this share of the points' squared norms, divided by k; measured with 1800 x 1000 points."""


class NativeBackend:
    """The points in the memory layout of the kernels, with matrices that are computed once and used by all restarts.

    The squared distances of all pairs of points (float32) are kept if N <= 5000; they make the choice of the first
    centres fast. The inner products of all pairs are kept too if d >= 32 and N <= 4000; they make it fast to move a
    point to another cluster. Both are kept only if they fit into `max_memory` bytes. If the points do not fit into a
    core's cache (1 MiB), eight restarts run side by side on each tile of points. If few leading features, such as the
    first principal components, hold nearly all of the variance, only these heads of the points are compared, with a
    bound for what they leave out. None of this changes a result.
    """

    def __init__(self, problem: Problem, max_memory: int, kernel: kmeans_kernels.Kernel) -> None:
        self._kernel = kernel
        n, d = problem.X.shape
        tiles = -(-n // TILE)
        self._n, self._d, self._padded = n, d, tiles * TILE
        self._max_memory = max_memory
        self._rows = _aligned((n, -(-d // ROW_PAD) * ROW_PAD), np.float64)
        self._rows[:, :d] = problem.X
        self._tiled = _tiled(problem.X)
        self._norm = _aligned((self._padded,), np.float32)
        squared_norms = np.einsum("ij,ij->i", problem.X, problem.X)
        self._norm[:n] = np.nextafter(np.sqrt(squared_norms).astype(np.float32), np.float32(np.inf))
        self._squares_from = np.einsum("ij,ij->j", problem.X, problem.X)[::-1].cumsum()[::-1]
        self._heads: dict[int, np.ndarray] = {}
        self._points = kmeans_kernels.Points(
            n,
            d,
            self._rows.shape[1],
            tiles,
            squared_norms.sum(),
            _address(self._rows),
            _address(self._tiled),
            _address(self._norm),
        )
        self._distance = self._gram = None
        matrix = 4 * n * self._padded
        if n <= CACHE_DISTANCES_UP_TO and matrix <= max_memory:
            self._distance = self._distances()
            self._points.distance = _address(self._distance)
        if d >= CACHE_GRAM_FROM_FEATURES and n <= CACHE_GRAM_UP_TO and 2 * matrix <= max_memory:
            self._gram = _gram(problem.X, self._padded)
            self._points.gram = _address(self._gram)
        self._side_by_side = SIDE_BY_SIDE if self._tiled.nbytes > FITS_IN_CACHE else 1

    def chunk(self, k: int) -> int:
        """Return the number of restarts with k clusters that take about a tenth of a second, but fill all places."""
        rounds = round(2e8 / (self._n * self._d * k + 1e5) / self._side_by_side)
        return min(max(rounds, 1), 256 // self._side_by_side) * self._side_by_side

    def run(self, batch: Batch, stop: ct.c_int32) -> Result:
        """Run the restarts of `batch` on this thread; `stop` is described in `problem.Backend`.

        Raises `MemoryError` if the kernel gets no memory.
        """
        restarts, k = batch.restarts, batch.k
        inertia = np.empty(restarts)
        n_iter = np.empty(restarts, np.int32)
        converged = np.empty(restarts, np.uint8)
        centers = np.empty((k, self._rows.shape[1]))
        settled = ct.c_int64()
        start_centers = None
        if batch.start_centers is not None:
            start_centers = np.zeros((restarts, k, self._rows.shape[1]))
            start_centers[:, :, : self._d] = batch.start_centers
        keep_products = 4 * k * self._padded * self._side_by_side <= self._max_memory // 8
        arguments = kmeans_kernels.Restarts(
            restarts, k, batch.trials, batch.max_iter, keep_products, self._side_by_side, batch.tol,
            *(_address(a) for a in (batch.draws, batch.start_points, start_centers)), ct.addressof(stop),
            *(_address(a) for a in (inertia, n_iter, converged, batch.labels)),
            batch.labels.itemsize, batch.keep_all, _address(centers), ct.addressof(settled),
        )  # fmt: skip
        heads = self.heads_for(k)
        points = kmeans_kernels.Points.from_buffer_copy(self._points)
        if heads is not None:
            points.width, points.heads = heads.shape[1], _address(heads)
        if self._kernel.run(ct.byref(points), ct.byref(arguments)):
            raise MemoryError(f"k-means with k={k} on {self._n} x {self._d} points")
        return Result(inertia, n_iter, converged.astype(bool), centers[:, : self._d], settled.value)

    def heads_for(self, k: int) -> np.ndarray | None:
        """Return the shortest heads that leave out little for k clusters, or None if none up to d / 4 features do."""
        counts = np.arange(16, self._d // 4 + 1, 16)
        enough = counts[k * self._squares_from[counts] < LEFT_OUT * self._squares_from[0]]
        if not len(enough):
            return None
        count = int(enough[0])
        if count not in self._heads:
            self._heads[count] = _heads(self._rows[:, : self._d], count)
        return self._heads[count]

    def _distances(self) -> np.ndarray:
        out = _aligned((self._n, self._padded), np.float32)
        if self._kernel.distances(ct.byref(self._points), 0, self._n, _address(out)):
            raise MemoryError(f"distances of {self._n} points")
        return out


def _address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


def _aligned(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Return an array of zeros whose memory starts at a multiple of 64 bytes."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + size].view(dtype).reshape(shape)


def _tiled(X: np.ndarray) -> np.ndarray:
    """Return the points (N, d) in tiles, (tiles, d, TILE) float32; the last tile is filled up with zeros."""
    n, d = X.shape
    out = _aligned((-(-n // TILE), d, TILE), np.float32)
    whole = n // TILE
    out[:whole] = X[: whole * TILE].reshape(whole, TILE, d).transpose(0, 2, 1)
    if n % TILE:
        out[whole, :, : n % TILE] = X[whole * TILE :].T
    return out


def _heads(X: np.ndarray, count: int) -> np.ndarray:
    """Return the leading features of the points (N, d) and the norm of the others, (tiles, count + 1, TILE) float32."""
    tails = np.sqrt(np.einsum("ij,ij->i", X[:, count:], X[:, count:])).astype(np.float32)
    return _tiled(np.column_stack([X[:, :count], np.nextafter(tails, np.float32(np.inf))]))


def _gram(X: np.ndarray, padded: int) -> np.ndarray:
    """Return the inner products of all pairs of points (N, d), (N, padded) float32; columns from N on are zero.

    They are computed in double precision and rounded once.
    """
    out = _aligned((len(X), padded), np.float32)
    for start in range(0, len(X), 512):
        out[start : start + 512, : len(X)] = X[start : start + 512] @ X.T
    return out
