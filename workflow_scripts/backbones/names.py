"""What a layer is called in the YAML, and which nodes a backbone has.

A layer is `NODE` or `NODE_POOLING`: `fc1`, `block5_pool`, `fire9_avg`, `layer4_gem`. Rules import this module, so it
needs the standard library only: the nodes of torchvision's models come from the JSON files in `nodes/`, which
`python -m workflow_scripts.backbones.generate_nodes` writes. What cannot be known here (timm's models) passes, and
the job that loads the network reports it.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import accumulate
from math import prod
from pathlib import Path

from workflow_scripts.errors import UserError

POOLINGS = ("flat", "avg", "max", "gem", "cls")
NODES = Path(__file__).parent / "nodes"
TIMM = "timm:"

_VGG_BLOCKS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_SQUEEZENET_FIRES = {"squeezenet1_0": (3, 4, 5, 7, 8, 9, 10, 12), "squeezenet1_1": (3, 4, 6, 7, 9, 10, 11, 12)}


@dataclass(frozen=True)
class Layer:
    """A node of a network's graph and how its output becomes a vector."""

    node: str
    pooling: str


@dataclass(frozen=True)
class Node:
    """A node's output for one image at the model's own input size and, where the model takes it, at twice that size."""

    shape: tuple[int, ...]
    doubled: tuple[int, ...] | None = None

    @property
    def channel_axis(self) -> int:
        """The axis that pooling keeps, counted without the batch: (C, H, W), (H, W, C) or (tokens, C).

        Of a map, the first axis that does not grow with the image.
        """
        if len(self.shape) < 3:
            return len(self.shape) - 1
        if self.doubled is None:
            return 0
        return next((axis for axis, (a, b) in enumerate(zip(self.shape, self.doubled, strict=True)) if a == b), 0)

    def at(self, own: int, size: int) -> tuple[int, ...]:
        """The shape for images of another size: exact for strides and adaptive pooling, within a pixel otherwise."""
        if self.doubled is None or size == own:
            return self.shape
        return tuple(
            max(1, round(a + (b - a) * (size / own - 1))) for a, b in zip(self.shape, self.doubled, strict=True)
        )

    def pooled(self, pooling: str, shape: tuple[int, ...] | None = None) -> int:
        """The width of the vector that `pooling` makes of an output (of `shape`, where that is not the node's own)."""
        return prod(shape or self.shape) if pooling == "flat" else self.shape[self.channel_axis]

    def refuses(self, pooling: str) -> str | None:
        """Why `pooling` makes no sense here, or None."""
        if pooling == "cls" and len(self.shape) != 2:
            return "cls takes the first token of (tokens, channels)"
        if pooling in ("avg", "max", "gem") and len(self.shape) not in (2, 3):
            return f"{pooling} takes a map or tokens"
        return None


def parse_layer(text: str) -> Layer:
    """`fire9_avg` -> fire9, avg; without a pooling's name after the last underscore the output is flattened."""
    node, _, pooling = text.rpartition("_")
    return Layer(node, pooling) if node and pooling in POOLINGS else Layer(text, "flat")


@cache
def models() -> tuple[str, ...]:
    """The classification models of torchvision, sorted."""
    return tuple(sorted(path.stem for path in NODES.glob("*.json")))


@cache
def _file(model: str) -> dict:
    if trouble := unknown_model(model):
        raise UserError(trouble)
    return json.loads((NODES / f"{model}.json").read_text())


def input_size(model: str) -> int:
    """The side of the images that a torchvision model was made for, pixels."""
    return _file(model)["input_size"]


@cache
def nodes(model: str) -> dict[str, Node]:
    """A torchvision model's nodes whose output has one row per image, in the order of execution."""
    return {name: Node(*map(tuple, shapes)) for name, shapes in _file(model)["nodes"].items()}


@cache
def aliases(model: str) -> dict[str, str]:
    """The papers' names for a torchvision model's nodes; those of layers with a ReLU mean its output."""
    found = {"logits": list(nodes(model))[-1]}
    family = model.removesuffix("_bn")
    if family in _VGG_BLOCKS:
        found |= _vgg_aliases(_VGG_BLOCKS[family], layers_per_convolution=3 if model.endswith("_bn") else 2)
    elif model in _SQUEEZENET_FIRES:
        found |= {f"fire{number}": f"features.{place}.cat" for number, place in enumerate(_SQUEEZENET_FIRES[model], 2)}
        found |= {"conv1": "features.1", "conv10": "classifier.2"}
    elif model == "inception_v3":
        found["pool"] = "avgpool"
    return found


def _vgg_aliases(blocks: tuple[int, ...], layers_per_convolution: int) -> dict[str, str]:
    """Keras's names: block1_conv1 … block5_pool, fc1, fc2, all after their ReLU."""
    found = {"fc1": "classifier.1", "fc2": "classifier.4"}
    lengths = [count * layers_per_convolution + 1 for count in blocks]
    for block, (start, count) in enumerate(zip(accumulate(lengths, initial=0), blocks, strict=False), 1):
        for number in range(1, count + 1):
            found[f"block{block}_conv{number}"] = f"features.{start + number * layers_per_convolution - 1}"
        found[f"block{block}_pool"] = f"features.{start + count * layers_per_convolution}"
    return found


def resolve_node(model: str, name: str) -> str:
    """The node that a name stands for: itself, an alias, or a module (`layer4`), which means the last node inside it.

    A name of a model that is not torchvision's comes back as it is. Raises `UserError` with the nearest names.
    """
    if model.startswith(TIMM):
        return name
    known, alias = nodes(model), aliases(model)
    node = alias.get(name, name)
    inside = [candidate for candidate in known if candidate.startswith(f"{node}.")]
    if node in known or inside:
        return node if node in known else inside[-1]
    near = get_close_matches(name, [*alias, *known], 4, 0.4)
    raise UserError(f"layers: {model} has no layer {name!r}{_like(near)}; `snakemake list_layers` shows all of them")


def _like(near: list[str]) -> str:
    return f" ({', '.join(near)}, …)" if near else ""


def unknown_model(model: str) -> str | None:
    """One line about a model that torchvision does not have, with the nearest names; None when all is well."""
    if model.startswith(TIMM) or model in models():
        return None
    near = get_close_matches(model, models(), 3, 0.4)
    return f"model: found {model!r}, allowed: a classification model of torchvision{_like(near)}, or timm:NAME"


def unknown_layer(model: str, text: str) -> str | None:
    """One line about a layer, or a model, that does not exist or cannot be pooled so; None when all is well."""
    layer = parse_layer(text)
    try:
        node = resolve_node(model, layer.node)
    except UserError as error:
        return str(error)
    if model.startswith(TIMM):
        return None
    refusal = nodes(model)[node].refuses(layer.pooling)
    return (
        f"layers: {text!r} of {model}: {refusal}, the output of {node} is {nodes(model)[node].shape}"
        if refusal
        else None
    )


def layer_width(model: str, text: str, size: int | None = None) -> int | None:
    """How many numbers a layer gives for one image of side `size` pixels (null: the model's own); None for timm's."""
    if model.startswith(TIMM):
        return None
    layer = parse_layer(text)
    node = nodes(model)[resolve_node(model, layer.node)]
    own = input_size(model)
    return node.pooled(layer.pooling, node.at(own, size or own))
