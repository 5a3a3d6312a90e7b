"""The settings of a backbone that joins the features of several others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PrivateAttr

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.backbones.base import WithoutNetwork
from workflow_scripts.settings.base import Name
from workflow_scripts.wording import listed

if TYPE_CHECKING:
    from workflow_scripts.settings.backbones import Backbone


class Joined(WithoutNetwork):
    """The features of several backbones side by side. The features of each backbone are divided by the square root of
    their total variance. Stored features are joined, so that no further pass over the images is needed."""

    makes_features: ClassVar[str] = "join"
    join: dict[Name, str] = Field(min_length=2)
    """The names of two or more backbones, each with one of its layers (`features` for backbones that are not
    networks)."""
    _backbones: dict[str, "Backbone"] = PrivateAttr(default_factory=dict)

    @property
    def parts(self) -> Mapping[str, str]:
        return self.join

    def resolve(self, key: str, backbones: Mapping[str, "Backbone"]) -> None:
        allowed = [name for name, backbone in backbones.items() if not backbone.parts]
        for name, layer in self.join.items():
            if name not in allowed:
                raise ValueError(f"{key}.join: {found_allowed(name, allowed)}")
            layers = [of_pass for passes in backbones[name].passes for of_pass in passes]
            if layer not in layers:
                raise ValueError(f"{key}.join.{name}: {found_allowed(layer, layers)}")
            self._backbones[name] = backbones[name]

    @property
    def prose(self) -> str:
        parts = listed(f"{layer} of {name}" for name, layer in self.join.items())
        return f"joining {parts}, each divided by the square root of its total variance"

    @property
    def n_views(self) -> float:
        """Return the number of views of an image from which features are computed, summed over the joined backbones."""
        return sum(part.n_views for part in self._backbones.values())

    @property
    def places_new_images(self) -> bool:
        return all(part.places_new_images for part in self._backbones.values())

    def width(self, layer: str, side: int) -> int:
        """Return the total number of features of the joined backbones for one image of `side` x `side` pixels."""
        return sum(part.width(self.join[name], part.size or side) for name, part in self._backbones.items())

    def known_width(self, layer: str) -> int | None:
        total = 0
        for name, part in self._backbones.items():
            if (width := part.known_width(self.join[name])) is None:
                return None
            total += width
        return total
