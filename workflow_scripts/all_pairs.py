"""Linkages and the distances of all pairs of points: which linkage needs them, and how many bytes they take.

Settings and clusterers share this module, so it uses the standard library only.
"""

FROM_POINTS = ("single", "centroid", "ward")
"""Linkages that need no matrix of distances: fastcluster's `linkage_vector` finds them from the points."""
MAX_MATRIX = 20_000
"""Points above which those do without the matrix, which then takes 3.2 GB with the copy that fastcluster makes."""
FEW_DIMENSIONS = 50
"""Numbers of a point up to which those are also faster without the matrix, or lose less than a second."""
PAIR_BYTES = 16
"""Of the distance of two points, and of the copy that fastcluster makes."""


def needs_matrix(linkage: str, n: int, d: int) -> bool:
    """Return whether `linkage` is computed from the distances of all pairs of n points in d dimensions."""
    return linkage not in FROM_POINTS or (n <= MAX_MATRIX and d > FEW_DIMENSIONS)


def matrix_bytes(n: int) -> int:
    """Return the bytes of the distances of all pairs of n points, while they are clustered."""
    return PAIR_BYTES * (n * (n - 1) // 2)
