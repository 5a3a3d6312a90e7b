"""Read and write stores, that is HDF5 files with results.

A store appears only when it is complete, and its attributes say how it was made.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from io import FileIO
from math import prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike

from workflow_scripts.errors import UserError, refused_input
from workflow_scripts.io.files import replacing
from workflow_scripts.provenance import digest

FORMAT_VERSION = 1
CHUNK_BYTES = 1 << 19
"""Largest size in bytes of a chunk, whose rows share a checksum; half of HDF5's chunk cache."""
DECIDING_LIBRARIES = (
    *("numpy", "scipy", "scikit-learn", "scikit-image", "torch", "torchvision"),
    *("openTSNE", "umap-learn"),
)


@contextmanager
def writing(path: str | os.PathLike[str], attributes: Mapping[str, Any]) -> Iterator[h5py.File]:
    """Yield a new HDF5 file, which appears under `path` only when the block ends without an error.

    `attributes` say how the file was made: `settings` (any JSON value), `code` (digest), `manifest` (digest) and other
    facts, such as `weights_sha256`. The format version and the versions of the libraries are added. Headers, attributes
    and arrays written by `put` have checksums, so that `reading` notices damage.
    """
    with replacing(path) as temporary, _Disk(temporary, "w+") as disk, h5py.File(disk, "w", libver="v110") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        for name, value in {"libraries": _libraries(), **attributes}.items():
            _put_attribute(file, name, value)
        yield file
        _check_no_times(file)
        file.flush()


@cache
def _libraries() -> dict[str, str]:
    """Return the versions of the libraries that decide the numbers. Finding them takes 10 ms for each library."""
    return {name: version(name) for name in DECIDING_LIBRARIES}


class _Disk(FileIO):
    """A file object for HDF5 that remembers an error of the disk and raises it at the next flush.

    If a write fails while HDF5 closes a dataset, HDF5 itself reports no error and crashes later.
    """

    _error: OSError | None = None
    _raised = False

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while self._error is None and len(rest):
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self._error = error
        return len(data)

    def flush(self) -> None:
        if self._error and not self._raised:
            self._raised = True
            raise self._error


def _check_no_times(file: h5py.File) -> None:
    """Raise `ValueError` if an object in the file stores the time of its creation, so that equal files would differ.

    If the name of a new dataset contains a slash, such as `a/b`, and the group `a` does not exist yet, HDF5 makes this
    group itself, and the group stores its time.
    """
    names: list[str] = []
    file.visit(names.append)
    for name in names:
        if file[name].id.get_create_plist().get_obj_track_times():
            raise ValueError(f"{name} keeps the time at which it was made; make its group with create_group")


@contextmanager
def reading(path: str | os.PathLike[str], manifest: str | None = None) -> Iterator[h5py.File]:
    """Open an HDF5 file of this project for reading, without locks.

    Raises `UserError` if the file is damaged (also if the damage is found only inside the block), if it has another
    format version, or if `manifest` (a digest) is given and the file was made from another manifest.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            stored_version = file.attrs.get("format_version")
            if stored_version != FORMAT_VERSION:
                allowed = f"allowed: {FORMAT_VERSION}; delete it and run again"
                raise UserError(f"{path}: format version {stored_version}, {allowed}")
            if manifest is not None and text(file, "manifest") != manifest:
                raise UserError(f"{path}: made from another manifest than the present one; delete it and run again")
            yield file
    except UserError:
        raise
    except Exception as error:  # HDF5 raises many kinds of errors for a damaged file
        if f"'{os.fspath(path)}'" in str(error) and (refused := refused_input(error, path)):
            raise refused from None
        if _is_whole(path):
            raise  # the error has another cause, or belongs to another open file
        reason = " ".join(str(error.args[-1] if error.args else error).split())
        raise UserError(f"{path}: damaged ({reason}); delete it and run again") from None


def _is_whole(path: str | os.PathLike[str]) -> bool:
    """Return whether everything in a file can be read."""

    def read(_: str, item: h5py.Group | h5py.Dataset) -> None:
        dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            for part in item.iter_chunks() if item.chunks and item.size else [()]:
                item[part]

    try:
        with h5py.File(path, "r", locking=False) as file:
            dict(file.attrs)
            file.visititems(read)
    except Exception:
        return False
    return True


def _put_attribute(file: h5py.File, name: str, value: Any) -> None:
    """Write a number or a text as it is, and any other value as JSON.

    Texts are stored with a fixed length, because HDF5 has no checksums for texts of variable length.
    """
    if isinstance(value, int | float):
        file.attrs[name] = value
        return
    encoded = (value if isinstance(value, str) else json.dumps(value, sort_keys=True)).encode()
    file.attrs.create(name, encoded, dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def put(group: h5py.Group, name: str, values: Any, compression: str | None = None) -> None:
    """Write an array or a scalar into a group under a name.

    An array gets checksums, so that a reader notices damage. HDF5 has none for scalars.
    """
    group.create_dataset(name, data=values, compression=compression, fletcher32=np.ndim(values) > 0)
    group.file.flush()


@contextmanager
def filling(
    group: h5py.Group, name: str, shape: tuple[int, ...], dtype: DTypeLike, chunks: tuple[int, ...] | None = None
) -> Iterator[h5py.Dataset]:
    """Yield a new dataset with checksums, which is then written block by block.

    `chunks` is the shape of its chunks. If it is None, a chunk has as many whole rows as fit into `CHUNK_BYTES`.
    """
    rows = CHUNK_BYTES // max(1, np.dtype(dtype).itemsize * prod(shape[1:]))
    whole_rows = (min(max(1, rows), shape[0]), *shape[1:]) if shape[0] else True  # HDF5 has no chunks of 0 rows
    dataset = group.create_dataset(name, shape, dtype, chunks=chunks or whole_rows, fletcher32=True)
    yield dataset
    group.file.flush()


def provenance(code: str, manifest: str, settings: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """Return the attributes of a store: the digests of code and manifest, the settings, and other `facts`."""
    return {"code": code, "manifest": manifest, "settings": dict(settings), **facts}


def manifest_digest(image_ids: Iterable[str]) -> str:
    """Return a digest of the image ids and their order; it does not depend on labels, which may change."""
    return digest(list(image_ids))


def text(file: h5py.File, name: str) -> str:
    """Return an attribute that `writing` stored as a text."""
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else value


def attribute(file: h5py.File, name: str) -> Any:
    """Return an attribute that `writing` stored as JSON."""
    return json.loads(text(file, name))


def attributes(file: h5py.File) -> dict[str, Any]:
    """Return all attributes of a store but the format version, in the form in which `writing` takes them."""
    values = {name: value for name, value in file.attrs.items() if name != "format_version"}
    return {name: value.item() if isinstance(value, np.number) else text(file, name) for name, value in values.items()}


def row_facts(file: h5py.File) -> dict[str, np.ndarray]:
    """Read the arrays that describe the rows of a store: `image_id` (N,) and, if it is known, `trained_on` (N,).

    Every store that is made from this one repeats them.
    """
    return {name: file[name][:] for name in ("image_id", "trained_on") if name in file}


def write_row_facts(file: h5py.File, facts: Mapping[str, np.ndarray]) -> None:
    """Write the arrays (N,) that `row_facts` read from another store with the same rows."""
    for name, values in facts.items():
        put(file, name, values)


def image_ids(file: h5py.File) -> np.ndarray:
    """Read the image ids of the rows, (N,) str."""
    return file["image_id"].asstr()[:]


def put_image_ids(file: h5py.File, ids: Iterable[str]) -> None:
    """Write the image ids of the rows, (N,), as ASCII of a fixed length."""
    put(file, "image_id", np.array(list(ids), dtype="S"))


def trained_on(file: h5py.File) -> np.ndarray | None:
    """Read for each image whether the network was trained on its label, (N,) bool; None if there was no training."""
    return file["trained_on"][:] if "trained_on" in file else None
