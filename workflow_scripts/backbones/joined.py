"""Joined layers: the features of several layers of a network side by side."""

from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np

from workflow_scripts.backbones import codebook
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

ROWS = 1024
"""The number of rows read at once. It is fixed, because the order of the sums depends on it."""
COPIED = ("manifest", "backbone", "weights", "weights_sha256", "normalise", "unmatched", "batch_size", "device")


def join(parts: Sequence[str], layer: str, output: Path, code: str) -> None:
    """Write the store of a joined layer from the feature stores `parts` of one network; columns are in their order.

    Each part is divided by the square root of the sum of its columns' variances, so that all parts have the same spread
    whatever their width and scale; a part without variance is not divided. The factors are stored as the attribute
    `scales`, and the codebooks of the parts, for new images. Raises `UserError` if the parts were made from different
    images.
    """
    with ExitStack() as opened:
        files = [opened.enter_context(store.reading(path)) for path in parts]
        if len({store.text(file, "manifest") for file in files}) > 1:
            raise UserError(f"{parts[0]} and {parts[1]}: made from different images; delete them and run again")
        scales = [scale_of(file["features"]) for file in files]
        settings = {**store.attribute(files[0], "settings"), "joined": layer}
        attributes = {name: _attribute(files[0], name) for name in COPIED if name in files[0].attrs}
        with store.writing(
            output, {**attributes, "settings": settings, "code": code, "layer": layer, "scales": scales}
        ) as joined:
            store.write_row_facts(joined, store.row_facts(files[0]))
            for name, array in ChainMap(*map(codebook.stored, files)).items():
                store.put(joined, name, array)
            widths = [file["features"].shape[1] for file in files]
            shape = len(files[0]["features"]), sum(widths)
            with store.filling(joined, "features", shape, "<f4") as features:
                for rows in _slices(len(features)):
                    blocks = [file["features"][rows] for file in files]
                    features[rows] = side_by_side(blocks, scales)


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
