"""The family of timm's models, named `timm:NAME` or `timm:NAME.TAG`.

Their nodes, widths and sizes are read from JSON files, so that rules need not import torch. The files of common models
are in `nodes/timm/` and are written by `python -m workflow_scripts.backbones.generate_nodes`. Those of all other models
are in a cache in `.snakemake`; a separate process writes them when they are first needed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_scripts.backbones.layers import Node
from workflow_scripts.backbones.weight_names import WEIGHT_FILES
from workflow_scripts.errors import UserError
from workflow_scripts.io.files import replacing

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workflow_scripts.backbones.normalisation import Normalisation

PREFIX = "timm:"
NODES = Path(__file__).parent / "nodes" / "timm"
CACHE = Path(".snakemake", "clustergrid")
"""Folder to which the nodes of models that are not in `NODES` are written once."""
_FILE_NAMES = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin")
"""Names of weight files in a Hugging Face repository, in the order in which they are looked for."""


class Timm:
    """The family of timm's models; the methods are described in `family.Family`."""

    prefix = PREFIX
    in_prose = "timm [@wightman2019]"

    def unknown_model(self, model: str) -> str | None:
        """Return a message if timm does not have the model or it cannot be traced, otherwise None. If timm has models
        with similar names, the message lists them."""
        try:
            _facts(model)
        except UserError as error:
            return str(error)
        return None

    def unknown_weights(self, model: str, text: str) -> str | None:
        """Return a message if `text` is not `default`, otherwise None. A timm model's name already says which weights
        are meant."""
        allowed = f"allowed: default, random, {WEIGHT_FILES}"
        return None if text == "default" else f"weights: found {text!r} for {PREFIX}{model}, {allowed}"

    def input_size(self, model: str) -> int:
        """Return the side, in pixels, of the images that a model's weights were trained on."""
        return _facts(model)["input_size"]

    def built_for_size(self, model: str) -> bool:
        """Return whether a model is a transformer, whose position embeddings fit images of one size only."""
        return _facts(model)["multiple"] is not None

    def refuses_size(self, model: str, size: tuple[int, int]) -> str | None:
        """Return why a transformer cannot take images of `size` (height, width; pixels), or None if it can.

        Images must be square, with a side that is a multiple of the patch.
        """
        multiple = _facts(model)["multiple"]
        if multiple is None or (size[0] == size[1] and size[0] % multiple == 0):
            return None
        below = max(multiple, min(size) // multiple * multiple)
        return (
            f"{PREFIX}{model} takes squares of whole patches of {multiple} pixels, found {size[0]} x {size[1]}; "
            f"size: {below} or {below + multiple} resizes"
        )

    def nodes(self, model: str) -> Mapping[str, Node]:
        """Return the nodes (outputs of operations) of a model by name, in the order of execution.

        Only nodes whose output has one row per image are returned.
        """
        return _nodes(model)

    def aliases(self, model: str) -> Mapping[str, str]:
        """Return the alias `logits` for the last node."""
        return {"logits": list(_nodes(model))[-1]}

    def graph_node(self, model: str, node: str) -> str:
        """Return the name of a node in the traced graph, such as `blocks.11.add_1` for `blocks.11`."""
        return _facts(model)["nodes"][node][0]

    def licence(self, model: str, text: str) -> str | None:
        """Return the licence that timm states for the model's weights; None if it states none."""
        return _facts(model)["licence"]

    def build(self, model: str, size: int | None = None, **options: Any) -> nn.Module:
        """Return the network with random weights, in eval mode.

        If the network has a fixed input size, it is built for images of side `size` pixels. Raises `UserError` if timm
        does not have the model.
        """
        timm = _timm()
        if not timm.is_model(model):
            near = get_close_matches(model.partition(".")[0], timm.list_models(), 3, 0.4)
            like = f" ({', '.join(near)}, …)" if near else ""
            raise UserError(f"model: timm has no model {model!r}{like}; allowed: a name of timm.list_models()")
        config = timm.get_pretrained_cfg(model)
        if config is None:
            raise UserError(f"model: timm has no weights {model!r}; allowed: a name of timm.list_pretrained()")
        if size is not None and config.fixed_input_size:
            options["img_size"] = size
        return timm.create_model(model, **options).eval()

    def tracing(self) -> dict[str, Any]:
        """Return the arguments of torch.fx's tracer: the modules and functions that it must leave out, because it
        cannot follow their control flow."""
        models = _timm().models
        return {
            "leaf_modules": list(models.get_notrace_modules()),
            "autowrap_functions": list(models.get_notrace_functions()),
        }

    def published(self, model: str, text: str, download: bool = False) -> Path:
        """Return the path of the model's weights in the Hugging Face cache.

        If they are missing and `download` is true, they are downloaded. Raises `UserError` if they are still missing.
        """
        from workflow_scripts.backbones.hub import hugging_face

        if trouble := self.unknown_weights(model, text):
            raise UserError(trouble)
        config = _timm().get_pretrained_cfg(model)
        if not config or not config.hf_hub_id:
            raise UserError(f"weights: timm publishes none of {PREFIX}{model}, allowed: random, {WEIGHT_FILES}")
        files = [config.hf_hub_filename] if config.hf_hub_filename else list(_FILE_NAMES)
        return hugging_face(config.hf_hub_id, files, download, f"{PREFIX}{model}")

    def published_options(self, model: str, text: str) -> dict[str, Any]:
        """Return an empty dict: the name of a timm model already says which weights are meant."""
        return {}

    def normalisation(self, model: str, text: str) -> tuple[str, Normalisation] | None:
        """Return a description, "of timm", and the scaling of pixels that timm states for the published weights.

        The same scaling is used with all other weights of the model.
        """
        from workflow_scripts.backbones.normalisation import Normalisation

        config = _timm().get_pretrained_cfg(model)
        return "of timm", Normalisation.of_unit_range(config.mean, config.std)

    def adapted(self, network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors with timm's names, and with position embeddings resized to those of the network.

        timm has functions that convert the layouts in which some networks were published (DINO, CLIP, SigLIP and
        others). If there is none for the network, or if it fails, the tensors are returned unchanged.
        """
        convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
        if convert is None or not _shares_names(network, tensors):
            return tensors
        try:
            return dict(convert(dict(tensors), network))
        except (KeyError, AttributeError, RuntimeError, ValueError, AssertionError, IndexError, TypeError):
            return tensors  # tensors that do not fit are reported later


def _shares_names(network: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    """Return whether any tensor has the name of a tensor of the network, or a prefix that timm's converters know."""
    names = network.state_dict().keys()
    return any(name in names or name.startswith(("visual.", "image_encoder.", "trunk.")) for name in tensors)


def _timm() -> Any:
    from workflow_scripts.backbones.torchvision_import import torchvision  # noqa: F401  timm imports torchvision

    import timm  # isort: skip

    return timm


@cache
def _facts(model: str) -> dict[str, Any]:
    """Return the content of the model's JSON file. If there is none, it is made first.

    Raises `UserError` if timm does not have the model or the model cannot be traced.
    """
    for folder in (NODES, CACHE / f"timm-{version('timm')}"):
        path = folder / f"{model}.json"
        if path.is_file():
            return json.loads(path.read_text())
    if not model.replace(".", "").replace("_", "").isalnum():
        raise UserError(f"model: found {PREFIX}{model}, allowed: {PREFIX}NAME, a name of timm.list_models()")
    command = [sys.executable, "-m", "workflow_scripts.backbones.generate_nodes", f"{PREFIX}{model}"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"model: {PREFIX}{model} could not be traced"]
        raise UserError(lines[-1])
    with suppress(OSError, UserError), replacing(path) as temporary:  # the file is made again the next time
        temporary.write_text(ended.stdout)
    return json.loads(ended.stdout)


@cache
def _nodes(model: str) -> dict[str, Node]:
    facts = _facts(model)
    return {name: _node(facts, *map(tuple, shapes)) for name, (_, *shapes) in facts["nodes"].items()}


def _node(facts: Mapping[str, Any], shape: tuple[int, ...], doubled: tuple[int, ...] | None = None) -> Node:
    """Return the node whose output has this `shape`; `doubled` is its shape for images of twice the model's input size.

    The output of a transformer counts as tokens if it has a row for each patch. Rows of the class and register tokens
    may come first; `prefix` in `facts` is their number.
    """
    patches, prefix = facts["patches"], facts["prefix"]
    if patches is not None and len(shape) == 2 and shape[0] in (patches, patches + prefix):
        n_prefix = shape[0] - patches
        return Node(shape, doubled, prefix=n_prefix, class_token=bool(n_prefix) and facts["class_token"])
    return Node(shape, doubled)
