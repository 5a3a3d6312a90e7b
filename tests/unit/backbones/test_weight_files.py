"""Weight files of other programs give the right tensors; other files are reported in one line."""

import json
import struct
from argparse import Namespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from workflow_scripts.backbones import weights
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

MODEL = "squeezenet1_1"
HEAD = "classifier.1."


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return torchvision.models.squeezenet1_1().state_dict()


def body(state, prefix=""):
    return {prefix + name: value for name, value in state.items() if not name.startswith(HEAD)}


def moco(state):
    """He et al. 2020: two encoders and a queue; the key encoder is another network."""
    query = body(state, "module.encoder_q.")
    key = {name.replace("_q.", "_k."): value + 1 for name, value in query.items()}
    head = {"module.encoder_q.fc.0.weight": torch.zeros(8, 8)}
    return {"epoch": 200, "arch": "resnet50", "state_dict": {**query, **head, **key, "module.queue": torch.zeros(8, 9)}}


def dino(state):
    """Caron et al. 2021: student and teacher, and the script's arguments."""
    student = {name: value + 1 for name, value in body(state, "module.backbone.").items()}
    teacher = {**body(state, "backbone."), "head.mlp.0.weight": torch.zeros(4, 4)}
    return {"student": student, "teacher": teacher, "epoch": 100, "args": Namespace(arch="vit_small", lr=0.1)}


def swav(state):
    """Caron et al. 2020: DataParallel's prefix, prototypes instead of a head."""
    return {**body(state, "module."), "module.prototypes.weight": torch.zeros(3, 4)}


def micronet(state):
    """Stuckner, Harder & Smith 2022 (.pth.tar): a head for their classes, numpy's numbers beside."""
    head = {f"module.{HEAD}weight": torch.zeros(54, 512, 1, 1), f"module.{HEAD}bias": torch.zeros(54)}
    return {"epoch": 1, "best_acc1": np.float64(0.9), "state_dict": {**body(state, "module."), **head}}


def lightning(state):
    return {"state_dict": body(state, "model.net."), "hyper_parameters": {"lr": 0.1}, "global_step": 3}


@pytest.mark.parametrize("layout", [moco, dino, swav, micronet, lightning])
def test_the_layouts_of_others_give_the_right_network_without_the_head(tmp_path, state, layout):
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(layout(state), path)
    backbone = {"model": MODEL, "weights": str(path)}
    _, loaded = prepare(backbone, ["fire9_avg"], (64, 64), torch.device("cpu"))
    given = loaded.network.state_dict()
    assert all(torch.equal(given[name], value) for name, value in body(state).items())
    assert loaded.missing == {f"{HEAD}weight", f"{HEAD}bias"}
    with pytest.raises(UserError, match="does not have classifier"):
        prepare(backbone, ["logits"], (64, 64), torch.device("cpu"))


def lfs(path, state):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n")


def jpeg(path, state):
    Image.new("RGB", (8, 8)).save(path, "JPEG")


def without_a_header(path, state):
    header = b'{"features.0.weight": {"dtype": "F32", "shape": [2, '
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def with_damaged_metadata(path, state):
    save_file(state, path, {"clustergrid": '{"classes": 7}'})


def with_metadata_that_is_no_json(path, state):
    save_file(state, path, {"clustergrid": "{"})


def cut_short(path, state):
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_a_number(path, state):
    torch.save({**state, "features.0.bias": torch.full((64,), torch.nan)}, path)


def legacy_cut_short(path, state):
    torch.save(state, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:4000])


def optimiser_alone(path, state):
    torch.save({"optimizer": {"lr": 0.1}}, path)


def keras_without_a_layer(path, state):
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(["conv1", "conv10"], dtype="S")


@pytest.mark.parametrize(
    ("write", "suffix", "says"),
    [
        (lambda path, state: path.write_bytes(b""), ".pth", r"is empty \(0 bytes\)"),
        (lambda path, state: path.write_text("see the wiki\n"), ".pt", "is a text file, not weights"),
        (lambda path, state: path.write_text("\n<!DOCTYPE html><html>404"), ".pth", "is a web page"),
        (
            lambda path, state: path.write_bytes(b"\x1f\x8b\x08" + bytes(60)),
            ".pth.tar",
            "compressed archive; unpack it",
        ),
        (lambda path, state: path.write_bytes(b"PK\x03\x04" + bytes(60)), ".pth", "is damaged"),
        (lambda path, state: path.write_bytes(b"\x80\x02" + bytes(60)), ".pth", "is damaged"),
        (lambda path, state: path.mkdir(), ".pth", "there is no file"),
        (lfs, ".safetensors", "is a pointer of Git LFS.*git lfs pull"),
        (jpeg, ".pth", "is an image, not weights"),
        (without_a_header, ".safetensors", "is damaged"),
        (with_damaged_metadata, ".safetensors", "is not what fine-tuning writes"),
        (with_metadata_that_is_no_json, ".safetensors", "is damaged"),
        (cut_short, ".pth", "is damaged"),
        (legacy_cut_short, ".pth", "is damaged"),
        (not_a_number, ".pth", r"features\.0\.bias holds numbers that are infinite or none \(NaN\)"),
        (optimiser_alone, ".pth", "holds no tensors by name"),
        (keras_without_a_layer, ".h5", "is damaged"),
    ],
)
def test_a_file_that_is_no_weights_is_one_line_that_says_what_it_is(tmp_path, state, write, suffix, says):
    path = tmp_path / f"net{suffix}"
    write(path, state)
    with pytest.raises(UserError, match=says) as caught:
        weights.load({"model": MODEL, "weights": str(path)})
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("inside", ["../../etc/passwd", "/etc/passwd", "a/../../../b.pth"])
def test_a_path_does_not_leave_its_package(inside):
    with pytest.raises(UserError, match="allowed: a path inside the package safetensors"):
        weights.locate(MODEL, f"package:safetensors/{inside}")


def test_weights_of_a_repository_come_from_the_hugging_face_cache(tmp_path, monkeypatch):
    import huggingface_hub

    (tmp_path / "w.bin").write_bytes(b"x")
    asked = []
    monkeypatch.setattr(
        huggingface_hub, "try_to_load_from_cache", lambda *what: asked.append(what) or str(tmp_path / "w.bin")
    )
    assert weights.locate(MODEL, "hf-hub:someone/net/w.bin") == tmp_path / "w.bin"
    assert asked == [("someone/net", "w.bin")]
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *what: None)
    with pytest.raises(UserError, match=r"of someone/net is not in the Hugging Face cache.*`snakemake weights`"):
        weights.locate(MODEL, "hf-hub:someone/net")


def test_what_is_fetched_is_on_record(tmp_path, state):
    torch.save(state, tmp_path / "net.pth")
    facts = weights.fetch({"model": MODEL, "weights": str(tmp_path / "net.pth")})
    assert facts["bytes"] == (tmp_path / "net.pth").stat().st_size
    assert set(facts) == {"weights", "path", "bytes", "weights_sha256"}
    assert json.dumps(facts)


@pytest.mark.parametrize(
    ("stated", "licence"),
    [
        ("License: MIT license\n", "that of the package shipped 1.2: MIT license"),
        ("License-Expression: BSD-3-Clause\nLicense: see there\n", "that of the package shipped 1.2: BSD-3-Clause"),
        ("", None),
    ],
)
def test_weights_inside_a_package_have_its_licence(stated, licence, tmp_path, state, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "__init__.py").touch()
    torch.save(state, tmp_path / "shipped" / "net.pth")
    (tmp_path / "shipped-1.2.dist-info").mkdir()
    head = "Metadata-Version: 2.4\nName: shipped\nVersion: 1.2\n"
    (tmp_path / "shipped-1.2.dist-info" / "METADATA").write_text(head + stated)
    assert weights.fetch({"model": MODEL, "weights": "package:shipped/net.pth"})["licence"] == licence
