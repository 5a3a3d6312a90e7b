"""Turn images into the features of some layers, with a network that is cut after the deepest of these layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx
from torch.nn.functional import interpolate

from workflow_scripts.backbones import network, weights
from workflow_scripts.backbones.codebook import Codebook
from workflow_scripts.backbones.family import family_of
from workflow_scripts.backbones.normalisation import Normalisation
from workflow_scripts.backbones.orbit import mean_over, views
from workflow_scripts.errors import UserError


@dataclass(frozen=True)
class ForwardPass:
    """A network on a device that turns uint8 images into the features of some layers, {layer: (N, width) float32}.

    The network is cut after the deepest of these layers. Images are resized to `size` x `size` pixels if it is given.
    Features are averaged over rotations and flips if `orbit` is true, and over images shrunk by the factors `pyramid`.
    """

    network: fx.GraphModule
    normalisation: Normalisation
    device: torch.device
    size: int | None = None
    precision: str = "float32"
    orbit: bool = False
    pyramid: Sequence[float] = (1.0,)
    codebooks: Mapping[str, Codebook] = field(default_factory=dict)
    """The codebook of each layer that has one."""

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the features of each layer, (N, width) float32, of uint8 images (N, H, W) or (N, H, W, 3)."""
        turned = views(images) if self.orbit else [images]
        return mean_over(self._vectors(view, scale) for view in turned for scale in self.pyramid)

    def _vectors(self, images: np.ndarray, scale: float) -> dict[str, np.ndarray]:
        lower = self.precision != "float32"
        with torch.inference_mode(), torch.autocast(self.device.type, getattr(torch, self.precision), enabled=lower):
            outputs = self.network(shrunk(self.normalisation.prepare(images, self.size, self.device), scale))
        vectors = {layer: output.cpu().numpy() for layer, output in outputs.items()}
        return vectors | {layer: book.encode_all(vectors[layer]) for layer, book in self.codebooks.items()}

    def widths(self, image_shape: tuple[int, ...]) -> dict[str, int]:
        """Return the number of features of each layer for images of this shape, (H, W) or (H, W, 3).

        Raises `UserError` if the network cannot take such images at one of the scales `pyramid`, or if the number of
        features of a layer differs between scales.
        """
        pixels = self.normalisation.prepare(np.zeros((1, *image_shape), np.uint8), self.size, self.device)
        first, *others = (self._widths(shrunk(pixels, scale)) for scale in self.pyramid)
        if uneven := sorted(layer for layer in first for other in others if other[layer] != first[layer]):
            raise UserError(f"pyramid: {uneven[0]} has another number of features at each scale; pool it, as by _avg")
        return first | {layer: book.width for layer, book in self.codebooks.items()}

    def _widths(self, pixels: torch.Tensor) -> dict[str, int]:
        """Return the number of features of each layer for a network's input (1, 3, H, W); codebooks are not applied."""
        try:
            with torch.inference_mode():  # the graph itself would print its source when it fails
                outputs = fx.Interpreter(self.network).run(pixels)
        except (AssertionError, RuntimeError) as error:
            side = " x ".join(map(str, pixels.shape[2:]))
            reason = str(error).splitlines()[0].split(" but got Proxy")[0]  # a Proxy is a number of the tracer
            raise UserError(f"size: the network does not take images of {side} pixels: {reason}") from None
        return {layer: output.shape[-1] for layer, output in outputs.items()}


def shrunk(pixels: torch.Tensor, scale: float) -> torch.Tensor:
    """Return a network's input (N, 3, H, W) resized to `scale` times its size (bilinear, with anti-aliasing).

    If `scale` is 1, the input is returned unchanged.
    """
    if scale == 1:
        return pixels
    size = [max(1, round(side * scale)) for side in pixels.shape[2:]]
    resized = interpolate(pixels, size, mode="bilinear", antialias=True)
    return resized.contiguous(memory_format=torch.channels_last)


def prepare(
    backbone: Mapping[str, Any], layers: Sequence[str], image_size: tuple[int, int], device: torch.device
) -> tuple[ForwardPass, weights.Loaded]:
    """Return the forward pass that computes `layers`, and the loaded network with facts about its weights.

    `backbone` has the keys of `weights.Backbone`; `image_size` is the height and width of the images, pixels. Raises
    `UserError` if the weights lack a tensor that a layer needs, or if the network cannot take images of this size.
    """
    chosen = weights.Backbone.of(backbone)
    resolved = network.resolve(chosen.model, layers)
    family, name = family_of(chosen.model)
    if trouble := family.refuses_size(name, (chosen.size, chosen.size) if chosen.size else image_size):
        raise UserError(f"size: {trouble}")
    loaded = weights.load(backbone, side=image_size[0])
    cut = network.cut(chosen.model, loaded.network, resolved)
    if lacking := sorted(loaded.missing & cut.state_dict().keys()):
        raise UserError(
            f"weights: {chosen.weights} does not have {lacking[0]}, which {', '.join(layers)} of {chosen.model} need"
        )
    cut = network.fold_batch_norms(cut).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    forward = ForwardPass(
        cut, loaded.normalisation, device, chosen.size, chosen.precision, chosen.orbit, chosen.pyramid
    )
    return forward, loaded
