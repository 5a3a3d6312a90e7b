"""The HDF5 contract: one writer, whole files only, and attributes that hold the whole truth about a file."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from workflow_scripts.errors import UserError
from workflow_scripts.provenance import digest

FORMAT_VERSION = 1
DECIDING_LIBRARIES = ("numpy", "scipy", "scikit-learn", "scikit-image", "torch", "torchvision", "openTSNE")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside `path`, fsynced and renamed to it when the block ends well, removed otherwise."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.part")
    try:
        yield temporary
        with open(temporary, "rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: str | os.PathLike[str], attributes: Mapping[str, Any]) -> Iterator[h5py.File]:
    """A new HDF5 file that appears under `path` only when it is whole.

    `attributes` are what made the file: `settings` (any JSON value), `code` (digest), `manifest` (digest) and whatever
    else the stage knows (`weights_sha256`, ...). The format version and the versions of the libraries are added.
    """
    with replacing(path) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["libraries"] = json.dumps({name: version(name) for name in DECIDING_LIBRARIES})
        for name, value in attributes.items():
            file.attrs[name] = value if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)
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
    """An HDF5 file of this project, opened without locks.

    Raises `UserError` when the file is of another format version or, if `manifest` (a digest) is given, was made from
    another manifest.
    """
    with h5py.File(path, "r", locking=False) as file:
        found = file.attrs.get("format_version")
        if found != FORMAT_VERSION:
            raise UserError(f"{path}: format version {found}, allowed: {FORMAT_VERSION}; delete it and run again")
        if manifest is not None and file.attrs["manifest"] != manifest:
            raise UserError(f"{path}: made from another manifest than the present one; delete it and run again")
        yield file


def provenance(code: str, manifest: str, settings: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """The attributes of a store: the code's and the manifest's digest, the settings, and what else the stage knows."""
    return {"code": code, "manifest": manifest, "settings": dict(settings), **facts}


def manifest_digest(image_ids: Iterable[str]) -> str:
    """What stores compare: the images and their order. Labels may change without a store going stale."""
    return digest(list(image_ids))


def attribute(file: h5py.File, name: str) -> Any:
    """An attribute that `writing` stored as JSON, decoded."""
    return json.loads(file.attrs[name])


def row_facts(file: h5py.File) -> dict[str, np.ndarray]:
    """What a store says of its rows, for the stores made from it: ids and, after fine-tuning, what it learned from."""
    return {name: file[name][:] for name in ("image_id", "trained_on") if name in file}


def write_row_facts(file: h5py.File, facts: Mapping[str, np.ndarray]) -> None:
    for name, values in facts.items():
        file[name] = values


def image_ids(file: h5py.File) -> np.ndarray:
    """The rows' image ids, (N,) str."""
    return file["image_id"].asstr()[:]
