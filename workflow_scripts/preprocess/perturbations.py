"""Perturb images without changing what they show: rotate, flip, brighten, blur, compress or crop them."""

from io import BytesIO
from itertools import chain, takewhile

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import resize, rotate
from skimage.util import img_as_ubyte

from workflow_scripts.errors import UserError
from workflow_scripts.preprocess.pipeline import Steps, apply_steps, module_of, to_float

STRENGTHS: dict[str, tuple[float, ...]] = {
    "rotate": (10, 45, 90, 180),
    "flip": (np.nan,),
    "brighten": (-20, -10, 10, 20),
    "blur": (0.5, 1, 2),
    "jpeg": (50, 20, 10),
    "crop": (90, 80, 70),
}
"""The strengths of each perturbation. Their units are: degrees (rotate), none (flip), per cent of the range of grey
levels (brighten), standard deviation in per cent of the shorter side (blur), quality (jpeg), and per cent of both sides
that are kept (crop)."""
VERSIONS = tuple((name, strength) for name, strengths in STRENGTHS.items() for strength in strengths)
"""All perturbed versions of an image: pairs of the name of a perturbation and its strength."""


def perturb(image: np.ndarray, name: str, strength: float) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3), float32 in [0, 1], after the perturbation `name`, one of `STRENGTHS`.

    `strength` is in the unit of that perturbation. Rotations by right angles are exact; for other angles the corners
    are filled by reflection. A crop is enlarged to the original size. Raises `ValueError` if there is no perturbation
    with this name.
    """
    match name:
        case "rotate" if strength % 90 == 0:
            return np.rot90(image, int(strength) // 90)
        case "rotate":
            return rotate(image, strength, mode="reflect").astype(np.float32)
        case "flip":
            return image[:, ::-1]
        case "brighten":
            return np.clip(image + np.float32(strength / 100), 0, 1)
        case "blur":
            sigma = strength / 100 * min(image.shape[:2])
            return gaussian_filter(image, (sigma, sigma) + (0,) * (image.ndim - 2))
        case "jpeg":
            return _compressed(image, int(strength))
        case "crop":
            return _cropped(image, strength / 100)
    raise ValueError(name)


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(img_as_ubyte(image)).save(file, "JPEG", quality=quality)
    return to_float(np.asarray(Image.open(file)))


def _cropped(image: np.ndarray, share: float) -> np.ndarray:
    height, width = image.shape[:2]
    kept = max(1, round(share * height)), max(1, round(share * width))
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    return resize(image[top : top + kept[0], left : left + kept[1]], image.shape, order=1).astype(np.float32)


def versions(image: np.ndarray, steps: Steps) -> np.ndarray:
    """Return an image and all its perturbed versions (`VERSIONS`), each preprocessed by `steps`.

    Steps that need the image as it was taken (their modules have `AS_TAKEN`) come first. They are done before the
    perturbation, all other steps after it.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), as returned by `io.images.read_image`.
    steps : as for `pipeline.run_steps`.

    Returns
    -------
    (1 + len(VERSIONS), H', W') or (1 + len(VERSIONS), H', W', 3) uint8; the first is the image itself.

    Raises `UserError` if the results have different shapes.
    """
    before = list(takewhile(lambda step: hasattr(module_of(step), "AS_TAKEN"), steps))
    scene = apply_steps(to_float(image), before)
    perturbed = chain([scene], (perturb(scene, name, strength) for name, strength in VERSIONS))  # only one in memory
    made = [img_as_ubyte(apply_steps(version, steps[len(before) :])) for version in perturbed]
    if len({version.shape for version in made}) > 1:
        raise UserError("perturbations: found a turned image of another shape, allowed: one; add the step resize")
    return np.stack(made)
