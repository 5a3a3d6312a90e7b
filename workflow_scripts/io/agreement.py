"""Write and read the store with the agreement of each pair of cells of a study.

A cell is one combination of choices, such as a backbone, a layer and a clusterer. A study is a set of cells. The
agreement of two cells is the adjusted Rand index (ARI) of their clusterings.
"""

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
    """Write the agreement of each pair of C cells to the store `path`.

    `cells` gives the value of each cell on every axis. `agreement` (C, C) float64 is the adjusted Rand index of each
    pair. `n_images` (C,) int is the number of images of each cell. `attributes` say how the store was made (see
    `store.writing`).
    """
    with store.writing(path, attributes) as file:
        store.put(file, "cell", np.array([_key(cell) for cell in cells], dtype="S"))
        store.put(file, "ari", agreement)
        store.put(file, "n_images", n_images)


def read_agreement(path: str, cells: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, int]:
    """Return the adjusted Rand index of each pair of c `cells`, (c, c) float64, and the number of images.

    All these cells must have the same subset of images. Raises `KeyError` if the store does not have one of the cells.
    """
    with store.reading(path) as file:
        row = {key: number for number, key in enumerate(file["cell"][:])}
        rows = [row[_key(cell)] for cell in cells]
        return file["ari"][:][np.ix_(rows, rows)], int(file["n_images"][rows[0]])


def _key(cell: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(cell), sort_keys=True).encode()
