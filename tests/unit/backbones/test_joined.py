"""Joined features: their columns and scales against numpy, and their names in the configuration."""

import re

import numpy as np
import pytest

from workflow_scripts.backbones.joined import facts_for_models, join_backbones, join_layers, side_by_side
from workflow_scripts.errors import UserError
from workflow_scripts.io import points, store
from workflow_scripts.settings.backbones.network import Network

IDS = [f"{number:016x}" for number in range(30)]
RNG = np.random.default_rng(0)
NARROW, WIDE = RNG.normal(5, 2, (30, 3)).astype("f4"), RNG.normal(0, 300, (30, 50)).astype("f4")


def write(path, features, manifest="m", arrays=(), **facts):
    facts = {"weights_sha256": "ab", "batch_size": 4, "backbone": {"model": "net"}} | facts
    with store.writing(path, store.provenance("c", manifest, {"backbone": {"model": "net"}}, **facts)) as file:
        for name, values in {"image_id": np.array(IDS, dtype="S"), "features": features, **dict(arrays)}.items():
            file[name] = values
    return str(path)


def test_each_part_has_the_same_spread_and_nothing_else_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "ROWS", 7)
    parts = [write(tmp_path / "a.h5", NARROW), write(tmp_path / "b.h5", WIDE)]
    join_layers(parts, "a+b", tmp_path / "ab.h5", "code")
    with store.reading(tmp_path / "ab.h5", "m") as file:
        features, scales = file["features"][:], store.attribute(file, "scales")
        assert store.image_ids(file).tolist() == IDS
        assert (store.text(file, "layer"), store.text(file, "weights_sha256"), file.attrs["batch_size"]) == (
            "a+b",
            "ab",
            4,
        )
    expected = [part / np.sqrt(part.var(axis=0, dtype=float).sum()) for part in (NARROW, WIDE)]
    np.testing.assert_allclose(features, np.concatenate(expected, axis=1), rtol=1e-5)
    np.testing.assert_allclose([features[:, :3].var(axis=0).sum(), features[:, 3:].var(axis=0).sum()], 1, rtol=1e-5)
    np.testing.assert_array_equal(side_by_side([NARROW[:4], WIDE[:4]], scales), features[:4])  # as of new images


def test_a_part_that_does_not_vary_is_left_as_it_is(tmp_path):
    parts = [write(tmp_path / "a.h5", np.full((30, 2), 7, "f4")), write(tmp_path / "b.h5", WIDE)]
    join_layers(parts, "a+b", tmp_path / "ab.h5", "code")
    with store.reading(tmp_path / "ab.h5") as file:
        assert (file["features"][:, :2] == 7).all()


def test_parts_of_other_images_are_not_joined(tmp_path):
    parts = [write(tmp_path / f"{name}.h5", NARROW, manifest) for name, manifest in zip("abd", "mmn", strict=True)]
    with pytest.raises(UserError, match=re.escape(f"{parts[0]} and {parts[2]} were made from different images")):
        join_layers(parts, "a+b+d", tmp_path / "c.h5", "code")


def test_features_of_several_backbones_keep_what_a_model_has_to_know_of_each(tmp_path):
    words, trained = np.ones((2, 3), "f4"), np.arange(30) < 4
    arrays = {"codebook.fire5_vlad2.centres": words}
    first = write(tmp_path / "a.h5", NARROW, arrays=arrays, scales=[0.5, 2.0])
    other = {**arrays, "codebook.fire5_vlad2.centres": 2 * words, "trained_on": trained}
    second = write(tmp_path / "b.h5", WIDE, arrays=other, weights_sha256="none", batch_size=64)
    join_backbones({"net": first, "turned": second}, "features", tmp_path / "ab.h5", "code")
    with store.reading(tmp_path / "ab.h5", "m") as file:
        known, features = facts_for_models(file), file["features"][:]
        assert store.trained_on(file).tolist() == trained.tolist()
        assert file["codebook.net.fire5_vlad2.centres"][0, 0] == 1
        assert file["codebook.turned.fire5_vlad2.centres"][0, 0] == 2
        assert store.text(file, "weights_sha256") == "ab none"
    assert known["join"] == [
        {"backbone": "net", "batch_size": 4, "weights_sha256": "ab", "scales": [0.5, 2.0]},
        {"backbone": "turned", "batch_size": 64, "weights_sha256": "none"},
    ]
    np.testing.assert_array_equal(side_by_side([NARROW, WIDE], known["scales"]), features)
    np.testing.assert_allclose([features[:, :3].var(axis=0).sum(), features[:, 3:].var(axis=0).sum()], 1, rtol=1e-5)


def network(*layers):
    return Network(model="squeezenet1_1", weights="random", layers=list(layers))


def test_a_joined_layer_is_a_pass_of_its_own():
    both = network(["fire5_avg", "fire7_avg"], ["fire9_avg"], ["fire5_avg+fire9_avg"])
    assert both.width("fire5_avg+fire9_avg", 224) == 256 + 512
    assert both.pass_of("fire5_avg+fire9_avg") == 2
    assert both.layers_beside("fire5_avg+fire9_avg") == ["fire5_avg+fire9_avg", "fire5_avg", "fire7_avg", "fire9_avg"]
    assert both.layers_beside("fire7_avg") == ["fire5_avg", "fire7_avg"]


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([["fire9_avg"], ["fire9_avg+fire5_avg"]], "joins 'fire5_avg', which is in no pass"),
        ([["fire9_avg", "fire5_avg", "fire9_avg+fire5_avg"]], "allowed: a list of its own"),
        ([["fire9_avg"], ["fire9_avg+"]], "joins 'nothing', which is in no pass"),
    ],
)
def test_what_cannot_be_joined_is_said(layers, says):
    with pytest.raises(ValueError, match=says):
        network(*layers)
