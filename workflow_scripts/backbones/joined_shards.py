"""Join the features of the shards of a forward pass: put their rows one below the other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from workflow_scripts.backbones import codebook
from workflow_scripts.backbones.feature_writer import rows_at_once, write_features
from workflow_scripts.errors import UserError
from workflow_scripts.io import store


def join_shards(parts: Sequence[str], output: Path) -> None:
    """Write the feature store of a layer from the stores of its shards, which are `parts` in the order of the images.

    The new store has the same bytes as one that a single job computes. Raises `UserError` if two shards were computed
    in different ways, such as on different devices or with different libraries.
    """
    with store.reading(parts[0]) as first:
        attributes, codebooks, width = store.attributes(first), codebook.stored(first), first["features"].shape[1]
    row_facts = []
    for path in parts:
        with store.reading(path) as part:
            _check_same({**attributes, **codebooks}, part, f"{parts[0]} and {path}")
            row_facts.append(store.row_facts(part))
    arrays = {name: np.concatenate([facts[name] for facts in row_facts]) for name in row_facts[0]}
    write_features(output, attributes, {**arrays, **codebooks}, width, _blocks(parts, width))


def _check_same(expected: dict[str, Any], part: h5py.File, shards: str) -> None:
    """Raise `UserError` if a store has other attributes or codebooks than `expected`; `shards` names both in words."""
    found = {**store.attributes(part), **codebook.stored(part)}
    if differing := [name for name, value in expected.items() if not np.array_equal(value, found[name])]:
        raise UserError(
            f"{shards} differ in {', '.join(differing)}; delete both and run again, with all jobs on the same kind of "
            "machine and with the same libraries"
        )


def _blocks(parts: Sequence[str], width: int) -> Iterator[np.ndarray]:
    """Yield the features of all shards in blocks of rows, (n, width) float32 each."""
    for path in parts:
        with store.reading(path) as part:
            features = part["features"]
            for start in range(0, len(features), rows_at_once(width)):
                yield features[start : start + rows_at_once(width)]
