"""Another size."""

from collections.abc import Sequence

import numpy as np
from skimage import transform


def apply(image: np.ndarray, size: Sequence[int] = (224, 224), anti_aliasing: bool = True) -> np.ndarray:
    """Bilinear `skimage.transform.resize` to `size` = [height, width] in pixels, whatever the proportions were.

    `anti_aliasing` smooths before shrinking and does nothing when enlarging. Each channel of a colour image is resized
    by itself.
    """
    return transform.resize(image, tuple(size), order=1, anti_aliasing=anti_aliasing)
