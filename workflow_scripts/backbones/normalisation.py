"""Scale pixels for a network's input, by a mean, a standard deviation and an order of channels."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from workflow_scripts.errors import UserError


@dataclass(frozen=True)
class Normalisation:
    """The normalisation (pixel - mean) / std of pixels 0..255.

    `mean` and `std` are in the network's order of channels, which is blue, green, red if `bgr` is true.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool = False

    @classmethod
    def of_unit_range(cls, mean: tuple[float, ...], std: tuple[float, ...]) -> "Normalisation":
        """Return the normalisation for a mean and standard deviation of pixels 0..1, as in torchvision and timm."""
        return cls(tuple(255 * m for m in mean), tuple(255 * s for s in std))  # type: ignore[arg-type]

    @classmethod
    def from_text(cls, text: str) -> "Normalisation":
        """Return the normalisation for a name, such as `imagenet`, or for JSON that the property `text` gave.

        Raises `UserError` for any other text.
        """
        if text in NORMALISATIONS:
            return NORMALISATIONS[text]
        try:
            numbers = json.loads(text)
            return cls(tuple(numbers["mean"]), tuple(numbers["std"]), numbers["bgr"])  # type: ignore[arg-type]
        except (ValueError, TypeError, KeyError):
            allowed = ", ".join(NORMALISATIONS)
            raise UserError(f"normalise: found {text!r} in the weights' metadata, allowed: {allowed}") from None

    @property
    def text(self) -> str:
        """Return the name of the normalisation, or its numbers as JSON if it has no name."""
        known = {normalisation: name for name, normalisation in NORMALISATIONS.items()}
        return known.get(self) or json.dumps(asdict(self), sort_keys=True)

    def prepare(self, images: np.ndarray, size: int | None, device: torch.device) -> Tensor:
        """Return uint8 images (N, H, W) or (N, H, W, 3) as a network's input on `device`, (N, 3, H, W) float32.

        Grey images become three equal channels. If `size` is given, images are resized to `size` x `size` pixels
        (bilinear, with anti-aliasing).
        """
        pixels = torch.from_numpy(images)
        if device.type == "cuda":
            pixels = pixels.pin_memory().to(device, non_blocking=True)
        pixels = pixels.unsqueeze(1) if images.ndim == 3 else pixels.permute(0, 3, 1, 2)
        pixels = pixels.to(torch.float32)
        if size is not None and pixels.shape[2:] != (size, size):
            pixels = interpolate(pixels, (size, size), mode="bilinear", antialias=True)
        if self.bgr:
            pixels = pixels.flip(1)
        mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


NORMALISATIONS = {
    "imagenet": Normalisation.of_unit_range((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": Normalisation((103.939, 116.779, 123.68), (1, 1, 1), bgr=True),
    "symmetric": Normalisation((127.5,) * 3, (127.5,) * 3),
    "lite": Normalisation((127,) * 3, (128,) * 3),
}
