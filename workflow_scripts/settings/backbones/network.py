"""The settings of frozen networks."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workflow_scripts.backbones.family import family_of, layer_width, resolve_node, unknown_layer
from workflow_scripts.backbones.layers import parse_layer, parts_of
from workflow_scripts.backbones.shards import shard_names
from workflow_scripts.backbones.weight_names import RANDOM, is_published, weight_file
from workflow_scripts.settings.backbones.base import OfImages
from workflow_scripts.settings.base import LARGEST_SIDE, Model, Name, Seed
from workflow_scripts.wording import listed

Scale = Annotated[float, Field(gt=0, le=1)]
ARCHITECTURES = {
    "alexnet": "krizhevsky2014",
    "convnext": "liu2022",
    "densenet": "huang2017",
    "efficientnet": "tan2019",
    "tf_efficientnet": "tan2019",
    "inception_v3": "szegedy2016",
    "mobilenet_v2": "sandler2018",
    "resnet": "he2016",
    "squeezenet": "iandola2016",
    "vgg": "simonyan2015",
    "vit": "dosovitskiy2021",
}
"""The source of each architecture, as a key of `references.bib`, by the beginning of the names of its networks."""
CLASSES = 1000
"""The number of classes of ImageNet-1k. Networks that were trained on it have as many outputs."""


class FineTuning(Model):
    """Training of the network on the labelled images before it is frozen. A part of the images is held out."""

    preprocess: Name
    """The preprocessing variant whose images the network is trained on."""
    trained: Literal["head", "all"] | Annotated[int, Field(ge=1)] = "head"
    """The layers that are trained: the last one (`head`), the last one and this number of blocks before it, or
    `all`."""
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    seed: Seed = 0

    @property
    def trained_in_words(self) -> str:
        """Return the trained layers in words."""
        before = "the last layer and the block before it"
        words: dict[str | int, str] = {"head": "the last layer", "all": "all layers", 1: before}
        return words.get(self.trained, f"the last layer and the {self.trained} blocks before it")


class Network(OfImages):
    """A frozen network, its weights, and the layers whose outputs are the features."""

    model: str
    """The name of a classification model of torchvision, or `timm:NAME` for a model of timm."""
    weights: str
    """`default` (the weights that the library recommends), the name of one of torchvision's weight sets, a file (.pth,
    .pt, .tar, .bin, .ckpt, .safetensors, Keras .h5), `package:NAME/PATH` for a file in an installed package,
    `hf-hub:OWNER/NAME` for a repository, `random`, or `none`. The default is the configuration's `weights`."""
    sha256: str | None = Field(None, pattern="^[0-9A-Fa-f]{64}$")
    """The SHA-256 that the weight file must have; null does not check it."""
    seed: Seed = 0
    """Seed of random weights, and of the codebooks that some poolings of layers need."""
    normalise: Literal["auto", "imagenet", "caffe", "symmetric", "lite"] = "auto"
    """How pixels are scaled before the network; `auto` takes what the weights were trained with."""
    size: int | None = Field(None, ge=16, le=LARGEST_SIDE)
    """Side, in pixels, to which images are resized before the network; null does not resize them."""
    batch_size: int | None = Field(None, ge=1)
    """Images per batch; null takes the device's default. Another value changes the last bits of the features."""
    shards: int = Field(1, ge=1, le=1000)
    """The number of jobs that share the images of each forward pass, for more than one GPU. The features are the same,
    and nothing that is finished is made again if this number changes."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    pyramid: list[Scale] = Field([1.0], min_length=1)
    """The scales at which the network sees each image, such as [1, 0.7, 0.5] for its whole size, 70 % and 50 % of its
    sides. The features are the mean over the scales, so layers must be pooled."""
    finetune: FineTuning | None = None
    layers: list[list[str]] = Field(min_length=1)
    """The forward passes over the images. Each is a list of the layers whose outputs it stores as features. `[a+b]` is
    no pass: it joins the features of the layers `a` and `b` of other passes, each divided by the square root of its
    total variance."""

    @property
    def passes(self) -> list[list[str]]:
        return self.layers

    @model_validator(mode="after")
    def _each_layer_once(self) -> "Network":
        flat = [layer for layers in self.layers for layer in layers]
        if not flat or not all(self.layers):
            raise ValueError("layers: found an empty pass")
        twice = sorted({layer for layer in flat if flat.count(layer) > 1})
        if twice:
            raise ValueError(f"layers: {', '.join(twice)} is in two passes; name it in one")
        for layer in flat:
            if len(parts := parts_of(layer)) > 1:
                self._check_joined(layer, parts, flat)
            elif trouble := unknown_layer(self.model, layer):
                raise ValueError(trouble)
        return self

    @model_validator(mode="after")
    def _weights_exist(self) -> "Network":
        family, name = family_of(self.model)
        if is_published(self.weights) and (trouble := family.unknown_weights(name, self.weights)):
            raise ValueError(trouble)
        return self

    def _check_joined(self, layer: str, parts: list[str], flat: list[str]) -> None:
        if lacking := [part for part in parts if part not in flat]:
            raise ValueError(f"layers: {layer} joins {lacking[0] or 'nothing'!r}, which is in no pass; name it in one")
        if [layer] not in self.layers:
            raise ValueError(f"layers: {layer} is beside other layers, allowed: a list of its own, [{layer}]")

    @property
    def prose(self) -> str:
        family, name = family_of(self.model)
        tuned = self.finetune and (
            f" after training of {self.finetune.trained_in_words} on the labelled images, {self.finetune.epochs} epochs"
        )
        source = next((f" [@{key}]" for beginning, key in ARCHITECTURES.items() if name.startswith(beginning)), "")
        kind = f"a network of {family.in_prose} run with PyTorch [@paszke2019]{tuned or ''}"
        return f"{name}{source}, {kind}{self.averaging}"

    @property
    def averaging(self) -> str:
        if self.pyramid == [1.0]:
            return super().averaging
        scales = listed(f"{scale:g}" for scale in self.pyramid)
        return f"{super().averaging or ', averaged over copies of an image'} at {scales} of its size"

    def network(self) -> dict[str, Any]:
        """Return the settings that decide the frozen network and how it sees images, without `layers`, `finetune` and
        `shards`."""
        return self.dump(exclude={"layers", "finetune", "shards"})

    def shards_of(self, layer: str) -> list[str]:
        is_joined = len(parts_of(layer)) > 1
        return [] if is_joined or self.shards == 1 else shard_names(self.shards)

    @property
    def weight_file(self) -> str | None:
        """Return the path of the file that `weights` names, or None if `weights` is something else."""
        path = weight_file(self.weights)
        return None if path is None else str(path)

    @property
    def licence(self) -> str | None:
        """Return the licence of published weights that the library states; None if it is not known."""
        family, name = family_of(self.model)
        return family.licence(name, self.weights) if is_published(self.weights) else None

    def class_scores_beside(self, layer: str) -> str | None:
        """Return the last layer of the network if it gives the scores of the ImageNet-1k classes; otherwise None.

        The last layer must have 1000 outputs and no pooling, and must be computed in the same pass as `layer`. The
        network must have trained weights and must not be fine-tuned.
        """
        if self.finetune or self.weights == RANDOM:
            return None
        beside = [name for name in self.layers_beside(layer) if len(parts_of(name)) == 1]
        return next((name for name in beside if self._scores_imagenet(name)), None)

    def _scores_imagenet(self, layer: str) -> bool:
        last = resolve_node(self.model, "logits")
        return resolve_node(self.model, parse_layer(layer).node) == last and layer_width(self.model, layer) == CLASSES

    def width(self, layer: str, side: int) -> int:
        """Return the number of features of a layer for one image of `side` x `side` pixels."""
        return sum(layer_width(self.model, part, side) for part in parts_of(layer))

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return the reason why the network cannot take images of `size` (height, width; pixels), or None if it can."""
        family, name = family_of(self.model)
        given = (self.size, self.size) if self.size else size
        sizes = [(round(given[0] * scale), round(given[1] * scale)) for scale in self.pyramid]
        if len(set(sizes)) > 1 and family.built_for_size(name):
            return f"pyramid: {self.model} is built for images of one size; allowed: [1], or a convolutional network"
        refused = super().refuses(given) or next(filter(None, (family.refuses_size(name, at) for at in sizes)), None)
        return refused or self._refuses_scales([max(at) for at in sizes])

    def _refuses_scales(self, sides: Sequence[int]) -> str | None:
        """Return a message if a layer has different numbers of features for images of these `sides` (pixels), otherwise
        None."""
        for layer in (layer for layers in self.layers for layer in layers):
            if len({self.width(layer, side) for side in sides}) > 1:
                return f"pyramid: {layer} has another number of features at each scale; pool it, as by {layer}_avg"
        return None

    @property
    def n_views(self) -> float:
        """Return how many views of an image pass through the network. A view is the image at one scale, rotation and
        flip. The number is weighted by area: a view at half the scale counts as a quarter."""
        return super().n_views * sum(scale**2 for scale in self.pyramid)
