"""Average features over views of an image, such as its four rotations and their mirror images (its orbit)."""

from collections.abc import Iterable, Iterator

import numpy as np


def views(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the eight rotations and flips of images (n, H, W) or (n, H, W, 3).

    For images that are not square, half of the views have the shape (n, W, H), so the network must resize them.
    """
    for quarter in range(4):
        turned = np.rot90(images, quarter, axes=(1, 2))
        yield np.ascontiguousarray(turned)
        yield np.ascontiguousarray(turned[:, :, ::-1])


def mean_over(vectors: Iterable[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the mean of the features over one view or more, {layer: (n, width) float32}, summed in double precision.

    `vectors` gives the features of one view after the other, so that only those of one view are in memory.
    """
    sums: dict[str, np.ndarray] = {}
    number = 0
    for of_view in vectors:
        number += 1
        for layer, values in of_view.items():
            sums[layer] = sums.get(layer, 0) + values.astype(np.float64)
    return {layer: (total / number).astype(np.float32) for layer, total in sums.items()}
