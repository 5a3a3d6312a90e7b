"""timm's models, named `timm:NAME` or `timm:NAME.TAG` as timm names its weights.

What rules have to know of them (nodes, widths, sizes) stands in JSON files: those of usual models in `nodes/timm/`,
which `python -m workflow_scripts.backbones.generate_nodes` writes, those of all others in a cache in `.snakemake`,
which a process of its own writes once, so that rules never import torch.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow_scripts.backbones.layers import Node
from workflow_scripts.backbones.weight_names import WEIGHT_FILES
from workflow_scripts.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workflow_scripts.backbones.normalisation import Normalisation

PREFIX = "timm:"
NODES = Path(__file__).parent / "nodes" / "timm"
CACHE = Path(".snakemake", "clustergrid")
_FILE_NAMES = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin")
"""Of weights in a Hugging Face repository, in the order in which they are looked for."""


class Timm:
    """timm's models; see `family.Family`."""

    prefix = PREFIX

    def unknown_model(self, model: str) -> str | None:
        """Return one line about a model that timm does not have, with the nearest names."""
        try:
            _facts(model)
        except UserError as error:
            return str(error)
        return None

    def input_size(self, model: str) -> int:
        """Return the side of the images that a model's weights were made for, pixels."""
        return _facts(model)["input_size"]

    def refuses_size(self, model: str, size: tuple[int, int]) -> str | None:
        """Return why a transformer takes no images of `size`: they have to be whole patches, and a square."""
        multiple = _facts(model)["multiple"]
        if multiple is None or (size[0] == size[1] and size[0] % multiple == 0):
            return None
        below = max(multiple, min(size) // multiple * multiple)
        return (
            f"{PREFIX}{model} takes squares of whole patches of {multiple} pixels, found {size[0]} x {size[1]}; "
            f"size: {below} or {below + multiple} resizes"
        )

    def nodes(self, model: str) -> Mapping[str, Node]:
        """Return a model's nodes whose output has one row per image, in the order of execution, by name."""
        return _nodes(model)

    def aliases(self, model: str) -> Mapping[str, str]:
        """Return `logits`, the last node."""
        return {"logits": list(_nodes(model))[-1]}

    def graph_node(self, model: str, node: str) -> str:
        """Return what the traced graph calls a node (`blocks.11.add_1` of the node `blocks.11`)."""
        return _facts(model)["nodes"][node][0]

    def licence(self, model: str) -> str | None:
        """Return the licence of the model's weights, as timm states it."""
        return _facts(model)["licence"]

    def build(self, model: str, size: int | None = None, **options: Any) -> nn.Module:
        """Return the network with random weights, in eval mode; a fixed input size is `size` pixels."""
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
        """Return the parts of timm's networks that have control flow of their own."""
        models = _timm().models
        return {
            "leaf_modules": list(models.get_notrace_modules()),
            "autowrap_functions": list(models.get_notrace_functions()),
        }

    def published(self, model: str, text: str, download: bool = False) -> Path:
        """Return the file of the model's weights in the Hugging Face cache, fetched first with `download`."""
        from workflow_scripts.backbones.hub import hugging_face

        if text != "default":
            raise UserError(f"weights: found {text!r} for {PREFIX}{model}, allowed: default, random, {WEIGHT_FILES}")
        config = _timm().get_pretrained_cfg(model)
        if not config or not config.hf_hub_id:
            raise UserError(f"weights: timm publishes none of {PREFIX}{model}, allowed: random, {WEIGHT_FILES}")
        files = [config.hf_hub_filename] if config.hf_hub_filename else list(_FILE_NAMES)
        return hugging_face(config.hf_hub_id, files, download, f"{PREFIX}{model}")

    def published_options(self, model: str, text: str) -> dict[str, Any]:
        """Return no options: the name of a timm model already says which weights are meant."""
        return {}

    def normalisation(self, model: str, text: str) -> tuple[str, Normalisation] | None:
        """Return how pixels are scaled for the model's published weights, and taken for any other of the same model."""
        from workflow_scripts.backbones.normalisation import Normalisation

        config = _timm().get_pretrained_cfg(model)
        return "of timm", Normalisation.of_unit_range(config.mean, config.std)

    def adapted(self, network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return tensors under timm's names, with position embeddings resized to the network's.

        timm's own conversion of the layouts in which the networks were published (DINO, CLIP, SigLIP, ...), where there
        is one.
        """
        convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
        if convert is None or not _shares_names(network, tensors):
            return tensors
        try:
            return dict(convert(dict(tensors), network))
        except (KeyError, AttributeError, RuntimeError, ValueError, AssertionError, IndexError, TypeError):
            return tensors  # what does not fit is then reported tensor by tensor


def _shares_names(network: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    """Return whether some name is the network's, or what converters know (`visual.`, `backbone.`, `teacher.`)."""
    own = network.state_dict().keys()
    return any(name in own or name.startswith(("visual.", "image_encoder.", "trunk.")) for name in tensors)


def _timm() -> Any:
    from workflow_scripts.backbones.torchvision_import import torchvision  # noqa: F401  timm imports torchvision

    import timm  # isort: skip

    return timm


@cache
def _facts(model: str) -> dict[str, Any]:
    """Return what the model's JSON file says; written first where there is none."""
    for folder in (NODES, CACHE / f"timm-{version('timm')}"):
        path = folder / f"{model}.json"
        if path.is_file():
            return json.loads(path.read_text())
    if not model.replace(".", "").replace("_", "").isalnum():
        raise UserError(f"model: found {PREFIX}{model}, allowed: {PREFIX}NAME, a name of timm.list_models()")
    command = [sys.executable, "-m", "workflow_scripts.backbones.generate_nodes", f"{PREFIX}{model}"]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or ["the process ended without a word"]
        raise UserError(lines[-1])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ended.stdout)
    except OSError:  # then it is made again the next time
        pass
    return json.loads(ended.stdout)


@cache
def _nodes(model: str) -> dict[str, Node]:
    facts = _facts(model)
    return {name: _node(facts, *map(tuple, shapes)) for name, (_, *shapes) in facts["nodes"].items()}


def _node(facts: Mapping[str, Any], shape: tuple[int, ...], doubled: tuple[int, ...] | None = None) -> Node:
    """Return a node; of a transformer, tokens are those of all patches, with or without the prefix."""
    patches, prefix = facts["patches"], facts["prefix"]
    if patches is not None and len(shape) == 2 and shape[0] in (patches, patches + prefix):
        own = shape[0] - patches
        return Node(shape, doubled, prefix=own, class_token=bool(own) and facts["class_token"])
    return Node(shape, doubled)
