"""The descriptor that uses a bank of Gabor filters (Manjunath & Ma 1996, IEEE TPAMI 18, 837)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from scipy import fft

from workflow_scripts.backbones.descriptors import grey

LOWEST, HIGHEST = 0.05, 0.4
"""Lowest and highest centre frequency of the filters, cycles per pixel (Manjunath & Ma, section 3.1)."""


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the mean and standard deviation of the magnitude of each filter's response, in the order of the scales.

    The image (H, W) or (H, W, 3) is uint8; the result is (width,) float64. `settings` has the numbers of `scales` and
    `orientations`. The mean of the image is subtracted first. The image is treated as periodic.
    """
    plane = grey(image).astype(np.float32)
    spectrum = fft.fft2(plane - plane.mean())
    magnitudes = np.abs(fft.ifft2(spectrum * bank(plane.shape, settings["scales"], settings["orientations"])))
    return np.stack([magnitudes.mean((1, 2)), magnitudes.std((1, 2))], axis=1).ravel()


@cache
def bank(shape: tuple[int, int], scales: int, orientations: int) -> np.ndarray:
    """Return the filters in the frequency domain, (scales * orientations, H, W) float32.

    They are Gaussians whose half-maximum contours touch each other, as in the appendix of Manjunath & Ma.
    """
    v, u = np.meshgrid(fft.fftfreq(shape[0]), fft.fftfreq(shape[1]), indexing="ij")
    ratio = (HIGHEST / LOWEST) ** (1 / max(scales - 1, 1))
    log_2 = np.log(2)
    filters = []
    for scale in range(scales):
        centre = LOWEST * ratio**scale
        along = (ratio - 1) * centre / ((ratio + 1) * np.sqrt(2 * log_2))
        half = np.tan(np.pi / (2 * orientations))
        across = (
            half * (centre - 2 * log_2 * along**2 / centre) / np.sqrt(2 * log_2 - (2 * log_2 * along / centre) ** 2)
        )
        for orientation in range(orientations):
            angle = np.pi * orientation / orientations
            turned = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
            filters.append(np.exp(-(((turned[0] - centre) / along) ** 2 + (turned[1] / across) ** 2) / 2))
    return np.array(filters, np.float32)
