"""The base classes of the settings of backbones."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.settings.base import Model

SIDES = (96, 224)
"""Two sides of images, in pixels, for which the numbers of features are compared."""


class Variant(Model):
    """Base class of the settings of all kinds of backbones."""

    makes_features: ClassVar[str] = "features"
    """The name of the job that makes the features."""
    in_prose: ClassVar[str] = ""
    """The backbone as a noun phrase for the methods paragraph; see `settings.methods.Method.in_prose`."""

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the backbones whose features this one joins, {name: layer}; empty if it joins none."""
        return {}

    @property
    @abstractmethod
    def passes(self) -> list[list[str]]:
        """Return the forward passes of the backbone over the images, each as a list of the layers that it computes."""

    @property
    def feature_file(self) -> str | None:
        """Return the path of the file in which another program stored the features; None if the workflow computes
        them."""
        return None

    @property
    def places_new_images(self) -> bool:
        """Return whether the backbone can compute features of new images. Models for new images need that."""
        return True

    @abstractmethod
    def width(self, layer: str, side: int) -> int:
        """Return the number of features of a layer for one image of `side` x `side` pixels."""

    def known_width(self, layer: str) -> int | None:
        """Return the number of features of a layer if it is known and the same for images of all sizes, or None."""
        widths = {self.width(layer, side) for side in SIDES}
        return widths.pop() if len(widths) == 1 else None

    def resolve(self, key: str, backbones: Mapping[str, Any]) -> None:
        """Find the settings of the joined backbones in `backbones`, which holds all backbones by name.

        Nothing is done for a backbone that joins no others. Raises `ValueError`, with the place `key` of this backbone
        in the configuration, if a joined backbone or its layer does not exist.
        """

    @property
    def prose(self) -> str:
        """Return the backbone as a noun phrase for the methods paragraph, with its sources as `[@key]`."""
        return self.in_prose.format(**self.dump())

    @property
    def n_views(self) -> float:
        """Return the number of views of an image from which features are computed. A smaller view counts as its share
        of the image's area."""
        return 1

    def pass_of(self, layer: str) -> int | None:
        """Return the index of the forward pass that computes `layer`, from 0; None if no pass does."""
        return next((number for number, layers in enumerate(self.passes) if layer in layers), None)

    def shards_of(self, layer: str) -> list[str]:
        """Return the names of the shards in which the images of a layer are computed; empty if one job computes all."""
        return []

    def layers_beside(self, layer: str) -> list[str]:
        """Return all layers that are computed in the same forward pass as `layer`, which is one of them.

        For a joined layer such as `a+b`, return `a+b` and all layers of the passes that compute `a` and `b`.
        """
        joined = [layer] if len(parts_of(layer)) > 1 else []
        passes = [layers for layers in self.passes if set(layers) & set(parts_of(layer))]
        return joined + [beside for layers in passes for beside in layers]

    def class_scores_beside(self, layer: str) -> str | None:
        """Return a layer that has a score for each class of ImageNet-1k, or None.

        Only layers that are computed in the same forward passes as `layer` are considered.
        """
        return None


class OfImages(Variant):
    """Base class of the settings of backbones that compute features from images."""

    orbit: bool = False
    """Whether the features of an image are the mean over its eight rotations and flips, which takes eight times as
    long."""

    @property
    def prose(self) -> str:
        return super().prose + self.averaging

    @property
    def averaging(self) -> str:
        """Return the end of `prose`: over which views of an image the features are averaged; empty for one view."""
        return ", averaged over the eight rotations and flips of an image" if self.orbit else ""

    @property
    def n_views(self) -> float:
        """Return the number of views of an image from which features are computed."""
        return 8 if self.orbit else 1

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return a message if `orbit` is set and images of `size` (height, width; pixels) are not square, else None."""
        if not self.orbit or size[0] == size[1]:
            return None
        return f"orbit turns square images, found {size[0]} x {size[1]}; a size, or resize in the preprocessing, helps"


class WithoutNetwork(Variant):
    """Base class of the settings of backbones that are not networks. They have one layer, `features`, and no
    weights."""

    model: ClassVar[None] = None
    finetune: ClassVar[None] = None
    weights: ClassVar[None] = None
    weight_file: ClassVar[None] = None
    licence: ClassVar[None] = None
    size: ClassVar[None] = None
    batch_size: ClassVar[None] = None

    @property
    def passes(self) -> list[list[str]]:
        return [["features"]]

    def network(self) -> dict[str, Any]:
        """Return the settings that decide the features."""
        return self.dump()

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return None, because the backbone takes images of every size."""
        return None
