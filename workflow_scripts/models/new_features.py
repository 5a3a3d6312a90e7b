"""Compute features of new images for saved models, in the same way as for the images of the models."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from workflow_scripts.backbones.codebook import Codebook, restored
from workflow_scripts.backbones.descriptors import LAYER, describe
from workflow_scripts.backbones.extract import CUDA_WORKERS, padded_batches
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.joined import side_by_side
from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.errors import UserError
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.parallel import threaded_map
from workflow_scripts.io.pixels import Part
from workflow_scripts.models.saved import SavedModel
from workflow_scripts.preprocess.pipeline import preprocess_all

ROWS = 256
"""Number of images that are in memory at once."""
Progress = Callable[[int, int], None]
Forward = Callable[[np.ndarray], dict[str, np.ndarray]]
"""The type of functions from images (n, H, W) or (n, H, W, 3) uint8 to features {layer: (n, width) float32}."""


def features_of_images(
    models: Sequence[SavedModel],
    images: Sequence[Path | Part],
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str], Progress],
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the features {layer: (n, d) float32} of images, block by block, for models with the same network.

    The images are files or parts of files; they are preprocessed first. All models must have the same preprocessing and
    network, and may differ in the layer. `progress` is called with the network's name and returns the function that is
    called after each image.
    """
    backbone, steps = models[0].facts["backbone"], models[0].facts["preprocess"]["steps"]
    made = preprocess_all(images, steps, max_pixels=max_pixels, workers=workers, progress=progress(_name(backbone)))
    blocks = iter(lambda: list(islice(made, ROWS)), [])
    return features_of(models, map(np.stack, blocks), device, workers)


def features_of(
    models: Sequence[SavedModel], blocks: Iterator[np.ndarray], device: str, workers: int
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the features {layer: (n, d) float32} of each block of images, for models with the same network.

    `blocks` are preprocessed images, (n, H, W) or (n, H, W, 3) uint8. The first block is taken before torch starts its
    threads. This is because the blocks may come from processes, and a process that has threads should not be forked.
    """
    first, backbone = next(blocks), models[0].facts["backbone"]
    torch_device = torch.device(choose_device(device))
    layers = sorted({model.layer for model in models})
    tensors = ChainMap(*(dict(model.tensors) for model in models))
    machine = _Machine(torch_device, workers if torch_device.type == "cpu" else CUDA_WORKERS)
    compute = _in_batches(backbone, layers, tensors, first.shape[1:3], machine)
    for block in chain([first], blocks):
        with threadpool_limits(1, user_api="blas"):  # as when the features of the model were extracted
            yield compute(block)


def _name(backbone: Mapping[str, Any]) -> str:
    if "join" in backbone:
        return " + ".join(map(_name, backbone["join"]))
    return backbone.get("model") or backbone.get("descriptor") or backbone["file"]


@dataclass(frozen=True)
class _Machine:
    """A device, and the number of batches that are computed on it at the same time."""

    device: torch.device
    workers: int


def _in_batches(
    backbone: Mapping[str, Any],
    layers: Sequence[str],
    tensors: Mapping[str, np.ndarray],
    image_size: tuple[int, int],
    machine: _Machine,
    name: str = "",
) -> Forward:
    """Return a function that computes the features of any number of images, with the batch size that the model was made
    with.

    `name` is "", except if features of several backbones are joined. Then it is the name of this backbone, by which its
    codebooks are found in `tensors`.
    """
    if "join" in backbone:
        return _joined(backbone, tensors, image_size, machine)
    codebooks = {part: book for layer in layers for part, book in restored(layer, tensors, name).items()}
    forward = _forward(backbone, layers, codebooks, image_size, machine.device)

    def compute(images: np.ndarray) -> dict[str, np.ndarray]:
        batches = padded_batches(images, 0, len(images), backbone["batch_size"])
        vectors = list(threaded_map(forward, batches, machine.workers))
        return {layer: np.concatenate([batch[layer] for batch in vectors])[: len(images)] for layer in vectors[0]}

    return compute


def _joined(
    backbone: Mapping[str, Any], tensors: Mapping[str, np.ndarray], image_size: tuple[int, int], machine: _Machine
) -> Forward:
    """Return a function that computes the features of several backbones and puts them side by side."""
    parts = backbone["join"]
    forwards = [_in_batches(part, [part["layer"]], tensors, image_size, machine, part["backbone"]) for part in parts]

    def compute(images: np.ndarray) -> dict[str, np.ndarray]:
        blocks = [forward(images)[part["layer"]] for part, forward in zip(parts, forwards, strict=True)]
        return {LAYER: side_by_side(blocks, backbone["scales"])}

    return compute


def _forward(
    backbone: Mapping[str, Any],
    layers: Sequence[str],
    codebooks: Mapping[str, Codebook],
    image_size: tuple[int, int],
    device: torch.device,
) -> Forward:
    """Return a function that computes the features of a batch of images.

    Raises `UserError` if the network's weights differ from those with which the saved model was made, or if the
    features come from a file of the user, because these cannot be computed for new images.
    """
    if "file" in backbone:
        raise UserError(f"new_images: the features are from {backbone['file']} and cannot be computed for new images")
    if "descriptor" in backbone:
        return lambda images: {layers[0]: np.stack([describe(image, backbone) for image in images])}
    parts = {layer: parts_of(layer) for layer in layers}
    forward, loaded = prepare(backbone, sorted(set(chain.from_iterable(parts.values()))), image_size, device)
    if (digest := loaded.facts["weights_sha256"]) != backbone["weights_sha256"]:
        raise UserError(
            f"weights: found SHA-256 {digest} for {backbone['weights']}, the model was made with "
            f"{backbone['weights_sha256']}; make the model again, or bring the weights it was made with"
        )
    encoded = replace(forward, codebooks=codebooks)
    if "scales" not in backbone:
        return encoded

    def joined(images: np.ndarray) -> dict[str, np.ndarray]:
        vectors = encoded(images)
        return {
            layer: side_by_side([vectors[part] for part in names], backbone["scales"]) for layer, names in parts.items()
        }

    return joined
