"""The descriptor that uses grey-level co-occurrence matrices (Haralick, Shanmugam & Dinstein 1973)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from skimage.feature import graycomatrix, graycoprops

from workflow_scripts.backbones.descriptors import grey

ANGLES = np.pi * np.arange(4) / 4
PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "ASM", "correlation", "entropy")


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the mean and the range, over four directions, of six properties of grey-level co-occurrence matrices.

    `settings` has the number of grey `levels`, to which the uint8 image (H, W) or (H, W, 3) is reduced first, and the
    `distances` (pixels), each of which gives a matrix. Contrast, dissimilarity and entropy are divided by their largest
    possible value, so that all properties are of the order of 1. The result is (width,) float64.
    """
    levels, distances = settings["levels"], settings["distances"]
    quantised = np.minimum(grey(image) * levels, levels - 1).astype(np.uint8)
    matrix = graycomatrix(quantised, distances, ANGLES, levels, symmetric=True, normed=True)
    largest = {
        "contrast": (levels - 1) ** 2,
        "dissimilarity": levels - 1,
        "entropy": np.log(levels**2),
    }
    values = [graycoprops(matrix, name) / largest.get(name, 1) for name in PROPERTIES]  # each (distances, angles)
    return np.concatenate([part for value in values for part in (value.mean(1), np.ptp(value, axis=1))])
