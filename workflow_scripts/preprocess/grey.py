"""Luminance."""

import numpy as np
from skimage.color import rgb2gray


def apply(image: np.ndarray) -> np.ndarray:
    """(H, W) from (H, W, 3) by `skimage.color.rgb2gray` (.2125 R + .7154 G + .0721 B); a grey image stays as it is."""
    return rgb2gray(image) if image.ndim == 3 else image
