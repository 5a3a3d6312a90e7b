"""The descriptor that uses histograms of intensities (Swain & Ballard 1991, "Color indexing")."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from workflow_scripts.backbones.descriptors import channels


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the fraction of pixels in each of `bins` equal bins between 0 and 1, for one channel after the other.

    `settings` has the number of `bins`, and whether `colour` is used. The image is uint8 (H, W) or (H, W, 3), the
    result (width,) float64.
    """
    planes = channels(image, settings["colour"])
    return np.concatenate([np.histogram(plane, settings["bins"], range=(0, 1))[0] / plane.size for plane in planes])
