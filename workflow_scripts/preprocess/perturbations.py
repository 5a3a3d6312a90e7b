"""Images turned, brightened, blurred, compressed and cropped: changes that leave open what an image shows."""

from io import BytesIO

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import resize, rotate
from skimage.util import img_as_ubyte

from workflow_scripts.errors import UserError
from workflow_scripts.preprocess.pipeline import Steps, apply_steps, to_float

STRENGTHS: dict[str, tuple[float, ...]] = {
    "rotate": (10, 45, 90, 180),
    "flip": (np.nan,),
    "brighten": (-20, -10, 10, 20),
    "blur": (0.5, 1, 2),
    "jpeg": (50, 20, 10),
    "crop": (90, 80, 70),
}
"""Of each perturbation: degrees; none; per cent of the range of grey levels; standard deviation in per cent of the
shorter side; quality; per cent of both sides that are left."""
VERSIONS = tuple((name, strength) for name, strengths in STRENGTHS.items() for strength in strengths)


def perturb(image: np.ndarray, name: str, strength: float) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3), float32 in [0, 1], perturbed.

    Right angles are exact; at others the corners are filled by reflection. A crop is enlarged to the old size.
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
    """Return an image as it is and in all `VERSIONS`, each preprocessed by `steps`.

    A data stripe is cut off first, for it is not turned with what the image shows.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), as `io.images.read_image` gives it.
    steps : as of `pipeline.run_steps`.

    Returns
    -------
    (1 + len(VERSIONS), H', W') or (..., 3) uint8. Raises `UserError` where they come out in several shapes.
    """
    before = [step for step in steps[:1] if step["step"] == "crop_data_bar"]
    scene = apply_steps(to_float(image), before)
    perturbed = [scene, *(perturb(scene, name, strength) for name, strength in VERSIONS)]
    made = [img_as_ubyte(apply_steps(version, steps[len(before) :])) for version in perturbed]
    if len({version.shape for version in made}) > 1:
        raise UserError("perturbations: found a turned image of another shape, allowed: one; add the step resize")
    return np.stack(made)
