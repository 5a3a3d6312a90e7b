"""The base classes of the settings of backbones."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.settings.base import Model

SIDES = (96, 224)
"""Two sides of images, pixels, at which the numbers of features are compared."""


class Variant(Model):
    """Base class of the settings of all kinds of backbones."""

    makes_features: ClassVar[str] = "features"
    """The name of the job that makes the features."""
    in_prose: ClassVar[str] = ""
    """The backbone in a methods paragraph, as for methods (`methods.Method.in_prose`)."""

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the layer of each backbone, by its name, whose features are joined; empty for other backbones."""
        return {}

    @property
    @abstractmethod
    def passes(self) -> list[list[str]]:
        """Return the layers that each forward pass makes."""

    @property
    def feature_file(self) -> str | None:
        """Return the path of the file of another program that has the features; None if they are computed."""
        return None

    @property
    def places_new_images(self) -> bool:
        """Return whether the backbone can compute features of new images, which models for new images need."""
        return True

    @abstractmethod
    def width(self, layer: str, side: int) -> int:
        """Return the number of features of a layer for one image of `side` x `side` pixels."""

    def known_width(self, layer: str) -> int | None:
        """Return the number of features of a layer if it is known and the same for images of all sizes, or None."""
        widths = {self.width(layer, side) for side in SIDES}
        return widths.pop() if len(widths) == 1 else None

    def resolve(self, key: str, backbones: Mapping[str, Any]) -> None:
        """Find the settings of the backbones that are joined among `backbones`, which are all by name.

        Raises `ValueError` with the `key` of this backbone if one of them or its layer does not exist.
        """

    @property
    def prose(self) -> str:
        """Return the backbone as a noun phrase for a methods paragraph, with its sources."""
        return self.in_prose.format(**self.dump())

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features are computed from, a smaller one by its area."""
        return 1

    def pass_of(self, layer: str) -> int | None:
        """Return the index of the forward pass that makes `layer`, from 0."""
        return next((number for number, layers in enumerate(self.passes) if layer in layers), None)

    def layers_beside(self, layer: str) -> list[str]:
        """Return the layers that are made by the passes that make `layer`, with `layer` itself.

        For a joined layer such as `a+b` these are the passes that make its parts.
        """
        joined = [layer] if len(parts_of(layer)) > 1 else []
        passes = [layers for layers in self.passes if set(layers) & set(parts_of(layer))]
        return joined + [beside for layers in passes for beside in layers]

    def class_scores_beside(self, layer: str) -> str | None:
        """Return the layer with a score for each class of ImageNet-1k that the passes of `layer` make, or None."""
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
        """Return the views of an image that features are averaged over, as the end of `prose`; empty for one view."""
        return ", averaged over the eight rotations and flips of an image" if self.orbit else ""

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features are computed from."""
        return 8 if self.orbit else 1

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return a message if `orbit` is set and images of `size` (height, width; pixels) are not square, or None."""
        if not self.orbit or size[0] == size[1]:
            return None
        return f"orbit turns square images, found {size[0]} x {size[1]}; a size, or resize in the preprocessing, helps"


class WithoutNetwork(Variant):
    """Base class of the settings of backbones that are not networks: they have one layer, `features`, and no
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
        """Return None, because images of every size can be taken."""
        return None
