"""Features averaged over the orbit of an image, that is its four rotations and their mirror images."""

from collections.abc import Callable, Iterator

import numpy as np


def views(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the eight rotations and flips of images (n, H, W) or (n, H, W, 3).

    For images that are not square, half of the views have the shape (n, W, H), so the network must resize them.
    """
    for quarter in range(4):
        turned = np.rot90(images, quarter, axes=(1, 2))
        yield np.ascontiguousarray(turned)
        yield np.ascontiguousarray(turned[:, :, ::-1])


def mean_over_views(
    features: Callable[[np.ndarray], dict[str, np.ndarray]], images: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the mean of the features of the eight views, {layer: (n, width) float32}, summed in double precision.

    One view is computed after the other, so that the memory is that of one.
    """
    sums: dict[str, np.ndarray] = {}
    for view in views(images):
        for layer, vectors in features(view).items():
            sums[layer] = sums.get(layer, 0) + vectors.astype(np.float64)
    return {layer: (total / 8).astype(np.float32) for layer, total in sums.items()}
