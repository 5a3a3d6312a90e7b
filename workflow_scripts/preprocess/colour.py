"""The preprocessing step that gives every image three channels."""

import numpy as np
from skimage.color import gray2rgb


def apply(image: np.ndarray) -> np.ndarray:
    """Return an image with three channels, (H, W, 3).

    A grey image (H, W) gets three equal channels (`skimage.color.gray2rgb`); a colour image is returned unchanged.
    """
    return gray2rgb(image) if image.ndim == 2 else image
