"""Contrast-limited adaptive histogram equalisation."""

import numpy as np
from skimage.exposure import equalize_adapthist


def apply(image: np.ndarray, kernel_size: int | None = None, clip_limit: float = 0.01, nbins: int = 256) -> np.ndarray:
    """`skimage.exposure.equalize_adapthist` (Zuiderveld, Graphics Gems IV, 1994).

    `kernel_size` in pixels, an eighth of height and width by default. Of a colour image the value of HSV is equalised.
    An image of one value has no contrast to equalise and stays as it is.
    """
    if np.ptp(image) == 0:
        return image
    return equalize_adapthist(image, kernel_size=kernel_size, clip_limit=clip_limit, nbins=nbins)
