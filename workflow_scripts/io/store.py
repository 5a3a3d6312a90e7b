"""The HDF5 contract: one writer, whole files only, and attributes that hold the whole truth about a file."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import h5py
import numpy as np

from workflow_scripts.errors import UserError
from workflow_scripts.io.files import replacing
from workflow_scripts.provenance import digest

FORMAT_VERSION = 1
DECIDING_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-image", "torch", "torchvision", "openTSNE")
_FAILED_TO_READ = ("Unable to", "Can't open", "Can't synchronously open", "Can't read", "Can't synchronously read")
"""What HDF5's messages begin with where a file is not what was written; a full disk says `Can't write`."""


@contextmanager
def writing(path: str | os.PathLike[str], attributes: Mapping[str, Any]) -> Iterator[h5py.File]:
    """Give a new HDF5 file that appears under `path` only when it is whole.

    `attributes` are what made the file: `settings` (any JSON value), `code` (digest), `manifest` (digest) and whatever
    else the stage knows (`weights_sha256`, ...). The format version and the versions of the libraries are added.
    What is written by `put`, headers and attributes have checksums: a reader sees whether they are damaged.
    """
    with replacing(path) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        libraries = {name: version(name) for name in DECIDING_LIBRARIES}
        for name, value in {"libraries": libraries, **attributes}.items():
            _put_attribute(file, name, value)
        yield file
        _check_no_times(file)


def _check_no_times(file: h5py.File) -> None:
    """Raise `ValueError` for an object that keeps the time at which it was made: the same content, other bytes.

    HDF5 makes such groups where a name holds a slash and the group before it is not there.
    """
    names: list[str] = []
    file.visit(names.append)
    for name in names:
        if file[name].id.get_create_plist().get_obj_track_times():
            raise ValueError(f"{name} keeps the time at which it was made; make its group with create_group")


@contextmanager
def reading(path: str | os.PathLike[str], manifest: str | None = None) -> Iterator[h5py.File]:
    """Give an HDF5 file of this project, opened without locks.

    Raises `UserError` when the file is damaged, also where that shows only while it is read, when it is of another
    format version or, if `manifest` (a digest) is given, when it was made from another manifest.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            version_there = file.attrs.get("format_version")
            if version_there != FORMAT_VERSION:
                allowed = f"allowed: {FORMAT_VERSION}; delete it and run again"
                raise UserError(f"{path}: format version {version_there}, {allowed}")
            if manifest is not None and text(file, "manifest") != manifest:
                raise UserError(f"{path}: made from another manifest than the present one; delete it and run again")
            yield file
    except (OSError, KeyError, RuntimeError) as error:
        reason = str(error.args[0]) if error.args else ""
        if not reason.startswith(_FAILED_TO_READ) or "doesn't exist" in reason:
            raise
        raise UserError(f"{path}: damaged ({reason}); delete it and run again") from None


def _put_attribute(file: h5py.File, name: str, value: Any) -> None:
    """Write a number or a text as it is, all else as JSON; texts of fixed length, as only these have a checksum."""
    if isinstance(value, int | float):
        file.attrs[name] = value
        return
    encoded = (value if isinstance(value, str) else json.dumps(value, sort_keys=True)).encode()
    file.attrs.create(name, encoded, dtype=h5py.string_dtype("utf-8", max(len(encoded), 1)))


def put(group: h5py.Group, name: str, values: Any, compression: str | None = None) -> None:
    """Write an array with checksums, so that a reader sees whether it is damaged; a scalar has none."""
    group.create_dataset(name, data=values, compression=compression, fletcher32=np.ndim(values) > 0)


def provenance(code: str, manifest: str, settings: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """Return a store's attributes: digests of code and manifest, the settings, and the facts that the stage knows."""
    return {"code": code, "manifest": manifest, "settings": dict(settings), **facts}


def manifest_digest(image_ids: Iterable[str]) -> str:
    """Return what stores compare, a digest of the images and their order: labels may change without a stale store."""
    return digest(list(image_ids))


def text(file: h5py.File, name: str) -> str:
    """Return an attribute that `writing` stored as a text."""
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else value


def attribute(file: h5py.File, name: str) -> Any:
    """Return an attribute that `writing` stored as JSON, decoded."""
    return json.loads(text(file, name))


def row_facts(file: h5py.File) -> dict[str, np.ndarray]:
    """Read the facts on rows that stores made from this one copy: the ids and, after fine-tuning, `trained_on`."""
    return {name: file[name][:] for name in ("image_id", "trained_on") if name in file}


def write_row_facts(file: h5py.File, facts: Mapping[str, np.ndarray]) -> None:
    """Write what `row_facts` read."""
    for name, values in facts.items():
        put(file, name, values)


def image_ids(file: h5py.File) -> np.ndarray:
    """Read the rows' image ids, (N,) str."""
    return file["image_id"].asstr()[:]


def trained_on(file: h5py.File) -> np.ndarray | None:
    """Read which images' labels the network was trained on, (N,) bool; None: it has seen none."""
    return file["trained_on"][:] if "trained_on" in file else None
