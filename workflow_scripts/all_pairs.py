"""Decide which linkages need the distances of all pairs of points, and count the bytes of these distances.

Settings and clusterers share this module, so it uses the standard library only.
"""

FROM_POINTS = ("single", "centroid", "ward")
"""Linkages that fastcluster's `linkage_vector` computes from the points, without a matrix of distances."""
MAX_MATRIX = 20_000
"""Largest number of points for which the linkages `FROM_POINTS` use the matrix; it takes 3.2 GB then, with its copy."""
FEW_DIMENSIONS = 50
"""Up to this number of dimensions, `FROM_POINTS` never use the matrix: without it they are faster or nearly as fast."""
PAIR_BYTES = 16
"""Bytes of one distance and of the copy that fastcluster makes of it."""


def needs_matrix(linkage: str, n: int, d: int) -> bool:
    """Return whether the clustering by `linkage` of n points in d dimensions needs the distances of all pairs."""
    return linkage not in FROM_POINTS or (n <= MAX_MATRIX and d > FEW_DIMENSIONS)


def matrix_bytes(n: int) -> int:
    """Return the bytes of memory that the distances of all pairs of n points take during the clustering."""
    return PAIR_BYTES * (n * (n - 1) // 2)
