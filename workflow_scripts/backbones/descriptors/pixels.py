"""The descriptor `pixels`: the image itself at a low resolution. It is a baseline that any network should surpass."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from skimage.transform import resize

from workflow_scripts.backbones.descriptors import channels


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the pixels of an image that was resized to `side` x `side` with anti-aliasing, (width,) float64 in 0..1.

    The channels follow each other, each row by row. The image is uint8, (H, W) or (H, W, 3). `settings` has the `side`,
    and whether `colour` is used.
    """
    shape = (settings["side"], settings["side"])
    planes = [resize(plane, shape, anti_aliasing=True) for plane in channels(image, settings["colour"])]
    return np.concatenate([plane.ravel() for plane in planes])
