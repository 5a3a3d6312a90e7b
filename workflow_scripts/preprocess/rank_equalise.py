"""The preprocessing step of local histogram equalisation in a disk."""

import numpy as np
from skimage.color.adapt_rgb import adapt_rgb, hsv_value
from skimage.filters.rank import equalize
from skimage.morphology import disk
from skimage.util import img_as_float32, img_as_ubyte


@adapt_rgb(hsv_value)
def apply(image: np.ndarray, radius: int = 30) -> np.ndarray:
    """Return an image whose histogram is equalised in a disk around each pixel (`skimage.filters.rank.equalize`).

    `radius` is the radius of the disk, in pixels. The image, (H, W) or (H, W, 3) in [0, 1], is first reduced to 256
    levels. In a colour image only the value channel of HSV is changed.
    """
    return img_as_float32(equalize(img_as_ubyte(image), disk(radius)))
