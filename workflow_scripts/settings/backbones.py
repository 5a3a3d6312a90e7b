"""Frozen networks, their weights and layers, and their training before they are frozen."""

from typing import Any, Literal

from pydantic import Field, model_validator

from workflow_scripts.backbones.family import layer_width, unknown_layer
from workflow_scripts.backbones.weight_names import weight_file
from workflow_scripts.settings.base import Model, Name


class FineTuning(Model):
    """Training of the network on the labelled images, before it is frozen; a part of them is held out."""

    preprocess: Name
    """The variant whose images it is trained on."""
    trained: Literal["head", "all"] = "head"
    """The last layer alone, or all."""
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    seed: int = 0


class Backbone(Model):
    """A frozen network, its weights, and the layers that are read from it."""

    model: str
    """A classification model of torchvision, or `timm:NAME`."""
    weights: str
    """`default` (the library's), the name of one of torchvision's weight sets, a file (.pth, .pt, .tar, .bin, .ckpt,
    .safetensors, Keras .h5), `package:NAME/path/inside` an installed package, `hf-hub:OWNER/NAME` a repository,
    `random`, or `none`; left out, the configuration's `weights`."""
    sha256: str | None = None
    """What the weight file's SHA-256 has to be."""
    seed: int = 0
    """Of random weights."""
    normalise: Literal["auto", "imagenet", "caffe", "symmetric", "lite"] = "auto"
    """How pixels are scaled; `auto` goes by the weights."""
    size: int | None = Field(None, ge=16)
    """Side to which images are resized before the network, pixels; null takes them as they are preprocessed."""
    batch_size: int | None = Field(None, ge=1)
    """Part of the result: features change in the last bits with it. null is the device's default."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    finetune: FineTuning | None = None
    layers: list[list[str]] = Field(min_length=1)
    """The passes; layers of one inner list come from one forward pass."""

    @model_validator(mode="after")
    def _each_layer_once(self) -> "Backbone":
        flat = [layer for layers in self.layers for layer in layers]
        if not flat or not all(self.layers):
            raise ValueError("layers: found an empty pass")
        twice = sorted({layer for layer in flat if flat.count(layer) > 1})
        if twice:
            raise ValueError(f"layers: {', '.join(twice)} is in two passes; name it in one")
        for layer in flat:
            if trouble := unknown_layer(self.model, layer):
                raise ValueError(trouble)
        return self

    def network(self) -> dict[str, Any]:
        """What decides the frozen network and its input: all but the layers and the fine-tuning."""
        return self.dump(exclude={"layers", "finetune"})

    @property
    def weight_file(self) -> str | None:
        """The file that `weights` names, if it does."""
        path = weight_file(self.weights)
        return None if path is None else str(path)

    def width(self, layer: str, side: int) -> int:
        """Return how many numbers a layer gives for one image of `side` pixels."""
        return layer_width(self.model, layer, side)

    def pass_of(self, layer: str) -> int | None:
        """The number of the pass that makes `layer`."""
        return next((number for number, layers in enumerate(self.layers) if layer in layers), None)

    def layers_beside(self, layer: str) -> list[str]:
        """The layers that come from one pass with `layer`, itself among them."""
        return next(layers for layers in self.layers if layer in layers)
