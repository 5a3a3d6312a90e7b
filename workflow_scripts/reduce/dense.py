"""Autoencoders of dense layers, built of nested pairs of an encoding and a decoding layer."""

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
"""The number of rows that are encoded or decoded together. It is fixed, because the last bits depend on it."""


def _glorot(n_outputs: int, n_inputs: int, random: torch.Generator) -> Tensor:
    return nn.init.xavier_uniform_(torch.empty(n_outputs, n_inputs), generator=random)


class Pair(nn.Module):
    """A layer of the encoder and the layer of the decoder that reverses it.

    If `tied`, the weights of the decoding layer are the transposed weights of the encoding layer.
    """

    def __init__(self, n_inputs: int, n_outputs: int, tied: bool, random: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Parameter(_glorot(n_outputs, n_inputs, random))
        self.encoder_bias = nn.Parameter(torch.zeros(n_outputs))
        self.decoder = None if tied else nn.Parameter(_glorot(n_inputs, n_outputs, random))
        self.decoder_bias = nn.Parameter(torch.zeros(n_inputs))

    def encode(self, x: Tensor) -> Tensor:
        """Return the output (n, n_outputs) of the encoding layer for x (n, n_inputs), before the activation."""
        return linear(x, self.encoder, self.encoder_bias)

    def decode(self, z: Tensor) -> Tensor:
        """Return the output (n, n_inputs) of the decoding layer for z (n, n_outputs), before the activation."""
        return linear(z, self.encoder.T if self.decoder is None else self.decoder, self.decoder_bias)


class Autoencoder(nn.Module):
    """An undercomplete autoencoder (Coronica 2018, section 3.2). All layers have the activation except the last.

    Before the first layer, features are centred and divided by one number, `scale`; after the last layer this is
    undone. So the ratios of distances are kept, and the learning rate and the L2 penalty have the same meaning for the
    features of every backbone.

    Parameters
    ----------
    n_features : dimension of the input.
    widths : numbers of units of the encoder's layers, the outermost first; the last is the dimension of the codes.
    tied : for each pair of layers, the outermost first, whether both layers share their weights.
    activation : one of `ACTIVATIONS`.
    seed : seed of the initial weights (Glorot & Bengio 2010, uniform).
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
        """Return the output of the encoding layers of the pairs `start` to `stop` (excluded) for the input x.

        The input and the output are (n, units).
        """
        for pair in self.pairs[start:stop]:
            x = self.activation(pair.encode(x))
        return x

    def up(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Return the output of the decoding layers of the pairs `stop` (excluded) down to `start` for the input x.

        The input and the output are (n, units).
        """
        for place in reversed(range(start, stop)):
            x = self.pairs[place].decode(x)
            if place > 0:
                x = self.activation(x)
        return x

    def encode(self, X: npt.ArrayLike) -> np.ndarray:
        """Return the codes (N, C) float32 of features (N, d)."""
        return self._in_chunks(X, lambda x: self.down((x - self.mean) / self.scale, 0, len(self.pairs)))

    def decode(self, codes: npt.ArrayLike) -> np.ndarray:
        """Return the features (N, d) float32 that the decoder makes from codes (N, C)."""
        return self._in_chunks(codes, lambda z: self.up(z, 0, len(self.pairs)) * self.scale + self.mean)

    def reconstruct(self, X: npt.ArrayLike) -> np.ndarray:
        """Return the features X (N, d) after encoding and decoding, (N, d) float32."""
        return self.decode(self.encode(X))

    def _in_chunks(self, rows: npt.ArrayLike, function: Callable[[Tensor], Tensor]) -> np.ndarray:
        with torch.inference_mode():
            chunks = torch.from_numpy(np.asarray(rows, dtype=np.float32)).split(ROWS)
            return torch.cat([function(chunk.to(self.mean.device)).cpu() for chunk in chunks]).numpy()
