"""The family of torchvision's classification models.

Their nodes are read from JSON files in `nodes/torchvision/`, which are written by
`python -m workflow_scripts.backbones.generate_nodes`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from itertools import accumulate
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from workflow_scripts.backbones.layers import Node
from workflow_scripts.backbones.weight_names import WEIGHT_FILES
from workflow_scripts.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workflow_scripts.backbones.normalisation import Normalisation

NODES = Path(__file__).parent / "nodes" / "torchvision"
SWAG_LICENCE = "cc-by-nc-4.0"
"""The licence of https://github.com/facebookresearch/SWAG."""
SWAG_BY_DEFAULT = ("regnet_y_128gf", "vit_h_14")
"""The models whose default weights come from SWAG."""

_VGG_BLOCKS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_SQUEEZENET_FIRES = {"squeezenet1_0": (3, 4, 5, 7, 8, 9, 10, 12), "squeezenet1_1": (3, 4, 6, 7, 9, 10, 11, 12)}


@cache
def models() -> tuple[str, ...]:
    """Return the names of torchvision's classification models, sorted."""
    return tuple(sorted(path.stem for path in NODES.glob("*.json")))


@cache
def _file(model: str) -> dict:
    if trouble := Torchvision().unknown_model(model):
        raise UserError(trouble)
    return json.loads((NODES / f"{model}.json").read_text())


class Torchvision:
    """The family of torchvision's models, whose names have no prefix; the methods are described in `family.Family`."""

    prefix = ""
    in_prose = "torchvision [@torchvision2016]"

    def unknown_model(self, model: str) -> str | None:
        """Return a message if torchvision does not have the model, otherwise None. If there are models with similar
        names, the message lists them."""
        if model in models():
            return None
        near = get_close_matches(model, models(), 3, 0.4)
        like = f" ({', '.join(near)}, …)" if near else ""
        return f"model: found {model!r}, allowed: a classification model of torchvision{like}, or timm:NAME"

    def unknown_weights(self, model: str, text: str) -> str | None:
        """Return a message with the allowed names if torchvision publishes no weights named `text`, otherwise None."""
        if text in (published := ("default", *_file(model)["weights"])):
            return None
        return f"weights: found {text!r} for {model}, allowed: {', '.join(published)}, random, {WEIGHT_FILES}"

    def input_size(self, model: str) -> int:
        """Return the side, in pixels, of the images that a model was made for."""
        return _file(model)["input_size"]

    def built_for_size(self, model: str) -> bool:
        """Return whether a model is a vision transformer or MaxViT. Their position embeddings fit only one size of
        image."""
        return model.startswith(("vit_", "maxvit_"))

    def refuses_size(self, model: str, size: tuple[int, int]) -> str | None:
        """Return None, because the sizes that a transformer takes depend on its weights; the job checks them."""
        return None

    def nodes(self, model: str) -> Mapping[str, Node]:
        """Return the nodes (outputs of operations) of a model by name, in the order of execution.

        Only nodes whose output has one row per image are returned.
        """
        return _nodes(model)

    def aliases(self, model: str) -> Mapping[str, str]:
        """Return the name of the node for each name that papers give to a layer. The node is the layer's ReLU if it has
        one."""
        return _aliases(model)

    def graph_node(self, model: str, node: str) -> str:
        """Return `node`: the traced graph uses the same names."""
        return node

    def licence(self, model: str, text: str) -> str | None:
        """Return the licence of the weights called SWAG; None for all others, because torchvision states none."""
        return SWAG_LICENCE if "SWAG" in text or (text.lower() == "default" and model in SWAG_BY_DEFAULT) else None

    def build(self, model: str, size: int | None = None, **options: Any) -> nn.Module:
        """Return the network with random weights, in eval mode; `options` are passed to the constructor. Raises
        `UserError` if torchvision does not have the model."""
        from workflow_scripts.backbones.torchvision_import import torchvision

        if trouble := self.unknown_model(model):
            raise UserError(trouble)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torchvision's note about the initialisation of Inception
            return torchvision.models.get_model_builder(model)(**options).eval()

    def tracing(self) -> dict[str, Any]:
        """Return an empty dict: torch.fx needs no arguments to trace the networks of torchvision."""
        return {}

    def published(self, model: str, text: str, download: bool = False) -> Path:
        """Return the path of a weight set in torch hub's cache.

        If it is missing and `download` is true, it is downloaded. Raises `UserError` if it is still missing.
        """
        from workflow_scripts.backbones.hub import checkpoints, fetch

        weights = self._weights(model, text)
        path = checkpoints() / Path(urlparse(weights.url).path).name
        if not path.exists():
            where = f"{model} {weights.name} is not in torch hub's cache ({path})"
            if not download:
                raise UserError(f"weights: {where}; fetch it on a machine with a network, or copy it there")
            fetch(weights.url, path, where)
        return path

    def published_options(self, model: str, text: str) -> dict[str, Any]:
        """Return the keyword arguments for building the network: the side of the images for a Vision Transformer, none
        for other models."""
        return {"image_size": self._weights(model, text).meta["min_size"][0]} if model.startswith("vit_") else {}

    def normalisation(self, model: str, text: str) -> tuple[str, Normalisation] | None:
        """Return the name and the values of the pixel scaling for a weight set of torchvision.

        Returns None for weights in a file, which may come from another source.
        """
        from workflow_scripts.backbones.normalisation import NORMALISATIONS, Normalisation

        if self.unknown_weights(model, text):
            return None
        weights = self._weights(model, text)
        if model in ("inception_v3", "googlenet"):
            # torchvision scales as for ImageNet and changes this inside the network to the symmetric scale
            return f"symmetric (of {weights})", NORMALISATIONS["symmetric"]
        transforms = weights.transforms()
        return f"of {weights}", Normalisation.of_unit_range(transforms.mean, transforms.std)

    def adapted(self, network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return `tensors` unchanged: weight files of torchvision already have the names and shapes of the networks."""
        return tensors

    def _weights(self, model: str, text: str) -> Any:
        """Return the member of torchvision's enumeration of weights named `text`; raise `UserError` if there is
        none."""
        from workflow_scripts.backbones.torchvision_import import torchvision

        if trouble := self.unknown_weights(model, text):
            raise UserError(trouble)
        return torchvision.models.get_model_weights(model)["DEFAULT" if text == "default" else text]


@cache
def _nodes(model: str) -> dict[str, Node]:
    return {name: _node(model, *map(tuple, shapes)) for name, shapes in _file(model)["nodes"].items()}


def _node(model: str, shape: tuple[int, ...], doubled: tuple[int, ...] | None = None) -> Node:
    """Return the node whose output has this `shape`; `doubled` is its shape for images of twice the model's input size.

    The output of a Vision Transformer counts as tokens if it has a row for the class token and a square number of other
    rows, the patches.
    """
    if model.startswith("vit_") and len(shape) == 2 and isqrt(shape[0] - 1) ** 2 == shape[0] - 1 > 0:
        return Node(shape, doubled, prefix=1, class_token=True)
    return Node(shape, doubled)


@cache
def _aliases(model: str) -> dict[str, str]:
    aliases = {"logits": list(_nodes(model))[-1]}
    architecture = model.removesuffix("_bn")
    if architecture in _VGG_BLOCKS:
        aliases |= _vgg_aliases(_VGG_BLOCKS[architecture], layers_per_convolution=3 if model.endswith("_bn") else 2)
    elif model in _SQUEEZENET_FIRES:
        aliases |= {
            f"fire{number}": f"features.{place}.cat" for number, place in enumerate(_SQUEEZENET_FIRES[model], 2)
        }
        aliases |= {"conv1": "features.1", "conv10": "classifier.2"}
    elif model == "inception_v3":
        aliases["pool"] = "avgpool"
    return aliases


def _vgg_aliases(blocks: tuple[int, ...], layers_per_convolution: int) -> dict[str, str]:
    """Return the names of nodes by Keras's names of the layers of VGG: block1_conv1 to block5_pool, fc1 and fc2.

    If a layer has a ReLU, the node is the ReLU. `blocks` has the number of convolutions in each block. A convolution
    takes `layers_per_convolution` layers: 2, or 3 with batch normalisation.
    """
    aliases = {"fc1": "classifier.1", "fc2": "classifier.4"}
    lengths = [count * layers_per_convolution + 1 for count in blocks]
    for block, (start, count) in enumerate(zip(accumulate(lengths, initial=0), blocks, strict=False), 1):
        for number in range(1, count + 1):
            aliases[f"block{block}_conv{number}"] = f"features.{start + number * layers_per_convolution - 1}"
        aliases[f"block{block}_pool"] = f"features.{start + count * layers_per_convolution}"
    return aliases
