"""The preprocessing step that resizes images."""

from collections.abc import Sequence

import numpy as np
from skimage import transform

from workflow_scripts.preprocess import centre_crop


def apply(
    image: np.ndarray, size: Sequence[int] = (224, 224), anti_aliasing: bool = True, fit: str = "squeeze"
) -> np.ndarray:
    """Resize an image to `size`, [height, width] in pixels, by bilinear interpolation (`skimage.transform.resize`).

    With `anti_aliasing` the image is smoothed before it is made smaller. `fit` decides what becomes of another aspect
    ratio: `squeeze` changes it, `pad` keeps all of the image in the middle of its mean value, and `crop` keeps the
    middle of the image that has the ratio of `size`.
    """
    ratios = [wanted / side for wanted, side in zip(size, image.shape, strict=False)]
    scale = {"pad": min(ratios), "crop": max(ratios)}.get(fit)
    shape = tuple(size) if scale is None else tuple(max(1, round(side * scale)) for side in image.shape[:2])
    resized = transform.resize(image, shape, order=1, anti_aliasing=anti_aliasing)
    if fit == "crop":
        return centre_crop.apply(resized, size)
    return _padded(resized, size) if fit == "pad" else resized


def _padded(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return the image in the middle of its mean value, `size` high and wide."""
    padded = np.broadcast_to(image.mean(axis=(0, 1)), (*size, *image.shape[2:])).astype(image.dtype)
    top, left = ((wanted - side) // 2 for wanted, side in zip(size, image.shape, strict=False))
    padded[top : top + image.shape[0], left : left + image.shape[1]] = image
    return padded
