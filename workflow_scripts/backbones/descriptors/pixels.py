"""The descriptor by downsampled pixels, a baseline that any network should surpass."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from skimage.transform import resize

from workflow_scripts.backbones.descriptors import channels


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return each channel resized to `side` x `side` values in 0..1 with anti-aliasing, row by row.

    `settings` has the `side`, and whether `colour` is used. The image is uint8 (H, W) or (H, W, 3), the result (width,)
    float64.
    """
    shape = (settings["side"], settings["side"])
    planes = [resize(plane, shape, anti_aliasing=True) for plane in channels(image, settings["colour"])]
    return np.concatenate([plane.ravel() for plane in planes])
