"""Saved models that are damaged, incomplete or changed: one line each, and no predictions by such a model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from workflow_scripts.errors import UserError
from workflow_scripts.models import saved
from workflow_scripts.models.saved import SavedModel, load_model, save_model

K, C, D = 3, 2, 4
FACTS: dict[str, Any] = {
    "cell": {"layer": "fire9_avg"},
    "preprocess": {"steps": [{"step": "grey"}]},
    "backbone": {"model": "squeezenet1_1", "layer": "fire9_avg", "batch_size": 4, "weights_sha256": "ab"},
    "reduction": {"whiten": True, "n_components": C, "settings": {"method": "pca"}},
    "clusters": [{"cluster": n, "size": 5, "predicted": "a", "name": f"a-{n}"} for n in range(K)],
    "novelty": {"threshold": 2.0, "rate": 0.01},
    "held_out": ["a", "b"],
}
TENSORS = {
    name: np.random.default_rng(0).random(shape).astype(np.float32) + 1
    for name, shape in {
        "centers": (K, C),
        "kept_images": (K, D),
        "spread": (K,),
        "held_out": (2,),
        "mean": (D,),
        "components": (C, D),
        "explained_variance": (C,),
    }.items()
}
Files = tuple[Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The two files of a valid model."""
    paths = tmp_path / "model.json", tmp_path / "model.safetensors"
    save_model(SavedModel(FACTS, TENSORS), *map(str, paths))
    assert len(load_model(*map(str, paths)).predict(np.ones((2, D), np.float32))) == 2
    return paths


def line_of(files: Files) -> str:
    with pytest.raises(UserError) as caught:
        load_model(*map(str, files))
    line = str(caught.value)
    assert "\n" not in line
    assert any(str(path) in line for path in files)
    assert line.endswith("make it again")
    return line


# ------------------------------------------------------------------------------------------------ damage of the files

FLIPPED = [(number, place) for number in (0, 1) for place in np.linspace(0, 0.999, 10)]


@pytest.mark.parametrize(("number", "place"), FLIPPED)
def test_a_flipped_bit(files: Files, number: int, place: float) -> None:
    content = bytearray(files[number].read_bytes())
    content[int(place * len(content))] ^= 2
    files[number].write_bytes(content)
    line_of(files)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("kept", [0, 1, 9, 0.5, 0.99])
def test_a_file_that_was_cut_short(files: Files, number: int, kept: float) -> None:
    content = files[number].read_bytes()
    files[number].write_bytes(content[: int(kept if kept >= 1 else kept * len(content))])
    line_of(files)


@pytest.mark.parametrize("number", [0, 1])
def test_a_file_that_is_not_there(files: Files, number: int) -> None:
    files[number].unlink()
    line_of(files)


@pytest.mark.parametrize("text", ["[]", "7", "null", '"text"', "[" * 100_000, "{}", '{"format_version": 1}', "<html>"])
def test_another_text_in_place_of_the_facts(files: Files, text: str) -> None:
    files[0].write_text(text)
    line_of(files)


def test_the_tensors_of_another_model(files: Files) -> None:
    files[1].write_bytes(save({**TENSORS, "mean": TENSORS["mean"] + 1}))
    assert "checksum" in line_of(files)


# ------------------------------------------------------------------------- changed, with a checksum that fits again

DELETED = ("preprocess", "backbone", "reduction", "clusters", "novelty", "backbone.layer", "backbone.batch_size",
           "backbone.weights_sha256", "reduction.whiten", "reduction.n_components", "reduction.settings",
           "novelty.threshold", "held_out", "clusters.0.cluster", "clusters.1.predicted",
           "clusters.2.name")  # fmt: skip
CHANGED: dict[str, Any] = {
    "clusters": [],
    "clusters.0.cluster": -1,
    "clusters.1.name": 5,
    "novelty.threshold": "2",
    "novelty": [],
    "reduction.n_components": 10**9,
    "reduction.whiten": "yes",
    "backbone.batch_size": 0,
    "preprocess": {"steps": "grey"},
    "reduction.settings": {"method": "autoencoder"},
    "reduction.settings.method": "tsne",
}
SHAPES: dict[str, Callable[[dict[str, np.ndarray]], Any]] = {
    "no centers": lambda tensors: tensors.pop("centers"),
    "no kept_images": lambda tensors: tensors.pop("kept_images"),
    "one known": lambda tensors: tensors.update(held_out=tensors["held_out"][:1]),
    "no mean": lambda tensors: tensors.pop("mean"),
    "fewer centers": lambda tensors: tensors.update(centers=tensors["centers"][:2]),
    "flat centers": lambda tensors: tensors.update(centers=tensors["centers"].ravel()),
    "nan centers": lambda tensors: tensors.update(centers=tensors["centers"] * np.float32(np.nan)),
    "infinite mean": lambda tensors: tensors.update(mean=tensors["mean"] + np.float32(np.inf)),
    "narrow components": lambda tensors: tensors.update(components=tensors["components"][:, :2]),
    "one number": lambda tensors: tensors.update(kept_images=np.float32(1).reshape(())),
}


def sealed(files: Files, facts: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    """Write a model with the right checksum."""
    save_model(SavedModel(facts, tensors), *map(str, files))


def _with(key: str, value: Any) -> dict[str, Any]:
    facts = json.loads(json.dumps(FACTS))
    *above, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    node = facts
    for part in above:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return facts


@pytest.mark.parametrize("key", DELETED)
def test_a_missing_key(files: Files, key: str) -> None:
    sealed(files, _with(key, ...), TENSORS)
    assert key.split(".")[-1] in line_of(files)


@pytest.mark.parametrize("key", CHANGED)
def test_a_wrong_value(files: Files, key: str) -> None:
    sealed(files, _with(key, CHANGED[key]), TENSORS)
    line_of(files)


@pytest.mark.parametrize("name", SHAPES)
def test_tensors_that_are_wrong(files: Files, name: str) -> None:
    tensors = dict(TENSORS)
    SHAPES[name](tensors)
    sealed(files, FACTS, tensors)
    line_of(files)


def test_every_damage_is_counted() -> None:
    others = 10 + 2 + 8 + 1
    assert len(FLIPPED) + others + len(DELETED) + len(CHANGED) + len(SHAPES) >= 56
    assert saved.FORMAT_VERSION == 4
