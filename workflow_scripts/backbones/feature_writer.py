"""Write the feature stores of one forward pass. If the job is killed, the next run goes on where it stopped."""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO, Self
from zlib import crc32

import numpy as np

from workflow_scripts.backbones.codebook import Codebook, named
from workflow_scripts.errors import UserError, refusals_of
from workflow_scripts.io import store
from workflow_scripts.io.files import replacing
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.provenance import digest

log = logging.getLogger(__name__)
SECONDS_BETWEEN_CHECKPOINTS = 60.0
ROW_DTYPE = np.dtype("<f4")
"""Type of the features in the stores."""
BYTES_AT_ONCE = 1 << 24
"""The number of bytes that are read at once."""


class FeatureWriter:
    """A context manager that writes the feature stores of one forward pass, and can go on after the job was killed.

    The stores are written at the end. Until then the rows of each layer are in a plain file, and a small file says how
    many of them are on the disk, with their checksums. After a kill, rows that are not on the disk are computed again;
    if the files are damaged, all rows are. So the stores have the same bytes as those of an uninterrupted run.

    Parameters
    ----------
    outputs : the path of the store of each layer.
    widths : the number of features of each layer.
    image_ids : N str.
    attributes : attributes of the stores; the layer is added.
    trained_on : the ids of the images that the network was trained on.
    codebooks : the codebook of each layer that has one; its arrays go into the store of the layer.
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
            stream.truncate()
            self._streams[layer] = stream
        return self

    def _take_over(self) -> None:
        """Take over the rows of an earlier run that was killed.

        Nothing is taken over if the settings or the images have changed, or if a file is damaged.
        """
        try:
            progress = json.loads(self._progress.read_text())
            done, checksums = int(progress["rows"]), dict(progress["checksums"])
            if progress["made_from"] == self.made_from and checksums == {
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
        """Write the next rows of every layer, (n, width) each; rows beyond the last image are padding and are left out.

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
        with replacing(self._progress) as temporary:
            progress = {"made_from": self.made_from, "rows": self.done, "checksums": self._checksums}
            temporary.write_text(json.dumps(progress))
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
        seen = {content_hash(image) for image in self.trained_on}
        arrays = {"image_id": np.array(self.image_ids, "S")}
        if seen:
            arrays["trained_on"] = np.array([content_hash(image) in seen for image in self.image_ids], bool)
        for layer, path in self.outputs.items():
            codebook = named(layer, self.codebooks[layer]) if layer in self.codebooks else {}
            rows = _stored_rows(_beside(path, "rows"), self.widths[layer])
            write_features(path, {**self.attributes, "layer": layer}, {**arrays, **codebook}, self.widths[layer], rows)
        for path in self.outputs.values():
            _beside(path, "rows").unlink()
        self._progress.unlink(missing_ok=True)  # a shard without images has none


def write_features(
    path: Path,
    attributes: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    width: int,
    blocks: Iterable[np.ndarray],
) -> None:
    """Write the feature store of a layer.

    The bytes of the file depend neither on the order of `attributes` and `arrays` nor on the lengths of the blocks.

    Parameters
    ----------
    path : the path of the store.
    attributes : the attributes of the store.
    arrays : the other arrays of the store by name, at least `image_id` (N,).
    width : the number of features.
    blocks : the features of the first images, the next, and so on, (n, width) float32 each.
    """
    with store.writing(path, dict(sorted(attributes.items()))) as file:
        for name, array in sorted(arrays.items()):
            store.put(file, name, array)
        with store.filling(file, "features", (len(arrays["image_id"]), width), ROW_DTYPE) as features:
            done = 0
            for block in blocks:
                features[done : done + len(block)] = block
                done += len(block)


def rows_at_once(width: int) -> int:
    """Return the number of rows of `width` features that are copied into a store at once."""
    return max(1, BYTES_AT_ONCE // (width * ROW_DTYPE.itemsize))


def _stored_rows(path: Path, width: int) -> Iterator[np.ndarray]:
    """Yield the rows in a file in blocks, (n, width) float32 each."""
    with open(path, "rb") as stream:
        while len(values := np.fromfile(stream, ROW_DTYPE, rows_at_once(width) * width)):
            yield values.reshape(-1, width)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")


def _checksum(path: Path, n_bytes: int) -> int | None:
    """Return the CRC-32 of the first `n_bytes` bytes of a file; None if it has fewer."""
    checksum = 0
    with open(path, "rb") as stream:
        while n_bytes:
            block = stream.read(min(n_bytes, BYTES_AT_ONCE))
            if not block:
                return None
            checksum, n_bytes = crc32(block, checksum), n_bytes - len(block)
    return checksum
