"""Features pooled over the orbit of an image: its four rotations, each as it is and mirrored."""

from collections.abc import Callable, Iterator

import numpy as np


def views(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the eight rotations and flips of images (n, H, W) or (n, H, W, 3).

    Every second rotation of images that are not square is (n, W, H): a network that resizes takes them.
    """
    for quarter in range(4):
        turned = np.rot90(images, quarter, axes=(1, 2))
        yield np.ascontiguousarray(turned)
        yield np.ascontiguousarray(turned[:, :, ::-1])


def mean_over_views(
    features: Callable[[np.ndarray], dict[str, np.ndarray]], images: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the mean of the features of the eight views, {layer: (n, width) float32}, summed in double precision.

    The views run one after another, so that memory is that of one.
    """
    sums: dict[str, np.ndarray] = {}
    for view in views(images):
        for layer, vectors in features(view).items():
            sums[layer] = sums.get(layer, 0) + vectors.astype(np.float64)
    return {layer: (total / 8).astype(np.float32) for layer, total in sums.items()}
