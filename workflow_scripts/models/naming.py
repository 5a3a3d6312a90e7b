"""Predict the clusters of new images with saved models."""

import json
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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
from workflow_scripts.models.monitoring import groups_of_features
from workflow_scripts.models.saved import SavedModel
from workflow_scripts.preprocess.pipeline import preprocess_all
from workflow_scripts.preprocess.stack import images_of

ROWS = 256
"""Number of images that are in memory at once."""
Progress = Callable[[int, int], None]
Forward = Callable[[np.ndarray], dict[str, np.ndarray]]
"""Type of a function from uint8 images (n, H, W) or (n, H, W, 3) to {layer: (n, width) float32}."""


def predict_images(
    models: Mapping[str, SavedModel],
    images: Sequence[Path | Part],
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str], Progress],
) -> dict[str, pd.DataFrame]:
    """Return the predictions of each model for each image: a table as from `SavedModel.predict` for each name.

    The rows of each table are in the order of `images`, which are files or parts of files. Models with the same
    preprocessing and network share one pass over the images; `progress(name of the network)` returns a function that is
    called with (done, total) after each image. On the device that a model was made on, the images that it was made of
    get the same features again. Memory does not grow with the number of images. Raises `UserError` if the weights are
    not those of the model.
    """
    passes: defaultdict[str, dict[str, SavedModel]] = defaultdict(dict)
    for name, model in models.items():
        network = {key: value for key, value in model.facts["backbone"].items() if key != "layer"}
        passes[json.dumps([model.facts["preprocess"], network], sort_keys=True)][name] = model
    tables: dict[str, pd.DataFrame] = {}
    for alike in passes.values():
        features = features_of_files(list(alike.values()), images, max_pixels, device, workers, progress)
        parts = [{name: model.predict(of[model.layer]) for name, model in alike.items()} for of in features]
        tables |= {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in alike}
    return tables


def grouped(
    images: pd.DataFrame,
    model: SavedModel,
    folder: Path,
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str, str], Progress],
) -> pd.DataFrame:
    """Group the images of a folder that look alike to a model; return the table with a column `group`, from 0.

    `images` are from `monitoring.to_look_at`. Groups are those of `monitoring.groups_of_features`.
    """
    if images.empty:
        return images.assign(group=0)
    rows = images.sort_values("path")  # parts of a file follow each other
    blocks = features_of_files(
        [model], images_of(rows, folder), max_pixels, device, workers, lambda network: progress(network, "images")
    )
    features = pd.DataFrame(np.concatenate([block[model.layer] for block in blocks]), rows.index)
    return images.assign(group=groups_of_features(features.loc[images.index].to_numpy()))


def features_of_files(
    models: Sequence[SavedModel],
    images: Sequence[Path | Part],
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str], Progress],
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the features of the layers of models with one network, {layer: (n, d) float32}, for blocks of files."""
    backbone, steps = models[0].facts["backbone"], models[0].facts["preprocess"]["steps"]
    made = preprocess_all(images, steps, max_pixels=max_pixels, workers=workers, progress=progress(_name(backbone)))
    blocks = iter(lambda: list(islice(made, ROWS)), [])
    return features_of(models, map(np.stack, blocks), device, workers)


def features_of(
    models: Sequence[SavedModel], blocks: Iterator[np.ndarray], device: str, workers: int
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the features of the layers of models with one network, {layer: (n, d) float32}, block by block.

    `blocks` are preprocessed images, (n, H, W) or (n, H, W, 3) uint8. The first block is taken before torch starts
    threads, so that the blocks may come from forked processes.
    """
    first, backbone = next(blocks), models[0].facts["backbone"]
    where = torch.device(choose_device(device))
    layers = sorted({model.layer for model in models})
    tensors = ChainMap(*(dict(model.tensors) for model in models))
    on = _Machine(where, workers if where.type == "cpu" else CUDA_WORKERS)
    compute = _computing(backbone, layers, tensors, first.shape[1:3], on)
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


def _computing(
    backbone: Mapping[str, Any],
    layers: Sequence[str],
    tensors: Mapping[str, np.ndarray],
    image_size: tuple[int, int],
    on: _Machine,
    name: str = "",
) -> Forward:
    """Return a function that computes features of any number of images, in batches as when the model was made.

    `name` is that of the backbone if its features are joined to those of others, whose codebooks are in `tensors` too.
    """
    if "join" in backbone:
        return _joining(backbone, tensors, image_size, on)
    codebooks = {part: book for layer in layers for part, book in restored(layer, tensors, name).items()}
    forward = _forward(backbone, layers, codebooks, image_size, on.device)

    def compute(images: np.ndarray) -> dict[str, np.ndarray]:
        batches = padded_batches(images, 0, backbone["batch_size"])
        vectors = list(threaded_map(forward, batches, on.workers))
        return {layer: np.concatenate([batch[layer] for batch in vectors])[: len(images)] for layer in vectors[0]}

    return compute


def _joining(
    backbone: Mapping[str, Any], tensors: Mapping[str, np.ndarray], image_size: tuple[int, int], on: _Machine
) -> Forward:
    """Return a function that computes the features of several backbones, and joins them."""
    parts = backbone["join"]
    computing = [_computing(part, [part["layer"]], tensors, image_size, on, part["backbone"]) for part in parts]

    def compute(images: np.ndarray) -> dict[str, np.ndarray]:
        blocks = [of_part(images)[part["layer"]] for part, of_part in zip(parts, computing, strict=True)]
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

    Raises `UserError` for other weights, and for features from a file, which cannot be computed for new images.
    """
    if "file" in backbone:
        raise UserError(f"new_images: the features are from {backbone['file']} and cannot be computed for new images")
    if "descriptor" in backbone:
        return lambda images: {layers[0]: np.stack([describe(image, backbone) for image in images])}
    parts = {layer: parts_of(layer) for layer in layers}
    forward, loaded = prepare(backbone, sorted({part for of in parts.values() for part in of}), image_size, device)
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
        return {layer: side_by_side([vectors[part] for part in of], backbone["scales"]) for layer, of in parts.items()}

    return joined
