"""Join features: put those of several layers of a network, or of several backbones, side by side."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from workflow_scripts.backbones import codebook
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import row_slices

COPIED = ("manifest", "backbone", "weights", "weights_sha256", "normalise", "unmatched", "batch_size", "device")
"""Attributes that the store of joined layers copies from the store of the first of these layers."""


def join_layers(parts: Sequence[str], layer: str, output: Path, code: str) -> None:
    """Write a store with the features of several layers of a network side by side, in the order of `parts`.

    The features of each layer are divided by the square root of the sum of their columns' variances. So all layers have
    the same spread, whatever their width and scale. Features without variance are not divided. The store has the
    factors as attribute `scales`, and the codebooks of the layers, which are needed for new images.

    Parameters
    ----------
    parts : the paths of the stores of the layers.
    layer : the name of the joined features.
    output : the path of the new store.
    code : the digest of the code.

    Raises `UserError` if the stores were made from different images.
    """
    with _opened(parts) as files:
        settings = {**store.attribute(files[0], "settings"), "joined": layer}
        known = store.attributes(files[0])
        copied = {name: known[name] for name in COPIED if name in known}
        facts = {"settings": settings, **copied, "code": code, "layer": layer}
        _write(files, facts, ChainMap(*map(codebook.stored, files)), output)


def join_backbones(parts: Mapping[str, str], layer: str, output: Path, code: str) -> None:
    """Write a store with the features of several backbones side by side, scaled as in `join_layers`.

    `parts` has the path of the store of each backbone, by its name. The attribute `join` of the new store has what a
    saved model must know of each backbone (see `facts_for_models`). Raises `UserError` if the stores were made from
    different images.
    """
    with _opened(list(parts.values())) as files:
        of_parts = [{"backbone": name, **facts_for_models(file)} for name, file in zip(parts, files, strict=True)]
        settings = {name: store.attribute(file, "settings") for name, file in zip(parts, files, strict=True)}
        facts = {
            "settings": {"joined": settings},
            "manifest": store.text(files[0], "manifest"),
            "join": of_parts,
            "batch_size": 1,
            "weights_sha256": " ".join(known["weights_sha256"] for known in of_parts),
            "code": code,
            "layer": layer,
        }
        stored = zip(parts, map(codebook.stored, files), strict=True)
        codebooks = {codebook.of_backbone(name, key): array for name, arrays in stored for key, array in arrays.items()}
        _write(files, facts, codebooks, output)


def facts_for_models(features: h5py.File) -> dict[str, Any]:
    """Return the facts about a backbone that a saved model needs, from the store of the backbone's features.

    The keys are `batch_size` and `weights_sha256`. For joined features there is also `scales`, the factor of each part.
    For features of several backbones there is also `join`, a list with the facts about each backbone; its name is under
    the key `backbone`.
    """
    known = {"batch_size": int(features.attrs["batch_size"]), "weights_sha256": store.text(features, "weights_sha256")}
    return known | {name: store.attribute(features, name) for name in ("scales", "join") if name in features.attrs}


@contextmanager
def _opened(parts: Sequence[str]) -> Iterator[list[h5py.File]]:
    """Open several stores, as a context manager; raise `UserError` if they were made from different images."""
    with ExitStack() as opened:
        files = [opened.enter_context(store.reading(path)) for path in parts]
        manifests = [store.text(file, "manifest") for file in files]
        for path, manifest in zip(parts, manifests, strict=True):
            if manifest != manifests[0]:
                raise UserError(f"{parts[0]} and {path} were made from different images; delete both and run again")
        yield files


def _write(
    parts: Sequence[h5py.File], facts: Mapping[str, Any], codebooks: Mapping[str, np.ndarray], output: Path
) -> None:
    """Write a store with the features of the open stores `parts` side by side, each scaled by a factor.

    `codebooks` become arrays of the new store and `facts` its attributes. The attribute `scales` has the factor of each
    part.
    """
    scales = [scale_of(part["features"]) for part in parts]
    with store.writing(output, {**facts, "scales": scales}) as joined:
        store.write_row_facts(joined, _row_facts(parts))
        for name, array in codebooks.items():
            store.put(joined, name, array)
        shape = len(parts[0]["features"]), sum(part["features"].shape[1] for part in parts)
        with store.filling(joined, "features", shape, "<f4") as features:
            for rows in row_slices(len(features)):
                features[rows] = side_by_side([part["features"][rows] for part in parts], scales)


def _row_facts(parts: Sequence[h5py.File]) -> dict[str, np.ndarray]:
    """Return the arrays that describe the rows of joined features: `image_id` (N,) and, if known, `trained_on` (N,).

    An image counts as trained on if the network of any part was trained on it.
    """
    facts = ChainMap(*map(store.row_facts, parts))
    trained = [learned for part in parts if (learned := store.trained_on(part)) is not None]
    return {**facts, **({"trained_on": np.any(trained, axis=0)} if trained else {})}


def side_by_side(blocks: Sequence[np.ndarray], scales: Sequence[float]) -> np.ndarray:
    """Return the features (n, d) of all parts, each times its scale, joined to one array (n, sum of d) float32."""
    return np.concatenate([block * np.float32(scale) for block, scale in zip(blocks, scales, strict=True)], axis=1)


def scale_of(features: h5py.Dataset | np.ndarray) -> float:
    """Return one over the square root of the total variance of features (N, d), or 1 if the variance is 0."""
    mean = sum(features[rows].sum(axis=0, dtype=np.float64) for rows in row_slices(len(features))) / len(features)
    squares = sum(((features[rows] - mean) ** 2).sum() for rows in row_slices(len(features)))
    variance = float(squares) / len(features)
    return variance**-0.5 if variance > 0 else 1.0
