"""The preprocessing step that cuts out the middle of an image."""

from collections.abc import Sequence

import numpy as np


def apply(image: np.ndarray, size: Sequence[int] = (224, 224)) -> np.ndarray:
    """Return the middle of an image, (H, W) or (H, W, 3) in [0, 1]; `size` is [height, width] in pixels.

    If the margins cannot be equal, the larger ones are at the bottom and on the right. Raises `ValueError` if the image
    is smaller than `size`.
    """
    height, width = size
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    if top < 0 or left < 0:
        measured = f"{image.shape[0]} x {image.shape[1]}"
        raise ValueError(f"found {measured} (height x width), allowed: {height} x {width} or more; or resize first")
    return image[top : top + height, left : left + width]
