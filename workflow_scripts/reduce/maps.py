"""Maps of the images in two or three dimensions, computed from the first components of a decomposition."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.runlog import NOTICE

log = logging.getLogger(__name__)

FEWEST = 4
"""The smallest number of images for a map."""
MOST_OF_PAIRS = 8192
"""The largest number of images for a method that keeps a number for each pair of images in memory: 512 MiB."""


def points_to_map(source: str, settings: Mapping[str, Any]) -> np.ndarray:
    """Read the components from which a map is computed, (N, d) float64: the first ones of the decomposition `source`.

    `settings` are those of the map, with `method`, `n_components`, `whiten` and `dimensions`. Raises `UserError` if
    there are fewer than `FEWEST` images, or fewer components than dimensions.
    """
    points = read_points(source, settings["n_components"], settings["whiten"]).values
    if len(points) < FEWEST:
        raise UserError(f"{settings['method']}: found {len(points)} images, at least {FEWEST} are needed")
    if points.shape[1] < settings["dimensions"]:
        problem, allowed = f"found {points.shape[1]} components", f"{settings['dimensions']} or more (dimensions)"
        raise UserError(f"{settings['method']}: {problem}, allowed: {allowed}")
    return points


def possible_neighbors(wanted: int, n: int, name: str) -> int:
    """Return the number of neighbours of each image in a graph of n images: `wanted`, but at most n - 1.

    If it is lower than `wanted`, a notice in the log says so; `name` is the method's name in the notice.
    """
    if wanted >= n:
        log.log(
            NOTICE,
            "the n_neighbors %d of %s is lowered to %d, because there are only %d images",
            wanted,
            name,
            n - 1,
            n,
        )
    return min(wanted, n - 1)


def check_pairs(n: int, method: str) -> None:
    """Raise `UserError` if n is too large for a method that keeps a number for each pair of images in memory."""
    if n > MOST_OF_PAIRS:
        allowed = f"at most {MOST_OF_PAIRS}, because it holds a number for each pair of images"
        raise UserError(f"{method}: found {n} images, allowed: {allowed}")


def write_map(
    source: str, path: str, embedding: np.ndarray, code: str, settings: Mapping[str, Any], **facts: Any
) -> None:
    """Write a map (N, 2) or (N, 3) float64 of the decomposition `source` to the store `path` as `scores`.

    The store's attributes are the digest `code`, the `settings` of the map, the digest of the manifest (taken from
    `source`), and the `facts`.
    """
    with store.reading(source) as components:
        rows, manifest = store.row_facts(components), store.text(components, "manifest")
    with store.writing(path, store.provenance(code, manifest, settings, **facts)) as file:
        store.write_row_facts(file, rows)
        store.put(file, "scores", embedding)
