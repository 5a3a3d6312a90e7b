"""Libraries of networks, each a family: what rules and jobs ask of it.

A model's name begins with the family's prefix: `vgg16` is torchvision's, `timm:vit_small_patch14_dinov2` timm's.
This is the one place that reads it. Rules import this module, so a family imports torch and the library inside the
methods that need them.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workflow_scripts.backbones.layers import Node, parse_layer
from workflow_scripts.backbones.timm_family import Timm
from workflow_scripts.backbones.torchvision_family import Torchvision
from workflow_scripts.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workflow_scripts.backbones.normalisation import Normalisation


class Family(Protocol):
    """One library of networks. `model` is a name without the family's prefix; every method raises `UserError` for an
    unknown one, but `unknown_model`, which returns the line.
    """

    prefix: str

    def unknown_model(self, model: str) -> str | None:
        """Return one line about a model that the family does not have, with the nearest names; None if it has it."""

    def input_size(self, model: str) -> int:
        """Return the side of the images that a model was made for, pixels."""

    def refuses_size(self, model: str, size: tuple[int, int]) -> str | None:
        """Return why a model takes no images of `size` (height, width; pixels), or None."""

    def nodes(self, model: str) -> Mapping[str, Node]:
        """Return a model's nodes whose output has one row per image, in the order of execution, by name."""

    def aliases(self, model: str) -> Mapping[str, str]:
        """Return other names (the papers') of a model's nodes."""

    def graph_node(self, model: str, node: str) -> str:
        """Return what the traced graph calls a node."""

    def licence(self, model: str) -> str | None:
        """Return the licence of the published weights, None where the library does not state one."""

    def build(self, model: str, size: int | None = None, **options: Any) -> nn.Module:
        """Return the network, randomly initialised, in eval mode.

        `size` is the side of the images that it will get (pixels; null: the model's own); `options` (`num_classes`) go
        to the constructor.
        """

    def tracing(self) -> dict[str, Any]:
        """Return the arguments that torch.fx's tracer needs for this library's networks."""

    def published(self, model: str, text: str, download: bool = False) -> Path:
        """Return the file of the published weights that `text` names; raises `UserError` where it is not there.

        With `download` it is fetched first.
        """

    def published_options(self, model: str, text: str) -> dict[str, Any]:
        """Return what published weights ask of `build` (sizes of larger variants)."""

    def normalisation(self, model: str, text: str) -> tuple[str, Normalisation] | None:
        """Return, in words and as numbers, how pixels are scaled for the weights `text`; None if nothing is known."""

    def adapted(self, network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors of other layouts of the same network under the names and in the shapes of `network`."""


FAMILIES: tuple[Family, ...] = (Timm(), Torchvision())
"""The one without a prefix is the last."""


def family_of(model: str) -> tuple[Family, str]:
    """Return the family of a model of the configuration, and the name that the family knows it by."""
    family = next(family for family in FAMILIES if model.startswith(family.prefix))
    return family, model.removeprefix(family.prefix)


def resolve_node(model: str, name: str) -> str:
    """Return the node that a name stands for: itself, an alias, or a module (`layer4`): the last node inside it.

    Raises `UserError` with the nearest names.
    """
    family, own = family_of(model)
    known, alias = family.nodes(own), family.aliases(own)
    node = alias.get(name, name)
    if node in known:
        return node
    if inside := [candidate for candidate in known if candidate.startswith(f"{node}.")]:
        return inside[-1]
    near = get_close_matches(name, [*alias, *known], 4, 0.4)
    like = f" ({', '.join(near)}, …)" if near else ""
    raise UserError(f"layers: {model} has no layer {name!r}{like}; `snakemake list_layers` shows all of them")


def unknown_layer(model: str, text: str) -> str | None:
    """Return one line about a layer, or a model, that does not exist or cannot be pooled so; None when all is well."""
    family, own = family_of(model)
    if trouble := family.unknown_model(own):
        return trouble
    layer = parse_layer(text)
    try:
        name = resolve_node(model, layer.node)
    except UserError as error:
        return str(error)
    node = family.nodes(own)[name]
    refusal = node.refuses(layer.pooling)
    return f"layers: {text!r} of {model}: {refusal}, the output of {name} is {node.shape}" if refusal else None


def layer_width(model: str, text: str, size: int | None = None) -> int:
    """Return how many numbers a layer gives for one image of side `size` pixels (null: the model's own)."""
    family, own = family_of(model)
    layer = parse_layer(text)
    node = family.nodes(own)[resolve_node(model, layer.node)]
    side = family.input_size(own)
    return node.pooled(layer.pooling, node.at(side, size or side))
