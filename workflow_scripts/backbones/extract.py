"""Extract the features of any number of layers in one forward pass, and write one feature store (HDF5) for each layer.

Batches have a fixed size (the last one is padded) and use one math thread each; several batches are computed at the
same time. So the features do not depend on the number of workers. If an extraction was stopped, the next one continues
where it ended.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from workflow_scripts.backbones import weights
from workflow_scripts.backbones.codebook import SAMPLED_IMAGES, Codebook, learn, sampled
from workflow_scripts.backbones.feature_writer import FeatureWriter
from workflow_scripts.backbones.forward import ForwardPass, prepare
from workflow_scripts.backbones.layers import parse_layer
from workflow_scripts.backbones.shards import WHOLE, rows_of
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.parallel import threaded_map

log = logging.getLogger(__name__)
BATCH_SIZE = {"cpu": 4, "cuda": 64}
"""The number of images in a batch, by device. On a CPU the activations of a small batch fit into the cache of a core;
measured by tests/benchmarks/bench_features.py."""
CUDA_WORKERS = 3
"""Number of batches that are processed at once for a GPU: while it computes one, others are read and copied."""
READ_ROWS = 64
"""About the number of images that are read at once, a multiple of the batch size."""


def extract(
    images: h5py.Dataset | np.ndarray,
    image_ids: Sequence[str],
    backbone: Mapping[str, Any],
    outputs: Mapping[str, Path],
    attributes: Mapping[str, Any],
    device: str = "auto",
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
    shard: str = WHOLE,
) -> None:
    """Write one feature store for each layer, all from one forward pass.

    A store has `features` (N, width) float32, `image_id` (N,), the arrays of the layer's codebook if it has one, and,
    after fine-tuning, `trained_on` (N,) bool: whether the network was trained on the image and its label. Memory does
    not grow with N.

    Parameters
    ----------
    images : uint8 (N, H, W) or (N, H, W, 3).
    image_ids : N str.
    backbone : the keys of `weights.Backbone`.
    outputs : the path of the store of each layer.
    attributes : attributes of the stores; the layer, the backbone's settings and facts about the weights are added.
    device : `cpu`, `cuda` or `auto`.
    workers : number of batches that are computed at the same time on a CPU.
    report : called with (done, total) after each batch.
    shard : the name of the shard whose images are computed (see `shards`). Codebooks are learned on all images, so that
        they are the same in all shards.
    """
    where = torch.device(choose_device(device))
    forward, loaded = prepare(backbone, list(outputs), images.shape[1:3], where)
    chosen = weights.Backbone.of(backbone)
    batch_size = chosen.batch_size or BATCH_SIZE[where.type]
    forward = replace(forward, codebooks=codebooks(forward, images, list(outputs), batch_size, chosen.seed))
    facts = {**attributes, "backbone": asdict(chosen), **loaded.facts, "batch_size": batch_size, "device": where.type}
    widths = forward.widths(images.shape[1:])
    own = rows_of(shard, len(images), batch_size)
    ids = image_ids[own]
    # the last bits of a codebook's products depend on BLAS's threads, whose number all workers share
    stores = FeatureWriter(outputs, widths, ids, facts, loaded.trained_on, forward.codebooks)
    with threadpool_limits(1, user_api="blas"), stores as rows:
        layers = ", ".join(map(str, widths.items()))
        log.info("%d images, of which %d are done; layers and widths: %s", len(ids), rows.done, layers)
        batches = padded_batches(images, own.start + rows.done, own.stop, batch_size)
        for vectors in threaded_map(forward, batches, workers if where.type == "cpu" else CUDA_WORKERS):
            rows.append(vectors)
            if report:
                report(rows.done, len(ids))


def codebooks(
    forward: ForwardPass, images: h5py.Dataset | np.ndarray, layers: Sequence[str], batch_size: int, seed: int
) -> dict[str, Codebook]:
    """Return the codebook of each of `layers` that needs one, learned on a sample of images (N, H, W) or (N, H, W, 3).

    The images are not rotated, flipped or shrunk, whatever the settings `orbit` and `pyramid` say. `seed` is the seed
    of the random sample.
    """
    encoded = {layer: parsed for layer in layers if (parsed := parse_layer(layer)).words}
    if not encoded:
        return {}
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(images))[:SAMPLED_IMAGES])
    samples: dict[str, list[np.ndarray]] = {layer: [] for layer in encoded}
    batches = padded_batches(images[rows], 0, len(rows), batch_size)
    for maps in threaded_map(replace(forward, orbit=False, pyramid=(1.0,)), batches, 1):
        for layer, sample in samples.items():
            sample += [sampled(of_image, generator) for of_image in maps[layer][: len(rows) - len(sample)]]
    return {
        layer: learn(parsed.pooling, parsed.words, np.concatenate(samples[layer]), seed)
        for layer, parsed in encoded.items()
    }


def padded_batches(images: h5py.Dataset | np.ndarray, start: int, stop: int, batch_size: int) -> Iterator[np.ndarray]:
    """Yield the images from `start` to `stop` of (N, H, W) or (N, H, W, 3) in batches of `batch_size`.

    The last batch is filled up with zeros. Images are read from the disk in larger blocks.
    """
    block_rows = max(1, READ_ROWS // batch_size) * batch_size
    for block_start in range(start, stop, block_rows):
        block = images[block_start : min(block_start + block_rows, stop)]
        short = -len(block) % batch_size
        padded = np.concatenate([block, np.zeros((short, *block.shape[1:]), block.dtype)]) if short else block
        yield from np.split(padded, len(padded) // batch_size)
