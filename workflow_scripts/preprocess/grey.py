"""The preprocessing step that converts images to grey levels."""

import numpy as np
from skimage.color import rgb2gray


def apply(image: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) of a colour image (H, W, 3); a grey image is returned unchanged.

    The formula is that of `skimage.color.rgb2gray`: 0.2125 R + 0.7154 G + 0.0721 B.
    """
    return rgb2gray(image) if image.ndim == 3 else image
