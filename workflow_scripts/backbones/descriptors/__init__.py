"""Compute descriptors of images, which are features that need no network.

Each descriptor is a module that has the descriptor's name in the configuration.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from skimage.color import rgb2gray

from workflow_scripts.backbones.orbit import views
from workflow_scripts.backbones.weight_names import NONE
from workflow_scripts.io import store
from workflow_scripts.io.parallel import ordered_map

LAYER = "features"
"""The name of the only layer of a descriptor."""
BLOCK_ROWS = 64
"""Number of images that are read, and of rows that are written, at once."""
BATCH = 8
"""The number of images that are sent to a worker together."""


class Descriptor(Protocol):
    """The interface of the modules of this package, one for each descriptor."""

    def describe(self, image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
        """Return the descriptor (width,) of a uint8 image (H, W) or (H, W, 3), with the descriptor's `settings`."""


def describe(image: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the descriptor (width,) float32 of a uint8 image (H, W) or (H, W, 3).

    `settings` has the name of the descriptor and its settings. With the setting `orbit` the result is the mean over the
    four rotations of the image and their mirror images.
    """
    descriptor: Descriptor = import_module(f"{__name__}.{settings['descriptor']}")
    if not settings.get("orbit"):
        return descriptor.describe(image, settings).astype(np.float32)
    vectors = [descriptor.describe(view[0], settings) for view in views(image[None])]
    return np.asarray(np.mean(vectors, axis=0, dtype=np.float64), dtype=np.float32)


def describe_all(
    images: h5py.Dataset | np.ndarray,
    image_ids: Sequence[str],
    settings: Mapping[str, Any],
    output: Path,
    attributes: Mapping[str, Any],
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Write the feature store of a descriptor.

    `images` are uint8 (N, H, W) or (N, H, W, 3). The store has `features` (N, width) float32 and `image_id` (N,); its
    attributes are `attributes` and the descriptor's settings. The result does not depend on `workers`, the number of
    processes. `report` is called with (done, total) after each block of rows.
    """
    network = {"batch_size": BLOCK_ROWS, "weights_sha256": NONE}
    facts = {**attributes, "backbone": dict(settings), "layer": LAYER, **network}
    vectors = ordered_map(partial(describe, settings=settings), _one_by_one(images), workers, BATCH)
    first = next(vectors)
    vectors, done = chain([first], vectors), 0
    with store.writing(output, facts) as file:
        store.put_image_ids(file, image_ids)
        with store.filling(file, "features", (len(images), len(first)), "<f4") as features:
            while block := list(islice(vectors, BLOCK_ROWS)):
                features[done : done + len(block)] = block
                done += len(block)
                if report:
                    report(done, len(images))


def _one_by_one(images: h5py.Dataset | np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), BLOCK_ROWS):
        yield from images[start : start + BLOCK_ROWS]


def channels(image: np.ndarray, colour: bool) -> list[np.ndarray]:
    """Return the channels of a uint8 image (H, W) or (H, W, 3), each (H, W) float64 in 0..1.

    They are red, green and blue if `colour` is true, otherwise the luminance alone.
    """
    if not colour:
        return [grey(image)]
    planes = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    return list(np.moveaxis(planes, 2, 0) / 255.0)


def grey(image: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) float64 in 0..1 of a uint8 image (H, W) or (H, W, 3)."""
    return image / 255.0 if image.ndim == 2 else rgb2gray(image)
