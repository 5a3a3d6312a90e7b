"""The settings of backbones, which compute features of images: frozen networks, descriptors without weights, features
of other programs, and joined features of several backbones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import BeforeValidator, Discriminator, Tag

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.backbones.base import Variant
from workflow_scripts.settings.backbones.brought import Brought
from workflow_scripts.settings.backbones.descriptors import DESCRIPTORS, Descriptor
from workflow_scripts.settings.backbones.joined import Joined
from workflow_scripts.settings.backbones.network import Network
from workflow_scripts.settings.base import Model

BY_KEY: dict[str, type[Variant]] = {"file": Brought, "join": Joined}
"""The settings models of the kinds of backbones that are recognised by a key that no other kind has."""
MODELS: dict[str, type[Variant]] = {"network": Network, **BY_KEY, **DESCRIPTORS}
"""The settings model of each kind of backbone."""


def kind_of(given: Any) -> str:
    """Return the kind of a backbone's settings: `network`, `file`, `join`, or the name of a descriptor."""
    keys = vars(given) if isinstance(given, Model) else given if isinstance(given, Mapping) else {}
    return str(keys["descriptor"]) if "descriptor" in keys else next((key for key in BY_KEY if key in keys), "network")


def settings_model(given: Any) -> type[Variant]:
    """Return the settings model of a backbone; `Network` if its kind is not known."""
    return MODELS.get(kind_of(given), Network)


def _known_descriptor(given: Any) -> Any:
    if isinstance(given, Mapping) and "descriptor" in given and given["descriptor"] not in DESCRIPTORS:
        raise ValueError(f"descriptor: {found_allowed(given['descriptor'], DESCRIPTORS)}")
    return given


if TYPE_CHECKING:
    Backbone = Network | Brought | Joined | Descriptor
else:
    Backbone = Annotated[
        Union[tuple(Annotated[model, Tag(kind)] for kind, model in MODELS.items())],  # noqa: UP007 - of a tuple
        Discriminator(kind_of),
        BeforeValidator(_known_descriptor),
    ]
