"""The preprocessing step of contrast-limited adaptive histogram equalisation (CLAHE)."""

import numpy as np
from skimage.color import hsv2rgb, rgb2hsv
from skimage.exposure import equalize_adapthist

from workflow_scripts.io.pixels import BAND


def apply(image: np.ndarray, kernel_size: int | None = None, clip_limit: float = 0.01, nbins: int = 256) -> np.ndarray:
    """Equalise the histogram locally by `skimage.exposure.equalize_adapthist` (Zuiderveld, Graphics Gems IV, 1994).

    `kernel_size` is in pixels; None takes an eighth of height and width. In a colour image only the value channel of
    HSV is changed, as scikit-image does, but in bands of rows, which takes a quarter of the memory. An image with one
    value everywhere is returned unchanged.
    """
    if np.ptp(image) == 0:
        return image
    values = image if image.ndim == 2 else image.max(axis=2)
    values = equalize_adapthist(values, kernel_size=kernel_size, clip_limit=clip_limit, nbins=nbins)
    if image.ndim == 2:
        return values
    made = np.empty_like(image)
    for top in range(0, len(image), BAND):
        hsv = rgb2hsv(image[top : top + BAND])
        hsv[..., 2] = values[top : top + BAND]
        made[top : top + BAND] = hsv2rgb(hsv)
    return made
