"""The preprocessing step of contrast stretching."""

import numpy as np
from skimage import exposure


def apply(image: np.ndarray, low: float = 1, high: float = 99) -> np.ndarray:
    """Scale an image so that its percentiles `low` and `high` become 0 and 1 (`skimage.exposure.rescale_intensity`).

    Values outside [0, 1] are then clipped. The percentiles of a colour image (H, W, 3) are those of all channels
    together, which keeps its hues. An image whose two percentiles are equal is returned unchanged.
    """
    darkest, brightest = np.percentile(image, (low, high))
    if darkest == brightest:
        return image
    return exposure.rescale_intensity(image, in_range=(darkest, brightest), out_range=(0, 1))
