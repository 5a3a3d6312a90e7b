"""Autoencoders of dense layers: pairs of an encoding and a decoding layer, one inside the other."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": nn.functional.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "linear": nn.Identity(),
}
ROWS = 1024
"""Rows that are encoded or decoded together; fixed, since the last bits depend on it."""


def _glorot(n_outputs: int, n_inputs: int, random: torch.Generator) -> Tensor:
    return nn.init.xavier_uniform_(torch.empty(n_outputs, n_inputs), generator=random)


class Pair(nn.Module):
    """Layer i of the encoder and layer -i of the decoder; tied, the second's weights are the first's, transposed."""

    def __init__(self, n_inputs: int, n_outputs: int, tied: bool, random: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Parameter(_glorot(n_outputs, n_inputs, random))
        self.encoder_bias = nn.Parameter(torch.zeros(n_outputs))
        self.decoder = None if tied else nn.Parameter(_glorot(n_inputs, n_outputs, random))
        self.decoder_bias = nn.Parameter(torch.zeros(n_inputs))

    def encode(self, x: Tensor) -> Tensor:
        """Compute the layer's output before the activation, (n, n_inputs) -> (n, n_outputs)."""
        return linear(x, self.encoder, self.encoder_bias)

    def decode(self, z: Tensor) -> Tensor:
        """Return the layer before its activation, (n, n_outputs) -> (n, n_inputs)."""
        return linear(z, self.encoder.T if self.decoder is None else self.decoder, self.decoder_bias)


class Autoencoder(nn.Module):
    """An undercomplete autoencoder as in Coronica 2018, 3.2: every layer has the activation, the output is linear.

    Features are centred and divided by one number before the first layer, and brought back after the last: their
    distances stay what they are, and learning rate and L2 mean the same for every network's features.

    Parameters
    ----------
    n_features : of the input.
    widths : units of the encoder's layers, outermost first; the last is the dimension of the codes.
    tied : for each pair of layers, outermost first, whether it has one matrix of weights.
    activation : one of `ACTIVATIONS`.
    seed : of the first weights (Glorot & Bengio 2010, uniform).
    """

    pairs: Sequence[Pair]
    mean: Tensor
    scale: Tensor

    def __init__(
        self, n_features: int, widths: Sequence[int], tied: Sequence[bool], activation: str, seed: int = 0
    ) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        sizes = pairwise((n_features, *widths))
        self.widths = tuple(widths)
        pairs = [Pair(*size, is_tied, random) for size, is_tied in zip(sizes, tied, strict=True)]
        self.pairs = nn.ModuleList(pairs)  # type: ignore[assignment]
        self.activation: Callable[[Tensor], Tensor] = ACTIVATIONS[activation]
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(()))

    def down(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Through the encoding layers of the pairs `start` to `stop` (left out)."""
        for pair in self.pairs[start:stop]:
            x = self.activation(pair.encode(x))
        return x

    def up(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Pass back through the decoding layers of the pairs `stop` (left out) to `start`."""
        for place in reversed(range(start, stop)):
            x = self.pairs[place].decode(x)
            if place > 0:
                x = self.activation(x)
        return x

    def encode(self, X: npt.ArrayLike) -> np.ndarray:
        """Return codes (N, C) float32 of features (N, d)."""
        return self._in_chunks(X, lambda x: self.down((x - self.mean) / self.scale, 0, len(self.pairs)))

    def decode(self, codes: npt.ArrayLike) -> np.ndarray:
        """Return features (N, d) float32 of codes (N, C)."""
        return self._in_chunks(codes, lambda z: self.up(z, 0, len(self.pairs)) * self.scale + self.mean)

    def reconstruct(self, X: npt.ArrayLike) -> np.ndarray:
        """Return features (N, d) float32 as they come back from their codes."""
        return self.decode(self.encode(X))

    def _in_chunks(self, rows: npt.ArrayLike, function: Callable[[Tensor], Tensor]) -> np.ndarray:
        with torch.inference_mode():
            chunks = torch.from_numpy(np.asarray(rows, dtype=np.float32)).split(ROWS)
            return torch.cat([function(chunk.to(self.mean.device)).cpu() for chunk in chunks]).numpy()
