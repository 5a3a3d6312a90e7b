"""Compute the distances of all pairs of points in blocks of rows."""

from collections.abc import Iterator

import numpy as np


def distance_blocks(points: np.ndarray, n_bytes: int) -> Iterator[np.ndarray]:
    """Yield the Euclidean distances of all pairs of `points` (N, d) float64 in blocks of rows, (n, N) float64.

    A block has at most `n_bytes` bytes, or one row. The distances equal those of scikit-learn's
    `pairwise_distances_chunked` to the last bit, without the second that its import takes. They are the square roots of
    |x|² - 2xy + |y|². This sum loses digits if the points are far from the origin, so centre them first.
    """
    squares = np.einsum("ij,ij->i", points, points)
    step = min(max(n_bytes // (8 * len(points)), 1), len(points))
    for start in range(0, len(points), step):
        block = points[start : start + step] @ points.T
        block *= -2
        block += squares[start : start + step, None]
        block += squares
        np.maximum(block, 0, out=block)
        np.sqrt(block, out=block)
        block.flat[start :: len(points) + 1] = 0
        yield block
