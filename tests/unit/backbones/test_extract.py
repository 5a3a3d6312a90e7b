"""Stores of features: the bytes do not depend on workers, on passes or on a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from workflow_scripts.backbones import extract as module
from workflow_scripts.backbones.extract import extract, padded_batches
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.device import choose_device

CPU = torch.device("cpu")
SIZE = (64, 64)
RANDOM_SQUEEZENET = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}


def some_images(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def some_ids(count: int) -> list[str]:
    return [f"{number:016x}" for number in range(count)]


def test_batches_have_one_size_and_the_last_is_padded():
    images = some_images(70, 2, 2)
    batches = list(padded_batches(images, 8, 70, 8))
    assert {batch.shape for batch in batches} == {(8, 2, 2)}
    joined = np.concatenate(batches)
    assert np.array_equal(joined[:62], images[8:])
    assert not joined[62:].any()


def run(
    tmp_path: Path, name: str, images: np.ndarray, layers=("fire9_avg", "fire5_max", "features.0"), **options
) -> dict[str, Path]:
    outputs = {layer: tmp_path / name / f"{layer}.h5" for layer in layers}
    backbone = {**RANDOM_SQUEEZENET, **options.pop("backbone", {})}
    extract(images, some_ids(len(images)), backbone, outputs, {"settings": {"a": 1}}, device="cpu", **options)
    return outputs


def all_bytes(outputs: dict[str, Path]) -> list[bytes]:
    return [path.read_bytes() for path in outputs.values()]


def test_one_worker_or_three_give_the_same_bytes(tmp_path):
    images = some_images(30, 48, 48)
    assert all_bytes(run(tmp_path, "one", images, workers=1)) == all_bytes(run(tmp_path, "three", images, workers=3))


def test_an_image_in_the_padded_batch_has_the_features_of_a_full_one(tmp_path):
    images = some_images(8, 48, 48)
    full, part = run(tmp_path, "full", images), run(tmp_path, "part", images[:6])
    for layer in full:
        with store.reading(full[layer]) as whole, store.reading(part[layer]) as short:
            assert np.array_equal(whole["features"][:6], short["features"][:])


def test_layers_of_one_pass_are_those_of_passes_of_their_own(tmp_path):
    images = some_images(5, 48, 48)
    together = run(tmp_path, "together", images, ("fire9_avg", "fire2_gem"))
    for layer, path in together.items():
        alone = run(tmp_path, "alone", images, (layer,))[layer]
        assert path.read_bytes() == alone.read_bytes()


def test_a_store_holds_rows_ids_and_where_they_come_from(tmp_path):
    images = some_images(5, 48, 48)
    path = run(tmp_path, "a", images)["fire9_avg"]
    expected = prepare(RANDOM_SQUEEZENET, ["fire9_avg"], SIZE, CPU)[0](images)["fire9_avg"]
    with store.reading(path) as file:
        assert file["features"].dtype == np.float32
        np.testing.assert_allclose(file["features"][:], expected, rtol=1e-4, atol=1e-5)
        assert store.image_ids(file).tolist() == some_ids(5)
        assert store.attribute(file, "settings") == {"a": 1}
        assert store.text(file, "weights_sha256") == "random 0"
        assert store.text(file, "layer") == "fire9_avg"
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")] == []


def test_images_are_read_from_an_open_store(tmp_path):
    images = some_images(9, 48, 48, 3)
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["images"] = images
        from_file = run(tmp_path, "file", file["images"])
    assert all_bytes(from_file) == all_bytes(run(tmp_path, "array", images))


# ----------------------------------------------------------------------------------------------------- being killed

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from workflow_scripts.backbones import extract as module, feature_writer
feature_writer.SECONDS_BETWEEN_CHECKPOINTS = 0
def report(done, total):
    if done >= 20:
        feature_writer.FeatureWriter.save = lambda self: os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
images = np.load(folder / "images.npy")
outputs = {layer: folder / f"{layer}.h5" for layer in ("fire9_avg", "fire5_max")}
backbone = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}
ids = [f"{number:016x}" for number in range(len(images))]
module.extract(images, ids, backbone, outputs, {"settings": 1}, device="cpu", report=report)
"""


def test_a_killed_extraction_goes_on_where_it_was_and_gives_the_same_bytes(tmp_path, monkeypatch):
    images = some_images(50, 48, 48)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir()
    np.save(killed / "images.npy", images)
    root = Path(module.__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(killed)], env={**os.environ, "PYTHONPATH": str(root)})
    assert ended.returncode == -signal.SIGKILL
    assert not list(killed.glob("*.h5"))  # what a glob or a reader sees

    starts = []
    real = module.padded_batches
    monkeypatch.setattr(
        module, "padded_batches", lambda images, start, *rest: starts.append(start) or real(images, start, *rest)
    )
    outputs = {
        folder: {layer: folder / f"{layer}.h5" for layer in ("fire9_avg", "fire5_max")} for folder in (killed, whole)
    }
    for folder in (killed, whole):
        extract(images, some_ids(50), RANDOM_SQUEEZENET, outputs[folder], {"settings": 1}, device="cpu")
    assert starts == [20, 0]
    assert all_bytes(outputs[killed]) == all_bytes(outputs[whole])
    assert {path.name for path in killed.iterdir()} == {"images.npy", "fire9_avg.h5", "fire5_max.h5"}


class InterruptedJobError(Exception):
    """Raised to interrupt an extraction."""


def interrupt_at(row: int):
    def report(done: int, total: int) -> None:
        if done >= row:
            raise InterruptedJobError

    return report


@pytest.mark.parametrize("change", [{"seed": 1}, {"batch_size": 3}, {"precision": "bfloat16"}])
def test_rows_of_other_settings_are_not_taken_over(tmp_path, change):
    images = some_images(12, 48, 48)
    with pytest.raises(InterruptedJobError):
        run(tmp_path, "changed", images, report=interrupt_at(8))
    changed = run(tmp_path, "changed", images, backbone=change)
    assert all_bytes(changed) == all_bytes(run(tmp_path, "fresh", images, backbone=change))


# ------------------------------------------------------------------------------------------------------------- mistakes


def test_images_that_the_network_does_not_take_are_one_line(tmp_path, capfd):
    with pytest.raises(UserError, match="does not take images of 8 x 8 pixels") as caught:
        run(tmp_path, "a", some_images(2, 8, 8))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"64 x 64 pixels: Wrong image height! Expected 224$"):
        run(tmp_path, "b", some_images(2, 8, 8), ("encoder.ln_cls",), backbone={"model": "vit_b_32", "size": 64})
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_one_line_and_auto_takes_the_cpu(caplog, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")  # as SLURM gives one
    with pytest.raises(UserError, match=r"device: found cuda, .*CUDA_VISIBLE_DEVICES is 1.* allowed: cpu, auto"):
        choose_device("cuda")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    with caplog.at_level("INFO"):
        assert choose_device("auto") == "cpu"
        assert choose_device("cpu") == "cpu"
    assert [record.message for record in caplog.records] == [
        "device is auto: torch sees no GPU here, so the CPU is used"
    ]
