"""Give access to families of networks. A family is a library that models come from.

A model's name begins with the prefix of its family: `vgg16` is a model of torchvision, `timm:vit_small_patch14_dinov2`
of timm. Only this module reads the prefix. Rules import it, so a family imports torch and its library inside the
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
    """The interface of a family, that is a library of networks.

    The argument `model` is a name without the family's prefix. All methods except `unknown_model` raise `UserError` for
    a model that the family does not have.
    """

    prefix: str
    """The beginning of the names of the family's models in the configuration; one family has an empty prefix."""
    in_prose: str
    """The name of the library in the paragraph about a run's methods, with its source as `[@key]`."""

    def unknown_model(self, model: str) -> str | None:
        """Return a message with similar names if the family does not have the model, otherwise None."""

    def unknown_weights(self, model: str, text: str) -> str | None:
        """Return a message with the allowed names if the family publishes no weights named `text`, otherwise None."""

    def input_size(self, model: str) -> int:
        """Return the side, in pixels, of the images that a model was made for."""

    def built_for_size(self, model: str) -> bool:
        """Return whether a model, once built for images of one size, cannot take images of another size."""

    def refuses_size(self, model: str, size: tuple[int, int]) -> str | None:
        """Return why a model cannot take images of `size` (height, width; pixels), or None if it can."""

    def nodes(self, model: str) -> Mapping[str, Node]:
        """Return the nodes (outputs of operations) of a model by name, in the order of execution.

        Only nodes whose output has one row per image are returned.
        """

    def aliases(self, model: str) -> Mapping[str, str]:
        """Return other names of nodes of a model, such as those in papers; each is mapped to the name of its node."""

    def graph_node(self, model: str, node: str) -> str:
        """Return the name that a node has in the graph that torch.fx traces."""

    def licence(self, model: str, text: str) -> str | None:
        """Return the licence of the published weights named `text`, or None if the library does not state one."""

    def build(self, model: str, size: int | None = None, **options: Any) -> nn.Module:
        """Return the network with random weights, in eval mode.

        `size` is the side of the images, pixels; None takes the size that the model was made for. `options`, such as
        `num_classes`, are passed to the constructor.
        """

    def tracing(self) -> dict[str, Any]:
        """Return the arguments that the tracer of torch.fx needs for the networks of this family."""

    def published(self, model: str, text: str, download: bool = False) -> Path:
        """Return the path of the published weights named `text`, which are downloaded first if `download` is true.

        Raises `UserError` if they are not on this computer.
        """

    def published_options(self, model: str, text: str) -> dict[str, Any]:
        """Return the options of `build` that the published weights named `text` need, such as the image size."""

    def normalisation(self, model: str, text: str) -> tuple[str, Normalisation] | None:
        """Return how pixels are scaled for the weights `text`: a description and the scaling.

        Returns None if it is not known, such as for weights in a file that may come from another source.
        """

    def adapted(self, network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of a weight file with the names and shapes of `network`, converted if necessary."""


FAMILIES: tuple[Family, ...] = (Timm(), Torchvision())
"""All families; the one without a prefix must be the last."""


def family_of(model: str) -> tuple[Family, str]:
    """Return the family of a model in the configuration, and the model's name without prefix."""
    family = next(family for family in FAMILIES if model.startswith(family.prefix))
    return family, model.removeprefix(family.prefix)


def resolve_node(model: str, name: str) -> str:
    """Return the name of the node that a name in the configuration stands for.

    The name may be that of a node, an alias, or a module such as `layer4`, which stands for its last node. Raises
    `UserError` with similar names if there is none.
    """
    family, model_name = family_of(model)
    known, alias = family.nodes(model_name), family.aliases(model_name)
    node = alias.get(name, name)
    if node in known:
        return node
    if inside := [candidate for candidate in known if candidate.startswith(f"{node}.")]:
        return inside[-1]
    near = get_close_matches(name, [*alias, *known], 4, 0.4)
    like = f" ({', '.join(near)}, …)" if near else ""
    raise UserError(f"layers: {model} has no layer {name!r}{like}; `snakemake list_layers` shows all of them")


def unknown_layer(model: str, text: str) -> str | None:
    """Return a message if a model or a layer does not exist, or if the layer's pooling is not possible; otherwise None.

    `text` is the name of the layer in the configuration.
    """
    family, model_name = family_of(model)
    if trouble := family.unknown_model(model_name):
        return trouble
    layer = parse_layer(text)
    try:
        name = resolve_node(model, layer.node)
    except UserError as error:
        return str(error)
    node = family.nodes(model_name)[name]
    refusal = node.refuses(layer.pooling)
    return f"layers: {text!r} of {model}: {refusal}, the output of {name} is {node.shape}" if refusal else None


def layer_width(model: str, text: str, size: int | None = None) -> int:
    """Return the number of features of a layer for an image of side `size` pixels; None takes the model's own size.

    `text` is the name of the layer in the configuration.
    """
    family, model_name = family_of(model)
    layer = parse_layer(text)
    node = family.nodes(model_name)[resolve_node(model, layer.node)]
    side = family.input_size(model_name)
    return node.pooled(layer.pooling, node.at(side, size or side), layer.words)
