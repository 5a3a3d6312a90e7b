"""The preprocessing step that resizes images."""

from collections.abc import Sequence

import numpy as np
from skimage import transform

from workflow_scripts.preprocess import centre_crop


def apply(
    image: np.ndarray, size: Sequence[int] = (224, 224), anti_aliasing: bool = True, fit: str = "squeeze"
) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) resized to `size`, [height, width] in pixels, by bilinear interpolation.

    The image is smoothed before it is made smaller if `anti_aliasing` is true (`skimage.transform.resize`). `fit` says
    what happens if the image has another aspect ratio than `size`: `squeeze` distorts the image, `pad` puts the whole
    image in the middle and fills the rest with its mean value, and `crop` keeps the largest middle part with the ratio
    of `size`.
    """
    ratios = [wanted / side for wanted, side in zip(size, image.shape, strict=False)]
    scale = {"pad": min(ratios), "crop": max(ratios)}.get(fit)
    shape = tuple(size) if scale is None else tuple(max(1, round(side * scale)) for side in image.shape[:2])
    resized = transform.resize(image, shape, order=1, anti_aliasing=anti_aliasing)
    if fit == "crop":
        return centre_crop.apply(resized, size)
    return _padded(resized, size) if fit == "pad" else resized


def factors(heights: np.ndarray, widths: np.ndarray, size: Sequence[int], fit: str) -> np.ndarray:
    """Return the factor by which resizing to `size` enlarges each of N images, (N,) float.

    `heights` and `widths` (N,) are the sides of the images, and `size` is [height, width], all in pixels. If the
    factors of height and width differ, `fit: crop` takes the larger one, and any other `fit` the smaller one.
    """
    of_sides = size[0] / heights, size[1] / widths
    return np.maximum(*of_sides) if fit == "crop" else np.minimum(*of_sides)


def _padded(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return an array of `size`, [height, width], with the image in the middle and its mean value around it."""
    padded = np.broadcast_to(image.mean(axis=(0, 1)), (*size, *image.shape[2:])).astype(image.dtype)
    top, left = ((wanted - side) // 2 for wanted, side in zip(size, image.shape, strict=False))
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded
