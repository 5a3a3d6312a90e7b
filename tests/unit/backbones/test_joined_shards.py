"""Joined shards: the bytes are those of one job's store, whatever the number of shards, and after a kill."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workflow_scripts.backbones import extract as module
from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.joined_shards import join_shards
from workflow_scripts.backbones.shards import WHOLE, shard_names
from workflow_scripts.errors import UserError

N = 13
"""The number of images: three batches of four, and one image in a padded batch."""
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 48, 48), dtype=np.uint8)
IDS = [f"{number:016x}" for number in range(N - 1)] + [f"{N:016x}:12"]
LAYERS = ("fire9_avg", "fire5_vlad4", "fire3_fisher3")


class InterruptedJobError(Exception):
    """Raised to interrupt a shard."""


def stop_at_the_second_batch(done: int, total: int) -> None:
    if done > 4:
        raise InterruptedJobError


def compute(folder: Path, shard: str = WHOLE, layers: Sequence[str] = LAYERS, report=None, **options) -> list[Path]:
    """Write the stores of a shard; return the paths by layer."""
    outputs = {layer: folder / layer / f"{shard}.h5" for layer in layers}
    backbone = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4, **options}
    extract(IMAGES, IDS, backbone, outputs, {"settings": {"a": 1}, "code": "c"}, "cpu", report=report, shard=shard)
    return list(outputs.values())


def joined(folder: Path, number: int, **options) -> list[bytes]:
    """Return the bytes of each layer's store, joined from this number of shards."""
    parts = [compute(folder, shard, **options) for shard in shard_names(number)]
    for of_layer in zip(*parts, strict=True):
        join_shards(of_layer, of_layer[0].parent / "joined.h5")
    return [path.with_name("joined.h5").read_bytes() for path in parts[0]]


def whole(folder: Path, **options) -> list[bytes]:
    """Return the bytes of each layer's store, written by one job."""
    return [path.read_bytes() for path in compute(folder, **options)]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return whole(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_the_bytes_are_those_of_one_job(tmp_path, expected, number):
    assert joined(tmp_path, number) == expected


@pytest.mark.parametrize("options", [{"orbit": True}, {"pyramid": [1.0, 0.5]}, {"seed": 1}])
def test_views_and_other_settings_change_nothing_about_it(tmp_path, options):
    layers = ("fire9_avg", "fire5_vlad4")
    assert joined(tmp_path / "a", 3, layers=layers, **options) == whole(tmp_path / "b", layers=layers, **options)


def test_images_that_a_network_was_trained_on_stay_marked(tmp_path, monkeypatch):
    prepare = module.prepare

    def trained(*arguments):
        forward, loaded = prepare(*arguments)
        return forward, replace(loaded, trained_on=[IDS[1], IDS[11]])

    monkeypatch.setattr(module, "prepare", trained)
    assert joined(tmp_path / "a", 5, layers=("fire9_avg",)) == whole(tmp_path / "b", layers=("fire9_avg",))


def test_a_killed_shard_goes_on_where_it_was(tmp_path, expected):
    with pytest.raises(InterruptedJobError):
        compute(tmp_path, "1-of-2", report=stop_at_the_second_batch)
    assert (tmp_path / LAYERS[0] / ".1-of-2.h5.rows").stat().st_size == 8 * 512 * 4
    seen: list[int] = []
    compute(tmp_path, "1-of-2", report=lambda done, total: seen.append(done))
    assert seen == []
    assert joined(tmp_path, 2) == expected


def test_shards_of_different_ways_are_one_line(tmp_path):
    parts = [compute(tmp_path, f"{seed + 1}-of-2", ("fire9_avg",), seed=seed)[0] for seed in (0, 1)]
    with pytest.raises(UserError, match=r"1-of-2\.h5 and .*2-of-2\.h5 differ in backbone, weights_sha256; delete both"):
        join_shards(parts, tmp_path / "joined.h5")
    assert not (tmp_path / "joined.h5").exists()
