"""Extraction of the features of any number of layers in one forward pass, with one HDF5 store for each layer.

Batches have a fixed size (the last one is padded) and use one math thread each; several batches are computed at the
same time. So the features do not depend on the number of workers. A killed extraction goes on where it was.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, Self
from zlib import crc32

import h5py
import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import fx
from torch.nn.functional import interpolate

from workflow_scripts.backbones import network, weights
from workflow_scripts.backbones.codebook import SAMPLED_IMAGES, Codebook, learn, named, sampled
from workflow_scripts.backbones.family import family_of
from workflow_scripts.backbones.layers import parse_layer
from workflow_scripts.backbones.normalisation import Normalisation
from workflow_scripts.backbones.orbit import mean_over, views
from workflow_scripts.errors import UserError, refusals_of
from workflow_scripts.io import store
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.io.parallel import threaded_map
from workflow_scripts.provenance import digest

log = logging.getLogger(__name__)
BATCH_SIZE = {"cpu": 4, "cuda": 64}
"""Images per batch by device. On a CPU the activations of a small batch fit into the cache of a core; measured by
tests/benchmarks/bench_features.py."""
CUDA_WORKERS = 3
READ_ROWS = 64
SECONDS_BETWEEN_CHECKPOINTS = 60.0
ROW_DTYPE = np.dtype("<f4")
STORED_ROWS = 1024
CHECKED_BYTES = 1 << 24


@dataclass(frozen=True)
class ForwardPass:
    """A network cut to some layers, on a device. It turns uint8 images into {layer: (N, width) float32}."""

    network: fx.GraphModule
    normalisation: Normalisation
    device: torch.device
    size: int | None = None
    precision: str = "float32"
    orbit: bool = False
    pyramid: Sequence[float] = (1.0,)
    codebooks: Mapping[str, Codebook] = field(default_factory=dict)
    """The codebook of each layer that has one."""

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the features of each layer, (N, width) float32, of uint8 images (N, H, W) or (N, H, W, 3)."""
        turned = views(images) if self.orbit else [images]
        return mean_over(self._vectors(view, scale) for view in turned for scale in self.pyramid)

    def _vectors(self, images: np.ndarray, scale: float) -> dict[str, np.ndarray]:
        lower = self.precision != "float32"
        with torch.inference_mode(), torch.autocast(self.device.type, getattr(torch, self.precision), enabled=lower):
            outputs = self.network(shrunk(self.normalisation.prepare(images, self.size, self.device), scale))
        vectors = {layer: output.cpu().numpy() for layer, output in outputs.items()}
        return vectors | {layer: book.encode_all(vectors[layer]) for layer, book in self.codebooks.items()}

    def widths(self, image_shape: tuple[int, ...]) -> dict[str, int]:
        """Return the number of features of each layer.

        Raises `UserError` if the network cannot take images of this shape, (H, W) or (H, W, 3), at each scale, or if
        the numbers at the scales differ.
        """
        pixels = self.normalisation.prepare(np.zeros((1, *image_shape), np.uint8), self.size, self.device)
        first, *others = (self._widths(shrunk(pixels, scale)) for scale in self.pyramid)
        if uneven := sorted(layer for layer in first for other in others if other[layer] != first[layer]):
            raise UserError(f"pyramid: {uneven[0]} has another number of features at each scale; pool it, as by _avg")
        return first | {layer: book.width for layer, book in self.codebooks.items()}

    def _widths(self, pixels: torch.Tensor) -> dict[str, int]:
        """Return the number of features of each layer, without its codebook, for a network's input (1, 3, H, W)."""
        try:
            with torch.inference_mode():  # not the graph itself, which prints its source when it fails
                outputs = fx.Interpreter(self.network).run(pixels)
        except (AssertionError, RuntimeError) as error:
            side = " x ".join(map(str, pixels.shape[2:]))
            reason = str(error).splitlines()[0].split(" but got Proxy")[0]  # a Proxy is a number of the tracer
            raise UserError(f"size: the network does not take images of {side} pixels: {reason}") from None
        return {layer: output.shape[-1] for layer, output in outputs.items()}


def shrunk(pixels: torch.Tensor, scale: float) -> torch.Tensor:
    """Return a network's input (N, 3, H, W) at `scale` times its size (bilinear, with anti-aliasing); 1 changes
    nothing."""
    if scale == 1:
        return pixels
    size = [max(1, round(side * scale)) for side in pixels.shape[2:]]
    resized = interpolate(pixels, size, mode="bilinear", antialias=True)
    return resized.contiguous(memory_format=torch.channels_last)


def prepare(
    backbone: Mapping[str, Any], layers: Sequence[str], image_size: tuple[int, int], device: torch.device
) -> tuple[ForwardPass, weights.Loaded]:
    """Return the forward pass that computes `layers`, and the network with its weights.

    `backbone` has the keys of `weights.Backbone`; `image_size` is the height and width of the images, pixels. Raises
    `UserError` if the weights do not have tensors that a layer needs, or if the network cannot take images of this
    size.
    """
    chosen = weights.Backbone.of(backbone)
    resolved = network.resolve(chosen.model, layers)
    family, name = family_of(chosen.model)
    if trouble := family.refuses_size(name, (chosen.size, chosen.size) if chosen.size else image_size):
        raise UserError(f"size: {trouble}")
    loaded = weights.load(backbone, side=image_size[0])
    cut = network.cut(chosen.model, loaded.network, resolved)
    if lacking := sorted(loaded.missing & cut.state_dict().keys()):
        raise UserError(
            f"weights: {chosen.weights} does not have {lacking[0]}, which {', '.join(layers)} of {chosen.model} need"
        )
    cut = network.fold_batch_norms(cut).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    forward = ForwardPass(
        cut, loaded.normalisation, device, chosen.size, chosen.precision, chosen.orbit, chosen.pyramid
    )
    return forward, loaded


def extract(
    images: h5py.Dataset | np.ndarray,
    image_ids: Sequence[str],
    backbone: Mapping[str, Any],
    outputs: Mapping[str, Path],
    attributes: Mapping[str, Any],
    device: str = "auto",
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
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
    attributes : of the stores; the layer, the backbone's settings and facts about the weights are added.
    device : `cpu`, `cuda` or `auto`.
    workers : number of batches that are computed at the same time on a CPU.
    report : called with (done, total) after each batch.
    """
    where = torch.device(choose_device(device))
    forward, loaded = prepare(backbone, list(outputs), images.shape[1:3], where)
    chosen = weights.Backbone.of(backbone)
    batch_size = chosen.batch_size or BATCH_SIZE[where.type]
    forward = replace(forward, codebooks=codebooks(forward, images, list(outputs), batch_size, chosen.seed))
    facts = {**attributes, "backbone": asdict(chosen), **loaded.facts, "batch_size": batch_size, "device": where.type}
    widths = forward.widths(images.shape[1:])
    # the last bits of a codebook's products depend on BLAS's threads, whose number all workers share
    stores = Rows(outputs, widths, image_ids, facts, loaded.trained_on, forward.codebooks)
    with threadpool_limits(1, user_api="blas"), stores as rows:
        layers = ", ".join(map(str, widths.items()))
        log.info("%d images, of which %d are done; layers and widths: %s", len(images), rows.done, layers)
        batches = padded_batches(images, rows.done, batch_size)
        for vectors in threaded_map(forward, batches, workers if where.type == "cpu" else CUDA_WORKERS):
            rows.append(vectors)
            if report:
                report(rows.done, len(images))


def codebooks(
    forward: ForwardPass, images: h5py.Dataset | np.ndarray, layers: Sequence[str], batch_size: int, seed: int
) -> dict[str, Codebook]:
    """Return the codebook of each of `layers` that has one, learned on a sample of the images (N, H, W) or (N, H, W,
    3).

    The images are taken as they are, without the views of `orbit` and `pyramid`. `seed` draws the sample.
    """
    encoded = {layer: parsed for layer in layers if (parsed := parse_layer(layer)).words}
    if not encoded:
        return {}
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(images))[:SAMPLED_IMAGES])
    samples: dict[str, list[np.ndarray]] = {layer: [] for layer in encoded}
    batches = padded_batches(images[rows], 0, batch_size)
    for maps in threaded_map(replace(forward, orbit=False, pyramid=(1.0,)), batches, 1):
        for layer, sample in samples.items():
            sample += [sampled(of_image, generator) for of_image in maps[layer][: len(rows) - len(sample)]]
    return {
        layer: learn(parsed.pooling, parsed.words, np.concatenate(samples[layer]), seed)
        for layer, parsed in encoded.items()
    }


def padded_batches(images: h5py.Dataset | np.ndarray, start: int, batch_size: int) -> Iterator[np.ndarray]:
    """Yield the images (N, H, W) or (N, H, W, 3) from number `start` on in batches of `batch_size`.

    The last batch is filled up with zeros. Images are read from the disk in larger blocks.
    """
    block_rows = max(1, READ_ROWS // batch_size) * batch_size
    for block_start in range(start, len(images), block_rows):
        block = images[block_start : block_start + block_rows]
        short = -len(block) % batch_size
        padded = np.concatenate([block, np.zeros((short, *block.shape[1:]), block.dtype)]) if short else block
        yield from np.split(padded, len(padded) // batch_size)


class Rows:
    """A writer of the stores of one pass that can go on after it was killed. It is a context manager.

    Until the end the rows of each layer are in a plain file, and a small file says how many of them are on the disk,
    with their checksums. So a kill damages only rows that are then written again, rows that were damaged later are
    computed anew, and the bytes of the stores are those of an uninterrupted run.

    Parameters
    ----------
    outputs : the path of the store of each layer.
    widths : the number of features of each layer.
    image_ids : N str.
    attributes : of the stores; the layer is added.
    trained_on : the ids of the images that the network was trained on.
    codebooks : the codebook of each layer that has one, which its store keeps.
    """

    def __init__(
        self,
        outputs: Mapping[str, Path],
        widths: Mapping[str, int],
        image_ids: Sequence[str],
        attributes: Mapping[str, Any],
        trained_on: Sequence[str] = (),
        codebooks: Mapping[str, Codebook] | None = None,
    ) -> None:
        self.outputs, self.widths, self.image_ids = outputs, widths, image_ids
        self.attributes, self.trained_on, self.codebooks = attributes, trained_on, codebooks or {}
        self.made_from = digest([list(outputs), dict(widths), dict(attributes), list(image_ids)])
        self.done = self.saved = 0
        self._checksums = dict.fromkeys(outputs, 0)
        self._progress = _beside(next(iter(outputs.values())), "progress")
        self._streams: dict[str, BinaryIO] = {}
        self._open = ExitStack()
        self._last = monotonic()

    def __enter__(self) -> Self:
        for path in self.outputs.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        self._take_over()
        for layer, path in self.outputs.items():
            stream = self._open.enter_context(open(_beside(path, "rows"), "r+b" if self.done else "wb"))
            stream.seek(self.done * self._row_bytes(layer))
            self._streams[layer] = stream
        return self

    def _take_over(self) -> None:
        """Go on from the rows of a killed run, if it was the same in everything and they are whole."""
        try:
            found = json.loads(self._progress.read_text())
            done, checksums = int(found["rows"]), dict(found["checksums"])
            if found["made_from"] == self.made_from and checksums == {
                layer: _checksum(_beside(path, "rows"), done * self._row_bytes(layer))
                for layer, path in self.outputs.items()
            }:
                self.done = self.saved = done
                self._checksums = checksums
        except (OSError, ValueError, KeyError, TypeError):
            log.info("no rows of an earlier run that are whole")

    def _row_bytes(self, layer: str) -> int:
        return self.widths[layer] * ROW_DTYPE.itemsize

    def append(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Write the next rows of every layer, (n, width) each; rows after the last image are padding.

        Raises `UserError` for features that are infinite or NaN.
        """
        count = min(len(next(iter(vectors.values()))), len(self.image_ids) - self.done)
        for layer, values in vectors.items():
            rows = np.ascontiguousarray(values[:count], ROW_DTYPE)
            if not np.isfinite(rows).all():
                image = self.image_ids[self.done + int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])]
                raise UserError(
                    f"{self.outputs[layer]}: the network gives numbers that are infinite or none (NaN) for image "
                    f"{image}; take other weights, another normalise, or precision: float32"
                )
            with refusals_of(self.outputs[layer]):
                self._streams[layer].write(rows.data)
            self._checksums[layer] = crc32(rows.data, self._checksums[layer])
        self.done += count
        if monotonic() - self._last > SECONDS_BETWEEN_CHECKPOINTS:
            self.save()

    def save(self) -> None:
        """Flush all rows to the disk, then write how many there are."""
        for layer, stream in self._streams.items():
            with refusals_of(self.outputs[layer]):
                stream.flush()
                os.fsync(stream.fileno())
        with store.replacing(self._progress) as temporary:
            said = {"made_from": self.made_from, "rows": self.done, "checksums": self._checksums}
            temporary.write_text(json.dumps(said))
        self.saved, self._last = self.done, monotonic()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with refusals_of(next(iter(self.outputs.values()))):
            try:
                if self.done > self.saved:
                    self.save()
            finally:
                self._open.close()
        if kind is None:
            self._store()

    def _store(self) -> None:
        ids = np.array(self.image_ids, dtype="S")
        seen = {content_hash(image) for image in self.trained_on}
        for layer, path in self.outputs.items():
            shape = len(ids), self.widths[layer]
            rows = np.memmap(_beside(path, "rows"), ROW_DTYPE, "r", shape=shape)
            with store.writing(path, {**self.attributes, "layer": layer}) as file:
                store.put(file, "image_id", ids)
                if layer in self.codebooks:
                    for name, array in named(layer, self.codebooks[layer]).items():
                        store.put(file, name, array)
                if seen:
                    store.put(file, "trained_on", np.array([content_hash(image) in seen for image in self.image_ids]))
                with store.filling(file, "features", shape, ROW_DTYPE) as features:
                    for start in range(0, len(ids), STORED_ROWS):
                        features[start : start + STORED_ROWS] = rows[start : start + STORED_ROWS]
        for path in self.outputs.values():
            _beside(path, "rows").unlink()
        self._progress.unlink()


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _checksum(path: Path, n_bytes: int) -> int | None:
    """Return the CRC-32 of the first bytes of a file; None where it has fewer."""
    checksum = 0
    with open(path, "rb") as stream:
        while n_bytes:
            block = stream.read(min(n_bytes, CHECKED_BYTES))
            if not block:
                return None
            checksum, n_bytes = crc32(block, checksum), n_bytes - len(block)
    return checksum
