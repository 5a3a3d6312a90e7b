"""Contrast stretching."""

import numpy as np
from skimage import exposure


def apply(image: np.ndarray, low: float = 1, high: float = 99) -> np.ndarray:
    """The percentiles `low` and `high` go to 0 and 1 (`skimage.exposure.rescale_intensity`); what is beyond is clipped.

    Percentiles are of all channels of a colour image together, which keeps its hues. An image in which both are equal
    stays as it is.
    """
    darkest, brightest = np.percentile(image, (low, high))
    if darkest == brightest:
        return image
    return exposure.rescale_intensity(image, in_range=(darkest, brightest), out_range=(0, 1))
