"""Read weight files without running any code in them.

The formats are safetensors, HDF5 of Keras 2, and the files of `torch.save`. They are recognised by the content of a
file; its name does not matter.
"""

import json
import pickle
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

import h5py
import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from workflow_scripts.backbones.torchvision_family import Torchvision
from workflow_scripts.errors import UserError

OWN_METADATA = "clustergrid"
"""The key of the metadata that fine-tuning writes to a safetensors file. There is only one, with JSON as its value,
because safetensors writes several keys in random order."""
_NOT_WEIGHTS = (
    (re.compile(rb"version https://git-lfs"), "is a pointer of Git LFS, not the weights; run `git lfs pull`"),
    (re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE), "is a web page, not weights; download the file again"),
    (re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\x00|MM\x00\*|BM"), "is an image, not weights"),
    (re.compile(rb"%PDF"), "is a PDF, not weights"),
    (re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf"), "is a compressed archive; unpack it"),
)
"""Patterns of the first bytes of files that are not weights, each with a text for the message."""
_HEAD_BYTES = 512
"""Number of bytes at the beginning of a file that are compared with these patterns."""
MOST_LETTERS = 160
"""Largest number of characters of a library's message about a damaged file."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_NESTED = ("teacher", "state_dict", "model_state_dict", "model", "network", "net", "module")
"""Keys under which checkpoints may hold the network's tensors; of DINO's two networks the teacher is used."""
_HARMLESS = (
    Namespace,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "bool")),
)
"""Types that checkpoints may contain besides tensors, such as arguments and accuracies; they run no code."""
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")
"""Names of DenseNet's tensors in old checkpoints, with a dot that torchvision's networks do not have."""


def read(path: Path, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors of a weight file, by name, and its metadata.

    The metadata are `normalise`, `classes` and `trained_on`, if the file has them. Raises `UserError` if the file is
    not a weight file, is damaged, or holds pickled code.
    """
    try:
        head = _head(path)
        if head.startswith(_HDF5):
            with h5py.File(path, "r", locking=False) as file:  # Keras's ImageNet weights come from Caffe
                return dict(_keras(file, path, model)), {"normalise": "caffe"}
        if head[8:9] == b"{":
            return _safetensors(path)
        if not head.startswith((_ZIP, _PICKLE)):
            raise UserError(f"weights: {path} {_kind(head)}")
        with torch.serialization.safe_globals(list(_HARMLESS)):
            return _plain(torch.load(path, map_location="cpu", weights_only=True), path), {}
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or "global" in str(error):
            raise UserError(f"weights: {path} holds pickled code, which is never run; save its state_dict()") from None
        raise UserError(f"weights: {path} cannot be read: it is damaged") from None
    except Exception as error:  # the three libraries raise many types of exceptions for damaged files
        reason = shorten(str(error) or type(error).__name__, MOST_LETTERS, placeholder=" …")
        raise UserError(f"weights: {path} cannot be read: it is damaged ({reason})") from None


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise UserError(f"weights: {path} cannot be read: {error.strerror}") from None
    if not head:
        raise UserError(f"weights: {path} is empty (0 bytes)")
    return head


def _kind(head: bytes) -> str:
    """Return what is wrong with a file that has none of the three formats, such as `is a text file, not weights`.

    `head` are the first bytes of the file. In the message, the path of the file stands before this text.
    """
    for beginning, says in _NOT_WEIGHTS:
        if beginning.match(head):
            return says
    if not set(head) - set(range(32, 256)) - set(b"\t\r\n"):
        return "is a text file, not weights"
    return "is no weight file, or a damaged one; allowed: safetensors, Keras 2's HDF5, what torch.save writes"


def _safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tuned = json.loads(metadata.get(OWN_METADATA, "{}"))
    keys = ("classes", "trained_on")
    if not isinstance(tuned, dict) or not all(isinstance(tuned.get(key, []), list) for key in keys):
        raise UserError(f"weights: {path}: its metadata {OWN_METADATA!r} is not what fine-tuning writes")
    stated = {"normalise": metadata["normalise"]} if "normalise" in metadata else {}
    return tensors, stated | tuned


def _plain(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name; they may be nested under one of the keys `_NESTED`.

    Raises `UserError` if the checkpoint has no tensors by name.
    """
    while isinstance(content, Mapping):
        key = next((key for key in _NESTED if isinstance(content.get(key), Mapping)), None)
        if key is None:
            break
        content = content[key]
    if not isinstance(content, Mapping):
        raise UserError(f"weights: {path} holds a {type(content).__name__}, allowed: tensors by name (a state_dict)")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise UserError(f"weights: {path} holds no tensors by name (a state_dict)")
    return {_OLD_DENSENET.sub(r"\1\2", name): value for name, value in tensors.items()}


def _keras(file: h5py.File, path: Path, model: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a Keras 2 weight file with torchvision's names and torch's order of axes.

    The inputs of the first dense layer after the convolutions are in the order (H, W, C) in Keras and (C, H, W) in
    torch.
    """
    modules = keras_modules(model)
    layers = file.get("model_weights", file)
    if "layer_names" not in layers.attrs:
        raise UserError(f"weights: {path} is no Keras 2 weight file (no attribute layer_names)")
    channels = 0
    for layer in map(_text, layers.attrs["layer_names"]):
        for name in map(_text, layers[layer].attrs["weight_names"]):
            values = torch.from_numpy(layers[layer][name][()])
            if values.ndim == 4:
                channels = values.shape[3]
                values = values.permute(3, 2, 0, 1)
            elif values.ndim == 2:
                if layer == "fc1" and channels:
                    values = _channels_first(values, channels)
                values = values.T
            kind = "bias" if values.ndim == 1 else "weight"
            yield f"{modules.get(layer, layer)}.{kind}", values.contiguous()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _channels_first(kernel: Tensor, channels: int) -> Tensor:
    """Return a dense kernel (H * W * C, out) with its rows in the order (C, H, W) instead of (H, W, C).

    The rows stand for the values of a square map, H = W, with C `channels`.
    """
    side = round((kernel.shape[0] / channels) ** 0.5)
    return kernel.reshape(side, side, channels, -1).permute(2, 0, 1, 3).reshape(kernel.shape)


def keras_modules(model: str) -> dict[str, str]:
    """Return for each layer of Keras's VGG or SqueezeNet the name of torchvision's module with the same weights.

    Raises `UserError` for all other networks: those of Keras differ from those of torchvision with the same name, for
    instance in the strides of ResNet-50.
    """
    if model.startswith("squeezenet"):
        parts = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
        inside = {
            f"{fire}/{part}": f"{node.removesuffix('.cat')}.{module}"
            for fire, node in Torchvision().aliases(model).items()
            if fire.startswith("fire")
            for part, module in parts.items()
        }
        return {"conv1": "features.0", "conv10": "classifier.1", **inside}
    if model in ("vgg16", "vgg19"):
        activated = {
            name: node
            for name, node in Torchvision().aliases(model).items()
            if name.startswith("fc") or "_conv" in name
        }
        return {name: _before(node) for name, node in activated.items()} | {"predictions": "classifier.6"}
    raise UserError(
        f"weights: a Keras file (.h5) fits vgg16, vgg19 and SqueezeNet, found {model}: Keras's is another network"
    )


def _before(node: str) -> str:
    """Return the name of the module before a ReLU in a sequence: `features.0` for the ReLU `features.1`."""
    parent, number = node.rsplit(".", 1)
    return f"{parent}.{int(number) - 1}"
