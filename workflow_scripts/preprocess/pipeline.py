"""Preprocess images with a list of steps, one after the other."""

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
"""The path of a file, and the pixels of a part of the file, or None for a whole file, whose pixels are read later."""


def to_float(image: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Return an image (H, W) or (H, W, 3) as float32 in [0, 1].

    uint8 is divided by 255 and uint16 by 65535. Floats are taken as they are if all are in [0, 1]; otherwise they are
    scaled so that the lowest is 0 and the highest 1. `limits` are the lowest and the highest value; None takes those of
    `image`. For a part of a page they are those of the whole page, so that all its parts are scaled equally.
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
    (H', W') or (H', W', 3) uint8, the result of the last step converted by `skimage.util.img_as_ubyte`.

    Raises `UserError` if a step cannot be applied to the image.
    """
    return img_as_ubyte(apply_steps(to_float(image), steps))


def apply_steps(image: np.ndarray, steps: Steps) -> np.ndarray:
    """Run preprocessing steps on an image, (H, W) or (H, W, 3) float32 in [0, 1]; return an image of the same kind.

    Raises `UserError` if a step cannot be applied to the image.
    """
    for step in steps:
        parameters = {key: value for key, value in step.items() if key != "step"}
        try:
            image = np.clip(module_of(step).apply(image, **parameters), 0, 1).astype(np.float32, copy=False)
        except ValueError as error:
            raise UserError(f"step {step['step']}: {error}") from error
    return image


def module_of(step: Mapping[str, Any]) -> ModuleType:
    """Return the module of this package that carries out a step (see `protocol.Step`)."""
    return importlib.import_module(f"{__package__}.{step['step']}")


def preprocess_all(
    images: Sequence[str | Path | Part],
    steps: Steps,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[np.ndarray]:
    """Yield the result of `run_steps` for each image, in order, computed by `workers` processes.

    An image is a whole file or a part of a file. Parts of one page should follow each other in `images`: the page is
    then decoded only once, and one page is in memory at a time. `max_pixels` is the largest allowed width times height.
    `progress` is called with (done, total) after each image. Raises `UserError`, with the path, if a file cannot be
    read, if a step cannot be applied to an image, or if a result has another shape than the first.
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
    """Yield (path of the file, pixels) for each image; the pixels are None if the image is a whole file.

    A page whose parts follow each other in `images` is decoded only once. Raises `UserError` if a page cannot be read.
    """
    for page, of_page in groupby(images, lambda image: (image.path, image.page) if isinstance(image, Part) else None):
        if page is None:
            yield from ((image, None) for image in of_page if not isinstance(image, Part))
            continue
        with _open_page(*page, max_pixels) as pixels_of:
            yield from ((image.path, pixels_of(image)) for image in of_page if isinstance(image, Part))


@contextmanager
def _open_page(path: Path, page: int, max_pixels: int | None) -> Iterator[Callable[[Part], np.ndarray]]:
    """Open page `page` (from 1) of a file, and yield a function that returns the pixels of a part of this page."""
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
    """Return a context manager that turns `ImageRejected` into `UserError`, for a file that intake could read."""
    try:
        yield
    except ImageRejected as rejection:
        raise UserError(f"{path}: {rejection}; intake could read it before, so run intake again") from None


def pixels_of(images: Sequence[Path | Part], max_pixels: int | None) -> Iterator[np.ndarray]:
    """Yield the pixels of each image, (H, W) or (H, W, 3), in order; an image is a whole file or a part of a file.

    Parts of one page should follow each other, so that the page is decoded only once. Raises `UserError` if a file
    cannot be read.
    """
    for path, pixels in files_and_pixels(images, max_pixels):
        yield read_again(path, max_pixels) if pixels is None else pixels


def read_again(path: str | Path, max_pixels: int | None) -> np.ndarray:
    """Return the pixels of the first page of a file that intake could read, as `images.read_image` does.

    Raises `UserError` if the file cannot be read now.
    """
    with _readable(path):
        return read_image(path, max_pixels)


@contextmanager
def open_again(path: Path, max_pixels: int | None, page: int) -> Iterator[Rows]:
    """Return a context manager that gives the rows of page `page` (from 0) of a file that intake could read.

    `tiff_rows.open_image` says when rows are read. Raises `UserError` if the page cannot be read now.
    """
    with _readable(path), open_image(path, max_pixels, page=page) as image:
        yield image.pixels


def of_image(item: FileAndPixels, make: Callable[[np.ndarray], np.ndarray], max_pixels: int | None) -> np.ndarray:
    """Return `make(pixels)` for the pixels of an image, (H, W) or (H, W, 3).

    `item` is the path of the file and the pixels; if the latter are None, they are read from the file. If `make` raises
    `UserError`, the path is put before its message.
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
