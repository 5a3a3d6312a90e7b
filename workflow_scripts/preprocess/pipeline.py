"""Preprocessing of images by an ordered list of steps."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from skimage.util import img_as_ubyte

from workflow_scripts.errors import UserError
from workflow_scripts.io.images import ImageRejected, read_image
from workflow_scripts.io.parallel import ordered_map

Steps = Sequence[Mapping[str, Any]]


def to_float(image: np.ndarray) -> np.ndarray:
    """Return an image as float32 in [0, 1].

    uint8 is divided by 255 and uint16 by 65535. Floats are taken as they are if all are in [0, 1]; otherwise they are
    scaled so that the lowest is 0 and the highest 1.
    """
    if image.dtype == np.uint8:
        return image.astype(np.float32) / 255
    if image.dtype == np.uint16:
        return image.astype(np.float32) / 65535
    low, high = float(image.min()), float(image.max())
    if low >= 0 and high <= 1:
        return image.astype(np.float32)
    scaled = (image.astype(np.float64) - low) / (high - low or 1)
    return scaled.astype(np.float32)


def run_steps(image: np.ndarray, steps: Steps) -> np.ndarray:
    """Run preprocessing steps on one image.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), uint8, uint16 or float.
    steps : the steps in order, each a mapping with the name of a module of this package as `step` and its parameters.

    Returns
    -------
    (H', W') or (H', W', 3) uint8, the result of the last step as `skimage.util.img_as_ubyte`.

    Raises `UserError` if a step cannot be applied to the image.
    """
    return img_as_ubyte(apply_steps(to_float(image), steps))


def apply_steps(image: np.ndarray, steps: Steps) -> np.ndarray:
    """Run `steps`, as of `run_steps`, over an image that is float32 in [0, 1], and return it as such."""
    for step in steps:
        parameters = {key: value for key, value in step.items() if key != "step"}
        apply = importlib.import_module(f"{__package__}.{step['step']}").apply
        try:
            image = np.clip(apply(image, **parameters), 0, 1).astype(np.float32)
        except ValueError as error:
            raise UserError(f"step {step['step']}: {error}") from error
    return image


def preprocess_all(
    paths: Sequence[str | Path],
    steps: Steps,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield the result of `run_steps` for each file, in order, computed by `workers` processes.

    `max_pixels` is intake's limit of width times height; `progress` is called with (done, total) after each image.
    Raises `UserError`, with the path, if a file cannot be read, if a step cannot be applied to an image, or if a result
    has another shape than the first.
    """
    results = ordered_map(partial(_preprocess, steps=steps, max_pixels=max_pixels), paths, workers)
    shape: tuple[int, ...] | None = None
    for done, (path, image) in enumerate(zip(paths, results, strict=True), start=1):
        shape = shape or image.shape
        if image.shape != shape:
            raise UserError(_other_shape(path, image.shape, paths[0], shape))
        if progress:
            progress(done, len(paths))
        yield image


def _preprocess(path: str | Path, steps: Steps, max_pixels: int | None) -> np.ndarray:
    try:
        return run_steps(read_image(path, max_pixels), steps)
    except ImageRejected as rejection:
        raise UserError(f"{path}: {rejection}; intake could read it before, so run intake again") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _other_shape(path: str | Path, found: tuple[int, ...], first: str | Path, allowed: tuple[int, ...]) -> str:
    remedy = "resize or centre_crop" if found[:2] != allowed[:2] else "grey (or colour, for three channels)"
    return f"preprocess: found {list(found)} for {path}, allowed: {list(allowed)} as for {first}; add the step {remedy}"
