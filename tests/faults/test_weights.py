"""Files that are no weights, damaged, or of other networks: one line says what they are, and no code in them runs."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save, save_file

from workflow_scripts.backbones import weights
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

MODEL, LAYER = "squeezenet1_1", "fire9_avg"
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(1)
    return torchvision.models.squeezenet1_1().state_dict()


class Code:
    """An object whose unpickling runs code."""

    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


def _saved(content: Any, **how: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **how)
    return stream.getvalue()


def _zipped(names: tuple[str, ...]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"text")
    return stream.getvalue()


def _safetensors(header: Any, rest: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def _jpeg() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG")
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def _keras(layers: dict[str, dict[str, tuple[int, ...]]], listed: list[str] | None = None) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        if listed is None or listed:
            file.attrs["layer_names"] = np.array(listed or list(layers), dtype="S")
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array(list(arrays), dtype="S")
            for name, shape in arrays.items():
                group.create_dataset(name, data=np.zeros(shape, "f4"))
    return stream.getvalue()


ONE = {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}
FILES: dict[str, Callable[[State], bytes]] = {
    "empty.pth": lambda state: b"",
    "one_byte.pth": lambda state: b"\x80",
    "zeros.pth": lambda state: bytes(1000),
    "noise.pth": lambda state: np.random.default_rng(0).bytes(3000),
    "text.pth": lambda state: b"see the wiki\n",
    "umlaut.pt": lambda state: "Gewichte für später\n".encode(),
    "lfs.safetensors": lambda state: b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "page.pth": lambda state: b"<!DOCTYPE html><html><body>404</body></html>",
    "page.safetensors": lambda state: b"\n  <HTML>Sign in</HTML>",
    "answer.bin": lambda state: b'{"error": "Repository not found"}',
    "xml.h5": lambda state: b'<?xml version="1.0"?><Error/>',
    "jpeg.pth": lambda state: _jpeg(),
    "png.h5": lambda state: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "pdf.pth": lambda state: b"%PDF-1.7\n" + bytes(100),
    "gzip.pth.tar": lambda state: b"\x1f\x8b\x08" + bytes(100),
    "xz.pth": lambda state: b"\xfd7zXZ\x00" + bytes(100),
    "npy.pth": lambda state: _npy(),
    "zip_of_text.pth": lambda state: _zipped(("readme.txt",)),
    "zip_without_data.pth": lambda state: _zipped(("archive/version", "archive/data.pkl")),
    "zip_cut.pth": lambda state: _saved(state)[:3000],
    "zip_half.pth": lambda state: _saved(state)[:2_000_000],
    "zip_last_byte.pth": lambda state: _saved(state)[:-1],
    "legacy_cut.pth": lambda state: _saved(state, _use_new_zipfile_serialization=False)[:4000],
    "legacy_half.pth": lambda state: _saved(state, _use_new_zipfile_serialization=False)[:2_000_000],
    "code.pth": lambda state: _saved({"state_dict": state, "callback": Code()}),
    "module.pth": lambda state: _saved(torch.nn.ReLU()),
    "pickled_code.pth": lambda state: pickle.dumps(Code(), protocol=2),
    "list.pth": lambda state: _saved(list(state.values())),
    "number.pth": lambda state: _saved(7),
    "none.pth": lambda state: _saved(None),
    "tensor.pth": lambda state: _saved(torch.zeros(3)),
    "no_tensors.pth": lambda state: _saved({"epoch": 3}),
    "nothing.pth": lambda state: _saved({}),
    "nested_nothing.pth": lambda state: _saved({"state_dict": {"model": {}}}),
    "optimiser.pth": lambda state: _saved({"optimizer": {"lr": 0.1}}),
    "other_network.pth": lambda state: _saved({"conv.weight": torch.zeros(3, 3), "conv.bias": torch.zeros(3)}),
    "other_shapes.pth": lambda state: _saved({name: torch.zeros(1) for name in state}),
    "transposed.pth": lambda state: _saved({n: v.mT for n, v in state.items() if n.endswith("0.weight")}),
    "one_layer_lacks.pth": lambda state: _saved({n: v for n, v in state.items() if not n.startswith("features.6.")}),
    "nan.pth": lambda state: _saved({**state, "features.0.bias": torch.full((64,), torch.nan)}),
    "inf.safetensors": lambda state: save({**state, "features.0.bias": torch.full((64,), torch.inf)}),
    "no_header.safetensors": lambda state: struct.pack("<Q", 10),
    "huge_header.safetensors": lambda state: struct.pack("<Q", 2**60) + b"{}",
    "cut_header.safetensors": lambda state: _safetensors(b'{"features.0.weight": {"dtype": "F32", "shape": [2, '),
    "cut_data.safetensors": lambda state: save(state)[:-7],
    "list_header.safetensors": lambda state: _safetensors(b"{[1, 2]}"),
    "negative.safetensors": lambda state: _safetensors({"a": {**ONE, "data_offsets": [-4, 8]}}, bytes(256)),
    "beyond.safetensors": lambda state: _safetensors({"a": {**ONE, "data_offsets": [0, 2**50]}}, bytes(256)),
    "dtype.safetensors": lambda state: _safetensors({"a": {**ONE, "dtype": "F7"}}, bytes(256)),
    "shape.safetensors": lambda state: _safetensors({"a": {**ONE, "shape": [2**40, 2**40]}}, bytes(256)),
    "overlap.safetensors": lambda state: _safetensors({"a": ONE, "b": ONE}, bytes(256)),
    "no_tensors.safetensors": lambda state: _safetensors({}),
    "metadata_list.safetensors": lambda state: _safetensors({"__metadata__": [1], "a": ONE}, bytes(256)),
    "metadata_json.safetensors": lambda state: save(state, {"clustergrid": "{"}),
    "metadata_kind.safetensors": lambda state: save(state, {"clustergrid": "[]"}),
    "metadata_classes.safetensors": lambda state: save(state, {"clustergrid": '{"classes": 7}'}),
    "normalise.safetensors": lambda state: save(state, {"normalise": "brightly"}),
    "no_keras.h5": lambda state: _keras({}, []),
    "keras_layer_lacks.h5": lambda state: _keras({}, ["conv1", "conv10"]),
    "keras_array_lacks.h5": lambda state: _keras({"conv1": {}}, ["conv1"]),
    "keras_other.h5": lambda state: _keras({"stem": {"stem/kernel:0": (3, 3, 3, 8)}}),
    "keras_shape.h5": lambda state: _keras({"conv1": {"conv1/kernel:0": (9, 9, 3, 64), "conv1/bias:0": (3,)}}),
    "keras_cut.h5": lambda state: _keras({"conv1": {"conv1/kernel:0": (3, 3, 3, 64)}})[:900],
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_weight_file_that_is_none_is_one_line(name: str, state: State, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(FILES[name](state))
    with pytest.raises(UserError) as caught:
        prepare({"model": MODEL, "weights": str(path)}, [LAYER], (64, 64), torch.device("cpu"))
    line = str(caught.value)
    assert str(path) in line or "found 'brightly' in the weights' metadata" in line
    assert "\n" not in line
    assert len(line) < 300 + len(str(path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("inside", ["../../x.pth", "../x.pth", "a/../../x.pth", "/etc/passwd", "", ".."])
def test_a_package_is_not_left(inside: str) -> None:
    with pytest.raises(UserError, match="weights: found 'package:safetensors/"):
        weights.locate(MODEL, f"package:safetensors/{inside}")


def test_a_folder_a_dead_link_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.pth").mkdir()
    (tmp_path / "link.pth").symlink_to(tmp_path / "gone.pth")
    os.mkfifo(tmp_path / "pipe.pth")
    for name in ("folder", "link", "pipe"):
        with pytest.raises(UserError, match="there is no file"):
            weights.locate(MODEL, str(tmp_path / f"{name}.pth"))


def test_weights_of_more_than_needed_are_taken(state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "good.safetensors", {"made by": "someone"})
    backbone = {"model": MODEL, "weights": str(tmp_path / "good.safetensors")}
    forward, _ = prepare(backbone, [LAYER], (64, 64), torch.device("cpu"))
    assert forward(np.zeros((1, 64, 64), np.uint8))[LAYER].shape == (1, 512)
