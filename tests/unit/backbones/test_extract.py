"""Features against a forward pass of torchvision with hooks; the bytes do not depend on workers or on a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from workflow_scripts.backbones import extract as module
from workflow_scripts.backbones import family
from workflow_scripts.backbones.extract import extract, padded_batches
from workflow_scripts.backbones.feature_writer import FeatureWriter
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.torchvision_import import torchvision
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


# ------------------------------------------------------------------------------------------------ against plain forward


def plain_outputs(net: nn.Module, pixels: torch.Tensor, modules: list[str]) -> dict[str, np.ndarray]:
    """Return the output of each module, copied by a hook before a later in-place operation can overwrite it."""
    found: dict[str, np.ndarray] = {}

    def keep(name):
        return lambda module, inputs, output: found.__setitem__(name, output.detach().clone().numpy())

    handles = [net.get_submodule(name).register_forward_hook(keep(name)) for name in modules]
    with torch.no_grad():
        net(pixels)
    for handle in handles:
        handle.remove()
    return found


def pooled_by_numpy(output: np.ndarray) -> dict[str, np.ndarray]:
    """Return maps (N, C, H, W) after every pooling, computed by numpy; gem by its formula with p = 3."""
    return {
        "flat": output.reshape(len(output), -1),
        "avg": output.mean((2, 3)),
        "max": output.max((2, 3)),
        "gem": (np.maximum(output.astype(float), 1e-6) ** 3).mean((2, 3)) ** (1 / 3),
    }


def trained_resnet(tmp_path: Path) -> tuple[nn.Module, dict]:
    """Return a ResNet-18 with random batch normalisations, and the backbone that reads its weights from a file."""
    torch.manual_seed(3)
    net = torchvision.models.resnet18().eval()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for values in (norm.running_mean, norm.weight, norm.bias):
                nn.init.normal_(values, 0.5, 0.5)
            nn.init.uniform_(norm.running_var, 0.5, 2)
    torch.save(net.state_dict(), tmp_path / "resnet.pth")
    return net, {"model": "resnet18", "weights": str(tmp_path / "resnet.pth"), "normalise": "imagenet"}


def imagenet_pixels(images: np.ndarray) -> torch.Tensor:
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return torch.from_numpy(((images / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32))


def test_every_pooling_of_a_residual_network_is_that_of_a_plain_forward_pass(tmp_path):
    """Before and after normalisation and ReLU; `bn2` is the one that `out += identity` overwrites."""
    net, backbone = trained_resnet(tmp_path)
    images = some_images(3, 64, 64, 3)
    modules = ["conv1", "bn1", "layer1.0.bn2", "layer2.0.conv1", "layer2.1.bn2", "layer4", "avgpool"]
    expected = plain_outputs(net, imagenet_pixels(images), modules)
    layers = [f"{name}_{pooling}" for name in modules for pooling in ("flat", "avg", "max", "gem")]
    forward, _ = prepare(backbone, layers, SIZE, CPU)
    found = forward(images)
    for name in modules:
        for pooling, values in pooled_by_numpy(expected[name]).items():
            scale = np.abs(values).max()
            np.testing.assert_allclose(
                found[f"{name}_{pooling}"], values, atol=2e-5 * scale, err_msg=f"{name} {pooling}"
            )


def test_gram_is_the_mean_of_products_of_channels(tmp_path):
    """The square root with the sign kept, scaled to length 1, is undone: the root would enlarge last bits near 0."""
    net, backbone = trained_resnet(tmp_path)
    images = some_images(3, 64, 64, 3)
    maps = plain_outputs(net, imagenet_pixels(images), ["bn1"])["bn1"].astype(float)
    products = np.einsum("nihw,njhw->nij", maps, maps) / maps.shape[2] / maps.shape[3]
    assert (products < 0).any()
    pairs = products[:, *np.triu_indices(64)]
    forward, _ = prepare(backbone, ["bn1_gram"], SIZE, CPU)
    found = forward(images)["bn1_gram"]
    assert found.shape == (3, family.layer_width("resnet18", "bn1_gram", 64)) == (3, 64 * 65 // 2)
    expected = pairs / np.abs(pairs).sum(1, keepdims=True)
    np.testing.assert_allclose(found * np.abs(found), expected, atol=1e-6 * expected.max())


def test_a_convolution_is_not_overwritten_by_its_in_place_relu():
    """torchvision's SqueezeNet has nn.ReLU(inplace=True) directly after features.0."""
    net = prepare(RANDOM_SQUEEZENET, ["features.0"], SIZE, CPU)[1].network
    images = some_images(2, 64, 64, 3)
    pixels = imagenet_pixels(images)
    before = plain_outputs(net, pixels, ["features.0"])["features.0"]
    after = np.maximum(before, 0)
    assert (before < 0).any()
    found = prepare(RANDOM_SQUEEZENET, ["features.0", "features.1", "conv1_avg"], SIZE, CPU)[0](images)
    np.testing.assert_allclose(found["features.0"], before.reshape(2, -1), atol=1e-4)
    np.testing.assert_allclose(found["features.1"], after.reshape(2, -1), atol=1e-4)
    np.testing.assert_allclose(found["conv1_avg"], after.mean((2, 3)), atol=1e-4)


def test_the_class_token_and_the_mean_of_the_patches_of_a_transformer():
    """At the network's own size, against a hook on the encoder's last normalisation."""
    backbone = {"model": "vit_b_16", "weights": "random"}
    forward, loaded = prepare(backbone, ["encoder.ln_cls", "encoder.ln_patch"], SIZE, CPU)
    images = some_images(1, 224, 224, 3)
    tokens = plain_outputs(loaded.network, imagenet_pixels(images), ["encoder.ln"])["encoder.ln"]
    found = forward(images)
    np.testing.assert_allclose(found["encoder.ln_cls"], tokens[:, 0], atol=1e-4)
    np.testing.assert_allclose(found["encoder.ln_patch"], tokens[:, 1:].mean(1), atol=1e-4)


def test_maps_with_channels_last_are_pooled_over_the_right_axes():
    """Swin's maps are (H, W, C)."""
    forward, loaded = prepare({"model": "swin_t", "weights": "random"}, ["features.1_avg", "features.1_max"], SIZE, CPU)
    images = some_images(1, 224, 224, 3)
    maps = plain_outputs(loaded.network, imagenet_pixels(images), ["features.1"])["features.1"]
    found = forward(images)
    np.testing.assert_allclose(found["features.1_avg"], maps.mean((1, 2)), atol=1e-4)
    np.testing.assert_allclose(found["features.1_max"], maps.max((1, 2)), atol=1e-4)


def test_an_orbit_is_the_mean_over_rotations_and_flips_that_torchvision_makes():
    turn = torchvision.transforms.functional
    images = torch.from_numpy(some_images(3, 64, 64, 3)).permute(0, 3, 1, 2)
    net = prepare(RANDOM_SQUEEZENET, ["fire5"], SIZE, CPU)[1].network
    expected: dict[str, list[np.ndarray]] = {"fire5": [], "fire5_avg_l2": []}
    for angle in (0, 90, 180, 270):
        for view in (turn.rotate(images, angle), turn.hflip(turn.rotate(images, angle))):
            maps = plain_outputs(net, imagenet_pixels(view.permute(0, 2, 3, 1).numpy()), ["features.7"])["features.7"]
            means = maps.mean((2, 3))
            expected["fire5"].append(maps.reshape(3, -1))
            expected["fire5_avg_l2"].append(means / np.linalg.norm(means, axis=1, keepdims=True))
    found = prepare({**RANDOM_SQUEEZENET, "orbit": True}, list(expected), SIZE, CPU)[0](
        images.permute(0, 2, 3, 1).numpy()
    )
    for layer, vectors in expected.items():
        np.testing.assert_allclose(found[layer], np.mean(vectors, axis=0), atol=1e-5 * np.abs(vectors).max())
        assert found[layer].dtype == np.float32


def test_a_pyramid_is_the_mean_over_smaller_copies_of_the_image():
    images = some_images(3, 64, 48, 3)
    layers = ["fire5_avg"]
    smaller = torch.nn.functional.interpolate(imagenet_pixels(images), (32, 24), mode="bilinear", antialias=True)
    one, loaded = prepare(RANDOM_SQUEEZENET, layers, (64, 48), CPU)
    maps = plain_outputs(loaded.network, smaller, ["features.7"])["features.7"].reshape(3, 256, -1)
    two = prepare({**RANDOM_SQUEEZENET, "pyramid": [1, 0.5]}, layers, (64, 48), CPU)[0]
    expected = (one(images)["fire5_avg"] + maps.mean(axis=2)) / 2
    np.testing.assert_allclose(two(images)["fire5_avg"], expected, rtol=1e-4, atol=1e-5)
    assert two.widths((64, 48, 3)) == one.widths((64, 48, 3))
    with pytest.raises(UserError, match="pyramid: fire5 has another number of features at each scale"):
        prepare({**RANDOM_SQUEEZENET, "pyramid": [1, 0.5]}, ["fire5"], (64, 48), CPU)[0].widths((64, 48))


def test_an_orbit_does_not_see_how_an_image_was_turned():
    forward, _ = prepare({**RANDOM_SQUEEZENET, "orbit": True}, ["fire5_avg"], SIZE, CPU)
    images = some_images(2, 64, 64)
    for turned in (np.rot90(images, 1, (1, 2)), images[:, ::-1]):
        features = forward(np.ascontiguousarray(turned))["fire5_avg"]
        np.testing.assert_allclose(features, forward(images)["fire5_avg"], rtol=1e-4, atol=1e-6)


def test_the_network_is_cut_after_the_deepest_layer():
    forward, _ = prepare(RANDOM_SQUEEZENET, ["fire2_avg", "fire5_avg"], SIZE, CPU)
    parts = {name.split(".")[1] for name in forward.network.state_dict()}
    assert parts == {"0", "3", "4", "6", "7"}  # conv1 and fire2 … fire5 of torchvision's SqueezeNet 1.1


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_stays_near(precision):
    images = some_images(2, 64, 64)
    full = prepare(RANDOM_SQUEEZENET, ["fire9_avg"], SIZE, CPU)[0](images)["fire9_avg"]
    lower = prepare({**RANDOM_SQUEEZENET, "precision": precision}, ["fire9_avg"], SIZE, CPU)[0](images)["fire9_avg"]
    assert lower.dtype == np.float32
    assert not np.array_equal(lower, full)
    np.testing.assert_allclose(lower, full, atol=0.05 * full.max())


# ------------------------------------------------------------------------------------------------------------- batches


def test_batches_have_one_size_and_the_last_is_padded():
    images = some_images(70, 2, 2)
    batches = list(padded_batches(images, 8, 8))
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
        module, "padded_batches", lambda images, start, size: starts.append(start) or real(images, start, size)
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


def test_rows_torn_by_the_kill_are_written_again(tmp_path):
    images = some_images(30, 48, 48)
    with pytest.raises(InterruptedJobError):
        run(tmp_path, "torn", images, report=interrupt_at(12))
    partial = tmp_path / "torn" / ".fire9_avg.h5.rows"
    with open(partial, "r+b") as stream:
        stream.seek(12 * 512 * 4)
        stream.write(b"\xff" * 5000)
    assert all_bytes(run(tmp_path, "torn", images)) == all_bytes(run(tmp_path, "whole", images))


@pytest.mark.parametrize("name", [".fire9_avg.h5.rows", ".features.0.h5.rows", ".fire9_avg.h5.progress"])
@pytest.mark.parametrize("kept", [0, 0.5, "a flipped bit"])
def test_a_damaged_file_of_a_killed_run_begins_anew(tmp_path, name, kept):
    images = some_images(12, 48, 48)
    with pytest.raises(InterruptedJobError):
        run(tmp_path, "damaged", images, report=interrupt_at(8))
    path = tmp_path / "damaged" / name
    content = bytearray(path.read_bytes())
    if isinstance(kept, str):
        content[len(content) // 3] ^= 4
    else:
        del content[int(kept * len(content)) :]
    path.write_bytes(content)
    assert all_bytes(run(tmp_path, "damaged", images)) == all_bytes(run(tmp_path, "whole", images))


def test_features_that_are_no_numbers_are_one_line(tmp_path):
    with (
        pytest.raises(UserError, match=r"fire9_avg\.h5: the network gives .*NaN.* for image 0{15}2;"),
        FeatureWriter({"fire9_avg": tmp_path / "fire9_avg.h5"}, {"fire9_avg": 2}, some_ids(4), {}) as rows,
    ):
        rows.append({"fire9_avg": np.array([[1, 2], [3, 4], [5, np.nan], [7, 8]])})


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


def test_an_unknown_layer_is_the_line_of_the_names():
    with pytest.raises(UserError) as caught:
        prepare(RANDOM_SQUEEZENET, ["fire10_avg"], SIZE, CPU)
    assert str(caught.value) == family.unknown_layer("squeezenet1_1", "fire10_avg")


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
