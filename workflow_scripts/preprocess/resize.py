"""The preprocessing step that resizes images."""

from collections.abc import Sequence

import numpy as np
from skimage import transform


def apply(image: np.ndarray, size: Sequence[int] = (224, 224), anti_aliasing: bool = True) -> np.ndarray:
    """Resize an image to `size`, [height, width] in pixels, by bilinear interpolation (`skimage.transform.resize`).

    The aspect ratio is not kept. With `anti_aliasing` the image is smoothed before it is made smaller.
    """
    return transform.resize(image, tuple(size), order=1, anti_aliasing=anti_aliasing)
