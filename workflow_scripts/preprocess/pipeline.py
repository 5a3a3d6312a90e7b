"""Preprocess images by an ordered list of steps."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from skimage.util import img_as_ubyte

from workflow_scripts.errors import UserError
from workflow_scripts.io.images import read_image
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.io.pixels import Part, Rows
from workflow_scripts.io.rejections import ImageRejected
from workflow_scripts.io.tiff_rows import open_image, open_rows

Steps = Sequence[Mapping[str, Any]]
FileAndPixels = tuple[str | Path, np.ndarray | None]
"""The path of a file and the pixels of a part of it; None instead of pixels for a whole file, which is read later."""


def to_float(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) as float32 in [0, 1].

    uint8 is divided by 255 and uint16 by 65535. Floats are taken as they are if all are in [0, 1]; otherwise they are
    scaled so that the lowest is 0 and the highest 1. `limits` are the lowest and the highest, of a part of an image
    those of the whole.
    """
    if image.dtype == np.uint8:
        return image.astype(np.float32) / 255
    if image.dtype == np.uint16:
        return image.astype(np.float32) / 65535
    low, high = limits or (float(image.min()), float(image.max()))
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
    """Run preprocessing steps on an image, (H, W) or (H, W, 3) float32 in [0, 1]; return the same kind of image."""
    for step in steps:
        parameters = {key: value for key, value in step.items() if key != "step"}
        try:
            image = np.clip(module_of(step).apply(image, **parameters), 0, 1).astype(np.float32, copy=False)
        except ValueError as error:
            raise UserError(f"step {step['step']}: {error}") from error
    return image


def module_of(step: Mapping[str, Any]) -> ModuleType:
    """Return the module of a step, see `protocol.Step`."""
    return importlib.import_module(f"{__package__}.{step['step']}")


def preprocess_all(
    images: Sequence[str | Path | Part],
    steps: Steps,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield the result of `run_steps` for each file or part of one, in order, computed by `workers` processes.

    Parts of one page should follow each other: only one page is in memory, decoded once for all of them.
    `max_pixels` is intake's limit of width times height; `progress` is called with (done, total) after each image.
    Raises `UserError`, with the path, if a file cannot be read, if a step cannot be applied to an image, or if a result
    has another shape than the first.
    """
    run = partial(of_image, make=partial(run_steps, steps=steps), max_pixels=max_pixels)
    results = ordered_map(run, files_and_pixels(images, max_pixels), workers)
    shape: tuple[int, ...] | None = None
    for done, (image, result) in enumerate(zip(images, results, strict=True), start=1):
        shape = shape or result.shape
        if result.shape != shape:
            raise UserError(_other_shape(_path_of(image), result.shape, _path_of(images[0]), shape))
        if progress:
            progress(done, len(images))
        yield result


def _path_of(image: str | Path | Part) -> str | Path:
    return image.path if isinstance(image, Part) else image


def files_and_pixels(images: Iterable[str | Path | Part], max_pixels: int | None) -> Iterator[FileAndPixels]:
    """Yield the path of each whole file, or the path and pixels of each part of a file; a page is decoded only once."""
    for page, of_page in groupby(images, lambda image: (image.path, image.page) if isinstance(image, Part) else None):
        if page is None:
            yield from ((image, None) for image in of_page if not isinstance(image, Part))
            continue
        with _open_page(*page, max_pixels) as pixels_of:
            yield from ((image.path, pixels_of(image)) for image in of_page if isinstance(image, Part))


@contextmanager
def _open_page(path: Path, page: int, max_pixels: int | None) -> Iterator[Callable[[Part], np.ndarray]]:
    """Open a page (from 1); yield a function that returns the pixels of a part of it."""
    with _readable(path), open_rows(path, page - 1) as rows:
        if rows:
            yield rows.part
            return
        pixels = read_image(path, max_pixels, page - 1)
        if pixels.dtype.kind == "f":
            limits = float(pixels.min()), float(pixels.max())
            yield lambda part: to_float(part.of(pixels), limits)
        else:
            yield lambda part: part.of(pixels)


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """Raise `UserError` in place of `ImageRejected` for a file that intake could read."""
    try:
        yield
    except ImageRejected as rejection:
        raise UserError(f"{path}: {rejection}; intake could read it before, so run intake again") from None


def pixels_of(images: Sequence[Path | Part], max_pixels: int | None) -> Iterator[np.ndarray]:
    """Yield the pixels of files and parts of files, (H, W) or (H, W, 3), in order.

    Parts of one page should follow each other, so that the page is decoded once. Raises `UserError` for a file that
    cannot be read.
    """
    for path, pixels in files_and_pixels(images, max_pixels):
        yield read_again(path, max_pixels) if pixels is None else pixels


def read_again(path: str | Path, max_pixels: int | None) -> np.ndarray:
    """Return the first page of a file that intake could read, as `images.read_image`; raises `UserError` if it cannot
    now."""
    with _readable(path):
        return read_image(path, max_pixels)


@contextmanager
def open_again(path: Path, max_pixels: int | None, page: int) -> Iterator[Rows]:
    """Open a page (from 0) of a file that intake could read, as `tiff_rows.open_image`; raises `UserError` if it cannot
    be read now."""
    with _readable(path), open_image(path, max_pixels, page=page) as image:
        yield image.pixels


def of_image(item: FileAndPixels, make: Callable[[np.ndarray], np.ndarray], max_pixels: int | None) -> np.ndarray:
    """Return `make` of the pixels of an image, (H, W) or (H, W, 3); they are read from its file if `item` has none.

    `item` is the path and the pixels or None. A `UserError` of `make` gets the path in front.
    """
    path, pixels = item
    image = read_again(path, max_pixels) if pixels is None else pixels
    try:
        return make(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _other_shape(path: str | Path, shape: tuple[int, ...], first: str | Path, allowed: tuple[int, ...]) -> str:
    remedy = "resize or centre_crop" if shape[:2] != allowed[:2] else "grey (or colour, for three channels)"
    return f"preprocess: found {list(shape)} for {path}, allowed: {list(allowed)} as for {first}; add the step {remedy}"
