"""The preprocessing step of contrast-limited adaptive histogram equalisation (CLAHE)."""

import numpy as np
from skimage.color import hsv2rgb, rgb2hsv
from skimage.exposure import equalize_adapthist

from workflow_scripts.io.pixels import BAND


def apply(image: np.ndarray, kernel_size: int | None = None, clip_limit: float = 0.01, nbins: int = 256) -> np.ndarray:
    """Return an image after contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994).

    The image is (H, W) or (H, W, 3) in [0, 1]. The settings are those of `skimage.exposure.equalize_adapthist`:
    `kernel_size` is the side of the local regions in pixels, and None takes an eighth of the height and of the width.
    In a colour image only the value channel of HSV is changed, as scikit-image does it. Here this is done in bands of
    rows, which needs a quarter of the memory. An image with one value everywhere is returned unchanged.
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
