"""The descriptor that uses histograms of oriented gradients (Dalal & Triggs 2005)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from skimage.feature import hog

from workflow_scripts.backbones.descriptors import grey


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return histograms of gradient directions in square cells of the image, normalised in blocks of 2 x 2 cells.

    `settings` has the number of `orientations` and the side of a `cell` in pixels. The image is uint8 (H, W) or (H, W,
    3), the result (width,) float64.
    """
    cell = (settings["cell"], settings["cell"])
    return hog(grey(image), settings["orientations"], cell, (2, 2), block_norm="L2-Hys")
