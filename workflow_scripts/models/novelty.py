"""Measure the novelty of images: their distance to the images of a model, divided by the distances among these."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.errors import UserError
from workflow_scripts.io.points import Matrix
from workflow_scripts.metrics.evenly import evenly

NEIGHBOURS = 10
"""Number of nearest images over which a distance is averaged."""
MOST_IMAGES = 10_000
"""Largest number of images that a model keeps to compare new ones with."""
MOST_NUMBERS = 2**26
"""Largest number of values in the features of all kept images, 256 MB."""
SMALLEST = float(np.finfo(np.float32).tiny)


def kept_images(features: Matrix) -> np.ndarray:
    """Return the features (M, d) float32 of evenly spaced images, at most `MOST_IMAGES` with `MOST_NUMBERS` numbers.

    Raises `UserError` if there are fewer than two images.
    """
    n, width = features.shape
    if n < 2:
        raise UserError(f"model: found {n} image, allowed: two or more, which new images are compared with")
    most = min(MOST_IMAGES, max(MOST_NUMBERS // width, 2))
    return np.asarray(features[evenly(n, most)], dtype=np.float32)


def own_novelty(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the novelty of each kept image among the others, (M,), and the mean distance to its nearest ones, (M,)."""
    distances, nearest = _nearest(kept, None)
    spread = distances.mean(axis=1)
    return _relative(spread, spread[nearest]), spread


def novelty(features: np.ndarray, kept: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the mean distance of images (n, d) to their nearest kept images, divided by the mean `spread` of these.

    The novelty, (n,) float64, is near 1 for an image among similar images, and larger for an image apart from them. It
    is a local outlier factor with plain distances (Breunig et al. 2000). `spread` is from `own_novelty`.
    """
    distances, nearest = _nearest(kept, features)
    return _relative(distances.mean(axis=1), spread[nearest])


def _nearest(kept: np.ndarray, features: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances to the nearest kept images and their indices; without `features`, for each kept image."""
    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept) - 1), algorithm="brute")
    neighbours.fit(kept.astype(np.float64))
    return neighbours.kneighbors(None if features is None else np.asarray(features, dtype=np.float64))


def _relative(distances: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    return distances / np.maximum(spreads.mean(axis=1, dtype=np.float64), SMALLEST)
