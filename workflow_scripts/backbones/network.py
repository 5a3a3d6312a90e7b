"""Networks by name, their nodes, and a network cut to the layers that are asked for."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse

from workflow_scripts.backbones import names
from workflow_scripts.backbones.names import Layer, Node
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

log = logging.getLogger(__name__)
GEM_POWER = 3.0
GEM_FLOOR = 1e-6


def build(model: str, **options: Any) -> nn.Module:
    """A classification model of torchvision, or `timm:NAME`, with the weights of its initialisation, in eval mode.

    `options` (`num_classes`, `image_size`) go to the constructor. Raises `UserError` for an unknown name.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torchvision's note about the initialisation of Inception
        if model.startswith(names.TIMM):
            return _timm().create_model(_timm_name(model), **options).eval()
        try:
            constructor = torchvision.models.get_model_builder(model)
        except ValueError:
            raise UserError(str(names.unknown_model(model))) from None
        return constructor(**options).eval()


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise UserError("model: timm's models need the timm extra; `pip install timm`") from None
    return timm


def _timm_name(model: str) -> str:
    name = model.removeprefix(names.TIMM)
    if not _timm().is_model(name):
        raise UserError(f"model: timm has no model {name!r}; allowed: a name of timm.list_models()")
    return name


def input_size(model: str) -> int:
    """The side of the images that a model was made for, pixels."""
    return timm_config(model).input_size[-1] if model.startswith(names.TIMM) else names.input_size(model)


def timm_config(model: str) -> Any:
    """What timm says about a model's own weights (`hf_hub_id`, `input_size`, `mean`, `std`)."""
    return _timm().get_pretrained_cfg(_timm_name(model))


def nodes(model: str) -> dict[str, Node]:
    """A model's nodes: from the committed files for torchvision's, traced now for timm's."""
    return describe(model, [input_size(model)])[1] if model.startswith(names.TIMM) else names.nodes(model)


def describe(model: str, sizes: Sequence[int]) -> tuple[int, dict[str, Node]]:
    """The first of `sizes` (pixels) that a model takes, and its nodes at that size and at twice that.

    Only nodes whose output is a float tensor with one row per image. Nothing is computed (torch's meta device).
    """
    network = _on_meta(model)
    known = _traced_names(network)
    extractor = _extractor(network, {name: name for name in known})
    size = next(size for size in sizes if _meta_shapes(extractor, 2, size))
    shapes = _meta_shapes(extractor, 2, size)
    doubled = _meta_shapes(extractor, 3, 2 * size)
    other = doubled or _meta_shapes(extractor, 3, size)
    return size, {
        name: Node(shapes[name][1:], doubled[name][1:] if doubled else None)
        for name in known[1:]  # the first is the input
        if len(shapes.get(name, ())) > 1 and shapes[name][0] == 2 and other[name][0] == 3
    }


def _on_meta(model: str) -> nn.Module:
    try:
        with torch.device("meta"):
            return build(model)
    except NotImplementedError:  # RegNet and some of timm's compute with tensors when they are built
        return build(model).to("meta")


def _meta_shapes(extractor: fx.GraphModule, batch: int, size: int) -> dict[str, tuple[int, ...]]:
    try:
        with torch.inference_mode():
            outputs = fx.Interpreter(extractor).run(torch.empty(batch, 3, size, size, device="meta"))
    except (AssertionError, RuntimeError):  # the model takes images of its own size only
        return {}
    return {
        name: tuple(output.shape)
        for name, output in outputs.items()
        if isinstance(output, Tensor) and output.is_floating_point()
    }


def _tracing(network: nn.Module) -> dict[str, Any]:
    """What tells the tracer which parts of timm's models have control flow of their own."""
    if not type(network).__module__.startswith("timm."):
        return {}
    models = _timm().models
    return {
        "leaf_modules": list(models.get_notrace_modules()),
        "autowrap_functions": list(models.get_notrace_functions()),
    }


def _traced_names(network: nn.Module) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that training and evaluation have different nodes
        tracing = _tracing(network)
        return torchvision.models.feature_extraction.get_graph_node_names(network, tracer_kwargs=tracing)[1]


def _extractor(network: nn.Module, return_nodes: Mapping[str, str]) -> fx.GraphModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        create = torchvision.models.feature_extraction.create_feature_extractor
        return create(network, dict(return_nodes), tracer_kwargs=_tracing(network), suppress_diff_warning=True).eval()


def resolve(model: str, texts: Sequence[str]) -> dict[str, tuple[Layer, Node]]:
    """Each layer's text with the node and the pooling that it stands for; raises `UserError` for an unknown one."""
    known = nodes(model)
    found = {}
    for text in texts:
        if trouble := names.unknown_layer(model, text):
            raise UserError(trouble)
        layer = names.parse_layer(text)
        name = names.resolve_node(model, layer.node)
        if name not in known:
            raise UserError(
                f"layers: {model} has no layer {name!r} with one row per image; `snakemake list_layers` shows all"
            )
        if refusal := known[name].refuses(layer.pooling):
            raise UserError(f"layers: {text!r} of {model}: {refusal}, the output of {name} is {known[name].shape}")
        found[text] = Layer(name, layer.pooling), known[name]
    return found


def cut(network: nn.Module, layers: Mapping[str, tuple[Layer, Node]]) -> fx.GraphModule:
    """The network up to the deepest of `layers`, as one graph that gives {text: (N, width) float32}.

    `layers` is what `resolve` gives. Each output is pooled directly after its node, so that an in-place operation
    further on cannot overwrite it.
    """
    extractor = _extractor(network, {layer.node: layer.node for layer, _ in layers.values()})
    graph = extractor.graph
    output = next(node for node in graph.nodes if node.op == "output")
    taken = output.args[0]
    vectors = {}
    for text, (layer, node) in layers.items():
        with graph.inserting_after(taken[layer.node]):
            vectors[text] = graph.call_function(pool, (taken[layer.node], layer.pooling, node.channel_axis))
    output.args = (vectors,)
    return fx.GraphModule(extractor, graph)


def fold_batch_norms(network: fx.GraphModule) -> fx.GraphModule:
    """Batch normalisation folded into the convolution before it, where nothing else reads that convolution."""
    folded = fuse(network.eval(), inplace=True, no_trace=True)
    return fx.GraphModule(folded, folded.graph)  # type: ignore[arg-type]


def pool(output: Tensor, pooling: str, channel_axis: int) -> Tensor:
    """A node's output (N, ...) as vectors (N, width) float32.

    `flat` keeps every value in the order of the axes; `avg`, `max` and `gem` reduce all axes but the channels'; `cls`
    takes the first token. `gem` is the generalised mean with p = 3 (Radenović, Tolias & Chum 2018, equation 3).
    """
    output = output.float()
    axes = [axis for axis in range(1, output.ndim) if axis != channel_axis + 1]
    match pooling:
        case "avg":
            return output.mean(axes)
        case "max":
            return output.amax(axes)
        case "gem":
            return output.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(axes).pow(1 / GEM_POWER)
        case "cls":
            return output[:, 0].clone()
        case _:
            return output.flatten(1).clone()
