"""The descriptor that uses local binary patterns (Ojala, Pietikäinen & Mäenpää 2002, IEEE TPAMI 24, 971)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from skimage.feature import local_binary_pattern

from workflow_scripts.backbones.descriptors import grey

POINTS_PER_RADIUS = 8


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the fraction of pixels with each local binary pattern, for one radius after the other.

    `settings` has the `radii` in pixels. For a radius r there are 8 r + 1 uniform, rotation-invariant patterns, and one
    more that stands for all others. The image is uint8 (H, W) or (H, W, 3), the result (width,) float64.
    """
    levels = np.rint(grey(image) * 255).astype(np.uint8)
    histograms = []
    for radius in settings["radii"]:
        points = POINTS_PER_RADIUS * radius
        patterns = local_binary_pattern(levels, points, radius, method="uniform").astype(np.intp)
        histograms.append(np.bincount(patterns.ravel(), minlength=points + 2))
    return np.concatenate(histograms) / levels.size
