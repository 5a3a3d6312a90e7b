"""The forward pass against torchvision's with hooks, and poolings against numpy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from workflow_scripts.backbones import family
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

CPU = torch.device("cpu")
SIZE = (64, 64)
RANDOM_SQUEEZENET = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}


def some_images(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def plain_outputs(net: nn.Module, pixels: torch.Tensor, modules: list[str]) -> dict[str, np.ndarray]:
    """Return the output of each module, copied by a hook before a later in-place operation can overwrite it."""
    outputs: dict[str, np.ndarray] = {}

    def keep(name):
        return lambda module, inputs, output: outputs.__setitem__(name, output.detach().clone().numpy())

    handles = [net.get_submodule(name).register_forward_hook(keep(name)) for name in modules]
    with torch.no_grad():
        net(pixels)
    for handle in handles:
        handle.remove()
    return outputs


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


def test_an_unknown_layer_is_the_line_of_the_names():
    with pytest.raises(UserError) as caught:
        prepare(RANDOM_SQUEEZENET, ["fire10_avg"], SIZE, CPU)
    assert str(caught.value) == family.unknown_layer("squeezenet1_1", "fire10_avg")
