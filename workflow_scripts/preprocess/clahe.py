"""The preprocessing step of contrast-limited adaptive histogram equalisation (CLAHE)."""

import numpy as np
from skimage.exposure import equalize_adapthist


def apply(image: np.ndarray, kernel_size: int | None = None, clip_limit: float = 0.01, nbins: int = 256) -> np.ndarray:
    """Equalise the histogram locally by `skimage.exposure.equalize_adapthist` (Zuiderveld, Graphics Gems IV, 1994).

    `kernel_size` is in pixels; None takes an eighth of height and width. In a colour image only the value channel of
    HSV is changed. An image with one value everywhere is returned unchanged.
    """
    if np.ptp(image) == 0:
        return image
    return equalize_adapthist(image, kernel_size=kernel_size, clip_limit=clip_limit, nbins=nbins)
