"""The agreement of every two cells of a study: how it is stored, and how that of some of the cells is read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workflow_scripts.io import store


def write_agreement(
    path: str,
    cells: Sequence[Mapping[str, Any]],
    agreement: np.ndarray,
    n_images: np.ndarray,
    attributes: Mapping[str, Any],
) -> None:
    """Write the ARI of every two cells, (C, C) float64, and the number of images of each cell, (C,) int."""
    with store.writing(path, attributes) as file:
        store.put(file, "cell", np.array([_key(cell) for cell in cells], dtype="S"))
        store.put(file, "ari", agreement)
        store.put(file, "n_images", n_images)


def read_agreement(path: str, cells: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, int]:
    """Return the ARI of every two of the given cells, (c, c) float64 in their order, and their number of images.

    The cells are of one subset. Raises `KeyError` if the store does not have a cell.
    """
    with store.reading(path) as file:
        row = {key: number for number, key in enumerate(file["cell"][:])}
        rows = [row[_key(cell)] for cell in cells]
        return file["ari"][:][np.ix_(rows, rows)], int(file["n_images"][rows[0]])


def _key(cell: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(cell), sort_keys=True).encode()
