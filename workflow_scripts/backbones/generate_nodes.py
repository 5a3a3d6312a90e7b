"""Write the files `nodes/*/*.json`, in which rules look up the layers of networks.

Run `python -m workflow_scripts.backbones.generate_nodes` when torchvision or timm has been updated. If the name of a
model is added to this command, the content of its file is printed and nothing is written.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from workflow_scripts.backbones import network, timm_family, torchvision_family
from workflow_scripts.backbones.family import FAMILIES, family_of
from workflow_scripts.backbones.timm_family import Timm
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

USUAL_SIZE = 224
TIMM_MODELS = (
    "convnext_tiny.dinov3_lvd1689m",
    "convnext_tiny.fb_in22k",
    "convnextv2_tiny.fcmae_ft_in22k_in1k",
    "efficientnet_b0.ra_in1k",
    "eva02_tiny_patch14_224.mim_in22k",
    "fastvit_mci0.apple_mclip",
    "mobilenetv4_conv_small.e2400_r224_in1k",
    "resnet18.a1_in1k",
    "resnet50.a1_in1k",
    "swin_tiny_patch4_window7_224.ms_in1k",
    "tf_efficientnet_lite0.in1k",
    "vit_base_patch14_dinov2.lvd142m",
    "vit_base_patch14_reg4_dinov2.lvd142m",
    "vit_base_patch16_clip_224.openai",
    "vit_base_patch16_dinov3.lvd1689m",
    "vit_base_patch16_siglip_224.v2_webli",
    "vit_base_patch16_siglip_224.webli",
    "vit_small_patch14_dinov2.lvd142m",
    "vit_small_patch14_reg4_dinov2.lvd142m",
    "vit_small_patch16_dinov3.lvd1689m",
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
    # names of architectures, which stand for timm's default weights
    "mobilenetv4_conv_small",
    "resnet18",
    "tf_efficientnet_lite0",
    "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3",
    "vit_tiny_patch16_224",
)


def torchvision_content(model: str) -> str:
    """Return the content of the JSON file for a model of torchvision.

    It has the model's input size, the names of its published weights, and for each node the shape of its output at the
    input size and at twice this size.
    """
    weights = torchvision.models.get_model_weights(model)
    size, nodes = network.describe(model, [weights["DEFAULT"].transforms().crop_size[0], USUAL_SIZE])
    facts = {"input_size": size, "weights": [member.name for member in weights]}
    return _text(facts, {name: _shapes(shape, doubled) for name, (shape, doubled) in nodes.items()})


def timm_content(model: str) -> str:
    """Return the content of the JSON file for a model of timm. `model` is the name that timm gives it, without `timm:`.

    The file has each node with its name in the graph and the shapes of its output at the input size and at twice this
    size. It also has these facts: the side of the images (`input_size`), the number of pixels of which the side must be
    a multiple (or null), the number of patches, the number of tokens before them (`prefix`), whether one of these is a
    class token, and the licence of the weights. Raises `UserError` if timm does not have the model.
    """
    net = network.on_meta(f"{Timm.prefix}{model}")
    config: Any = net.pretrained_cfg
    size, described = network.describe(f"{Timm.prefix}{model}", [config["input_size"][-1], USUAL_SIZE])
    short: dict[str, list[Any]] = {}
    for name, (shape, doubled) in described.items():
        short[_module_of(name, described, net)] = [name, *_shapes(shape, doubled)]
    patches = getattr(getattr(net, "patch_embed", None), "num_patches", None)
    embedding = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    facts = {
        "input_size": size,
        "multiple": embedding[0] if embedding and config.get("fixed_input_size") else None,
        "patches": patches,
        "prefix": getattr(net, "num_prefix_tokens", 0),
        "class_token": getattr(net, "cls_token", None) is not None,
        "licence": config.get("license"),
    }
    kept = {name: node for name, node in short.items() if name}
    return _text(facts, kept)


def _module_of(name: str, described: Mapping[str, Any], net: Any) -> str:
    """Return the innermost module whose last node is `name`, or "" if `name` is not the last node of a module."""
    modules = dict(net.named_modules())
    if name in modules:
        return name
    module = name.rpartition(".")[0]
    inside = [node for node in described if node.startswith(f"{module}.")]
    return module if module in modules and inside and inside[-1] == name else ""


def _shapes(shape: tuple[int, ...], doubled: tuple[int, ...] | None) -> list[tuple[int, ...]]:
    return [shape, doubled] if doubled else [shape]


def _text(facts: Mapping[str, Any], nodes: Mapping[str, Any]) -> str:
    """Return facts and nodes as JSON, with one node on each line."""
    lines = [f"{json.dumps(name)}: {json.dumps(node)}" for name, node in nodes.items()]
    head = json.dumps(facts)[:-1]
    return f'{head}, "nodes": {{\n' + ",\n".join(lines) + "\n}}\n"


def main(models: list[str]) -> None:
    """Print the content of the file for the first of `models`; if there are no `models`, write all files."""
    if models:
        family, name = family_of(models[0])
        sys.stdout.write(timm_content(name) if family is FAMILIES[0] else torchvision_content(name))
        return
    for name in torchvision.models.list_models(module=torchvision.models):
        (torchvision_family.NODES / f"{name}.json").write_text(torchvision_content(name))
    for name in TIMM_MODELS:
        (timm_family.NODES / f"{name}.json").write_text(timm_content(name))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
