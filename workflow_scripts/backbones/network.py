"""Trace networks with torch.fx: find the shapes of their nodes, and cut networks after layers whose output is pooled.

A node is the output of one operation in the traced graph.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.functional import normalize

from workflow_scripts.backbones.family import family_of, resolve_node, unknown_layer
from workflow_scripts.backbones.layers import Layer, Node, parse_layer
from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.errors import UserError

GEM_POWER = 3.0
"""Exponent of the generalised mean (Radenović et al. 2019)."""
GEM_FLOOR = 1e-6
"""Smallest activation in the generalised mean, because powers of negative numbers are not defined."""


Shape = tuple[int, ...]


def describe(model: str, sizes: Sequence[int]) -> tuple[int, dict[str, tuple[Shape, Shape | None]]]:
    """Return the side (pixels) of the images that a model takes, and the shapes of each node's output for one image.

    The side is the first of `sizes` that works. A node has two shapes: at this side, and at twice this side. The second
    is None if the model takes images of one size only. Nodes whose output is not a float tensor with one row per image
    are left out. No values are computed (torch's meta device). Raises `UserError` if the model cannot be traced.
    """
    net = on_meta(model)
    tracing = family_of(model)[0].tracing()
    known = _traced_names(net, tracing)
    extractor = _extractor(net, {name: name for name in known}, tracing)
    size = next((size for size in sizes if _meta_shapes(extractor, 2, size)), None)
    if size is None:
        raise UserError(f"model: {model} cannot be traced with images of {' or '.join(map(str, sizes))} pixels")
    shapes = _meta_shapes(extractor, 2, size)
    doubled = _meta_shapes(extractor, 3, 2 * size) or _shapes_of_doubled(model, 2 * size)
    other = doubled or _meta_shapes(extractor, 3, size)
    return size, {
        name: (shapes[name][1:], doubled[name][1:] if name in doubled else None)
        for name in known[1:]  # the first is the input
        if len(shapes.get(name, ())) > 1 and shapes[name][0] == 2 and other.get(name, (0,))[0] == 3
    }


def _shapes_of_doubled(model: str, size: int) -> dict[str, Shape]:
    """Return the shape of each node's output if the model is built for images of `size` x `size` pixels.

    The result is empty if the model cannot be built or traced.
    """
    try:
        net = on_meta(model, size)
        tracing = family_of(model)[0].tracing()
        return _meta_shapes(_extractor(net, {name: name for name in _traced_names(net, tracing)}, tracing), 3, size)
    except (AssertionError, RuntimeError, TypeError, ValueError):
        return {}


def on_meta(model: str, size: int | None = None) -> nn.Module:
    """Return a network without values (torch's meta device), built for images of side `size` pixels.

    None takes the model's own size.
    """
    family, name = family_of(model)
    try:
        with torch.device("meta"):
            return family.build(name, size)
    except NotImplementedError:  # RegNet and some models of timm compute with values when they are built
        return family.build(name, size).to("meta")


def _meta_shapes(extractor: fx.GraphModule, batch: int, size: int) -> dict[str, Shape]:
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


def _traced_names(network: nn.Module, tracing: Mapping[str, Any]) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that training and evaluation have different nodes
        return torchvision.models.feature_extraction.get_graph_node_names(network, tracer_kwargs=dict(tracing))[1]


def _extractor(network: nn.Module, return_nodes: Mapping[str, str], tracing: Mapping[str, Any]) -> fx.GraphModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        create = torchvision.models.feature_extraction.create_feature_extractor
        return create(network, dict(return_nodes), tracer_kwargs=dict(tracing), suppress_diff_warning=True).eval()


def resolve(model: str, texts: Sequence[str]) -> dict[str, tuple[Layer, Node]]:
    """Return the parsed layer and the node of each layer's name in `texts`.

    The parsed layer names the node as the graph that torch.fx traces does, which may differ from the name in `texts`.
    Raises `UserError` if a layer does not exist.
    """
    family, name = family_of(model)
    resolved = {}
    for text in texts:
        if trouble := unknown_layer(model, text):
            raise UserError(trouble)
        layer = parse_layer(text)
        node = resolve_node(model, layer.node)
        resolved[text] = replace(layer, node=family.graph_node(name, node)), family.nodes(name)[node]
    return resolved


def cut(model: str, network: nn.Module, layers: Mapping[str, tuple[Layer, Node]]) -> fx.GraphModule:
    """Return a network that ends after the deepest of `layers` and returns {layer's name: (N, width) float32}.

    `layers` is the result of `resolve`. Each output is pooled directly after its node, so that a later in-place
    operation cannot overwrite it.
    """
    nodes = {layer.node: layer.node for layer, _ in layers.values()}
    extractor = _extractor(network, nodes, family_of(model)[0].tracing())
    graph = extractor.graph
    output = next(node for node in graph.nodes if node.op == "output")
    taken = output.args[0]
    vectors = {}
    for text, (layer, node) in layers.items():
        with graph.inserting_after(taken[layer.node]):
            how = (layer.pooling, node.channel_axis, node.prefix or 0, layer.l2)
            vectors[text] = graph.call_function(pool, (taken[layer.node], *how))
    output.args = (vectors,)
    return fx.GraphModule(extractor, graph)


def fold_batch_norms(network: fx.GraphModule) -> fx.GraphModule:
    """Return the network with each batch normalisation folded into the convolution before it.

    A batch normalisation is kept if something else uses the output of that convolution too.
    """
    folded = fuse(network.eval(), inplace=True, no_trace=True)
    return fx.GraphModule(folded, folded.graph)  # type: ignore[arg-type]


def pool(output: Tensor, pooling: str, channel_axis: int, prefix: int = 0, l2: bool = False) -> Tensor:
    """Return a node's output, which has N rows and any other axes, as vectors (N, width) float32.

    - `flat` keeps every value in the order of the axes.
    - `avg`, `max` and `gem` reduce all axes except that of the channels. `gem` is the generalised mean with p = 3
      (Radenović, Tolias & Chum 2018, equation 3).
    - `gram` multiplies the channels in pairs, takes the mean of each product over all positions, then the square root
      with the sign kept, and scales the vector to length 1 (bilinear pooling: Lin, RoyChowdhury & Maji 2015, section
      3.1). It says which channels respond together, but not where in the image, which suits textures.
    - `vlad` and `fisher` keep the vectors at all positions, (N, positions, C), which a codebook encodes later.
    - For tokens (N, tokens, channels), `cls` takes the first token, `patch` the mean of all tokens after the first
      `prefix` ones, and `clspatch` both, one after the other (as in the linear evaluation of DINOv2, Oquab et al.
      2023).

    `l2` divides each vector by its length.
    """
    vectors = _pooled(output.float(), pooling, channel_axis, prefix)
    return normalize(vectors, dim=1) if l2 else vectors


def _pooled(output: Tensor, pooling: str, channel_axis: int, prefix: int) -> Tensor:
    axes = [axis for axis in range(1, output.ndim) if axis != channel_axis + 1]
    match pooling:
        case "avg":
            return output.mean(axes)
        case "max":
            return output.amax(axes)
        case "gem":
            return output.clamp(min=GEM_FLOOR).pow(GEM_POWER).mean(axes).pow(1 / GEM_POWER)
        case "gram":
            return _gram(output.movedim(channel_axis + 1, 1).flatten(2))
        case "vlad" | "fisher":
            return output.movedim(channel_axis + 1, -1).flatten(1, -2).clone()
        case "cls":
            return output[:, 0].clone()
        case "patch":
            return output[:, prefix:].mean(1)
        case "clspatch":
            return torch.cat([output[:, 0], output[:, prefix:].mean(1)], dim=1)
        case _:
            return output.flatten(1).clone()


def _gram(maps: Tensor) -> Tensor:
    """Return the bilinear features (N, C (C + 1) / 2) of maps (N, C, positions)."""
    rows, columns = torch.triu_indices(maps.shape[1], maps.shape[1])
    products = (maps @ maps.mT / maps.shape[2])[:, rows, columns]
    return normalize(products.sign() * products.abs().sqrt(), dim=1)
