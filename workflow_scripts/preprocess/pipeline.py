"""Ordered lists of steps, run over all pictures."""

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
    """float32 in [0, 1]: uint8 by 255, uint16 by 65535, floats as they are, or min-max scaled if one is outside."""
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
    """Run `steps` over one picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), uint8, uint16 or float
    steps : `{"step": name, parameter: value, ...}`, in order; the name is that of a module of this package

    Returns
    -------
    (H', W') or (H', W', 3) uint8: 255 times the last step's result, rounded (`skimage.util.img_as_ubyte`)

    Raises `UserError` for a picture that a step does not allow.
    """
    image = to_float(image)
    for step in steps:
        parameters = {key: value for key, value in step.items() if key != "step"}
        apply = importlib.import_module(f"{__package__}.{step['step']}").apply
        try:
            image = np.clip(apply(image, **parameters), 0, 1).astype(np.float32)
        except ValueError as error:
            raise UserError(f"step {step['step']}: {error}") from error
    return img_as_ubyte(image)


def preprocess_all(
    paths: Sequence[str | Path],
    steps: Steps,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """`run_steps` of each file, in order, by `workers` processes; see there for the result.

    `max_pixels` is the limit that the pictures passed at intake; `progress` is called with (done, total) after each.
    Raises `UserError`, with the file, where a picture cannot be read any more, where a step refuses one, and where one
    comes out in another shape than the first.
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
        raise UserError(f"{path}: {rejection}; it was read at intake, so run that again") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _other_shape(path: str | Path, found: tuple[int, ...], first: str | Path, allowed: tuple[int, ...]) -> str:
    remedy = "resize or centre_crop" if found[:2] != allowed[:2] else "grey (or colour, for three channels)"
    return f"preprocess: found {list(found)} for {path}, allowed: {list(allowed)} as for {first}; add the step {remedy}"
