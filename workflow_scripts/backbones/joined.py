"""Joined features: those of several layers of a network, or of several backbones, side by side."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from workflow_scripts.backbones import codebook
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

ROWS = 1024
"""The number of rows read at once. It is fixed, because the order of the sums depends on it."""
COPIED = ("manifest", "backbone", "weights", "weights_sha256", "normalise", "unmatched", "batch_size", "device")


def join(parts: Sequence[str], layer: str, output: Path, code: str, backbones: Sequence[str] = ()) -> None:
    """Write a store with the features of the stores `parts` side by side, of the layers of a network or of backbones.

    Columns are in the order of the parts. Each part is divided by the square root of the sum of its columns' variances,
    so that all parts have the same spread whatever their width and scale; a part without variance is not divided. The
    factors are stored as the attribute `scales`, and the codebooks of the parts, for new images.

    Parameters
    ----------
    parts : the paths of the stores.
    layer : the name of the joined features.
    output : the path of the store.
    code : the digest of the code.
    backbones : the names of the backbones that made the parts; empty if it is one network. The store then has the
        attribute `join`, with what a model has to know of each (`network_of`).

    Raises `UserError` if the parts were made from different images.
    """
    with ExitStack() as opened:
        files = [opened.enter_context(store.reading(path)) for path in parts]
        manifests = [store.text(file, "manifest") for file in files]
        for path, manifest in zip(parts, manifests, strict=True):
            if manifest != manifests[0]:
                raise UserError(f"{parts[0]} and {path} were made from different images; delete both and run again")
        scales = [scale_of(file["features"]) for file in files]
        facts = _of_backbones(dict(zip(backbones, files, strict=True))) if backbones else _of_layers(files[0], layer)
        with store.writing(output, {**facts, "code": code, "layer": layer, "scales": scales}) as joined:
            store.write_row_facts(joined, _row_facts(files))
            for name, array in _codebooks(files, backbones).items():
                store.put(joined, name, array)
            widths = [file["features"].shape[1] for file in files]
            shape = len(files[0]["features"]), sum(widths)
            with store.filling(joined, "features", shape, "<f4") as features:
                for rows in _slices(len(features)):
                    blocks = [file["features"][rows] for file in files]
                    features[rows] = side_by_side(blocks, scales)


def network_of(features: h5py.File) -> dict[str, Any]:
    """Return what a model has to know of the network or other backbone that made a feature store.

    These are `batch_size`, `weights_sha256`, of joined features the `scales` of the parts, and if the parts are of
    several backbones, `join`: a list with the same of each, and its name as `backbone`.
    """
    known = {"batch_size": int(features.attrs["batch_size"]), "weights_sha256": store.text(features, "weights_sha256")}
    return known | {name: store.attribute(features, name) for name in ("scales", "join") if name in features.attrs}


def _of_layers(part: h5py.File, layer: str) -> dict[str, Any]:
    settings = {**store.attribute(part, "settings"), "joined": layer}
    return {"settings": settings, **{name: _attribute(part, name) for name in COPIED if name in part.attrs}}


def _of_backbones(parts: Mapping[str, h5py.File]) -> dict[str, Any]:
    of_parts = [{"backbone": name, **network_of(file)} for name, file in parts.items()]
    return {
        "settings": {"joined": {name: store.attribute(file, "settings") for name, file in parts.items()}},
        "manifest": store.text(next(iter(parts.values())), "manifest"),
        "join": of_parts,
        "batch_size": 1,
        "weights_sha256": " ".join(known["weights_sha256"] for known in of_parts),
    }


def _row_facts(parts: Sequence[h5py.File]) -> dict[str, np.ndarray]:
    """Return the facts about the rows; a network was trained on an image if that of any part was."""
    facts = ChainMap(*map(store.row_facts, parts))
    trained = [learned for part in parts if (learned := store.trained_on(part)) is not None]
    return {**facts, **({"trained_on": np.any(trained, axis=0)} if trained else {})}


def _codebooks(parts: Sequence[h5py.File], backbones: Sequence[str]) -> Mapping[str, np.ndarray]:
    """Return the arrays of the codebooks of all parts, whose names begin with that of the backbone if it is given."""
    if not backbones:
        return ChainMap(*map(codebook.stored, parts))
    stored = zip(backbones, map(codebook.stored, parts), strict=True)
    return {codebook.of_backbone(name, key): array for name, arrays in stored for key, array in arrays.items()}


def _attribute(file: h5py.File, name: str) -> str | float:
    value = file.attrs[name]
    return value.item() if isinstance(value, np.number) else store.text(file, name)


def side_by_side(blocks: Sequence[np.ndarray], scales: Sequence[float]) -> np.ndarray:
    """Return the features (n, d) of all parts, times their scales, joined to (n, sum of d) float32."""
    return np.concatenate([block * np.float32(scale) for block, scale in zip(blocks, scales, strict=True)], axis=1)


def scale_of(features: h5py.Dataset | np.ndarray) -> float:
    """Return one over the square root of the total variance of features (N, d), or 1 if the variance is 0."""
    mean = sum(features[rows].sum(axis=0, dtype=np.float64) for rows in _slices(len(features))) / len(features)
    squares = sum(((features[rows] - mean) ** 2).sum() for rows in _slices(len(features)))
    variance = float(squares) / len(features)
    return variance**-0.5 if variance > 0 else 1.0


def _slices(length: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, length, ROWS))
