"""The autoencoder of deep embedded clustering and its pretraining (Xie, Girshick & Farhadi 2016, section 3.2)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import ceil, cos, pi
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.reduce.training import adam, batches, set_rate, step
from workflow_scripts.seeds import seed

KEY = "config: clusterers: dec"
"""Prefix of error messages."""
CORRUPTION = 0.2
"""Share of the units that are set to zero when a layer is trained as a denoising autoencoder."""
FEWEST_STEPS = 200
"""Smallest number of pretraining steps; with few images, 20 epochs are too few steps."""
WARM_UP = 0.3
"""Share of the steps during which the learning rate rises to its maximum."""
ROWS = 4096
"""Number of rows that are encoded together; it is fixed because the last bits depend on it."""


class Autoencoder(nn.Module):
    """An autoencoder of dense layers with ReLU; the last layers of the encoder and of the decoder are linear.

    Parameters
    ----------
    n_features : number of input features.
    widths :
        numbers of units of the encoder's layers; the last is the dimension of the codes. The decoder has them in
        reverse order.
    weights_seed :
        seed of the initial weights, which are normal (He et al. 2015); biases are 0. Weights from N(0, 0.01²), as in
        Xie et al. (2016), need many times as many steps.
    """

    def __init__(self, n_features: int, widths: Sequence[int], weights_seed: int) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(weights_seed)
        sizes = (n_features, *widths)
        self.encoder = nn.ModuleList(_layer(a, b, b != sizes[-1], random) for a, b in pairwise(sizes))
        self.decoder = nn.ModuleList(_layer(a, b, b != sizes[0], random) for a, b in pairwise(sizes[::-1]))

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, widths[-1]) of points (n, n_features)."""
        return _forward(self.encoder, x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the reconstructed points (n, n_features) of codes (n, widths[-1])."""
        return _forward(self.decoder, z)

    def codes(self, X: Tensor) -> Tensor:
        """Return the codes (N, widths[-1]) of points X (N, n_features), without gradients."""
        with torch.no_grad():
            return torch.cat([self.encode(rows) for rows in X.split(ROWS)])

    def reconstruction_error(self, X: Tensor) -> float:
        """Return the mean squared difference between points `X` (N, n_features) and their reconstructions."""
        with torch.no_grad():
            sums = [mse_loss(self.decode(self.encode(x)), x, reduction="sum").item() for x in X.split(ROWS)]
        return sum(sums) / X.numel()


def _layer(n_inputs: int, n_outputs: int, rectified: bool, random: torch.Generator) -> nn.Linear:
    layer = nn.Linear(n_inputs, n_outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if rectified else "linear", generator=random)
    nn.init.zeros_(layer.bias)
    return layer


def _forward(layers: nn.ModuleList, x: Tensor) -> Tensor:
    for layer in layers[:-1]:
        x = torch.relu(layer(x))
    return layers[-1](x)


def pretrain(net: Autoencoder, X: Tensor, settings: Mapping[str, Any], base_seed: int, checkpoint: Checkpoint) -> None:
    """Train `net` in place to reconstruct `X` (N, d) float32, with the settings of `settings.Dec`.

    With `pretraining: joint`, all layers are trained together. With `layerwise`, as in the paper, there is a step
    before that: each encoding layer and its decoding layer are trained alone, as a denoising autoencoder of the output
    of the layers before them. Raises `UserError` if the error becomes infinite.
    """
    epochs = max(settings["pretraining_epochs"], ceil(FEWEST_STEPS * settings["batch_size"] / len(X)))
    if settings["pretraining"] == "layerwise":
        for depth in range(len(net.encoder)):
            pair = [*net.encoder[depth].parameters(), *net.decoder[-1 - depth].parameters()]
            _train(f"layer {depth}", net, pair, _denoising(net, depth), X, epochs, settings, base_seed, checkpoint)
    all_parameters = [*net.parameters()]
    _train("all layers", net, all_parameters, _reconstruction(net), X, epochs, settings, base_seed, checkpoint)


Loss = Callable[[Tensor, torch.Generator], Tensor]


def _reconstruction(net: Autoencoder) -> Loss:
    return lambda x, _: mse_loss(net.decode(net.encode(x)), x)


def _denoising(net: Autoencoder, depth: int) -> Loss:
    """Return the denoising loss of layer `depth` of the encoder and the decoding layer that reverses it.

    The loss is a function of points (n, d) and a random generator (equations 4 to 7 of the paper).
    """
    inner, outer = net.encoder[depth], net.decoder[-1 - depth]
    is_code, is_input = depth == len(net.encoder) - 1, depth == 0

    def loss(x: Tensor, random: torch.Generator) -> Tensor:
        with torch.no_grad():
            for layer in net.encoder[:depth]:
                x = torch.relu(layer(x))
        hidden = inner(_corrupted(x, random))
        output = outer(_corrupted(hidden if is_code else torch.relu(hidden), random))
        return mse_loss(output if is_input else torch.relu(output), x)

    return loss


def _corrupted(x: Tensor, random: torch.Generator) -> Tensor:
    kept = torch.rand(x.shape, generator=random, device=x.device) >= CORRUPTION
    return x * kept / (1 - CORRUPTION)


def _train(
    stage: str,
    net: Autoencoder,
    parameters: list[nn.Parameter],
    loss_of: Loss,
    X: Tensor,
    n_epochs: int,
    settings: Mapping[str, Any],
    base_seed: int,
    checkpoint: Checkpoint,
) -> None:
    """Train `parameters` of `net` for `n_epochs` with AdamW and one cycle of the learning rate (Smith & Topin 2019).

    `stage` is the name of this training in the checkpoint, and `loss_of` returns the loss of a batch.
    """
    optimiser = adam(parameters, settings["learning_rate"])
    n_batches = ceil(len(X) / settings["batch_size"])
    for epoch in checkpoint.rounds(stage, net, optimiser, n_epochs):
        random = torch.Generator(X.device).manual_seed(seed(base_seed, stage, "corruption", epoch))
        for number, rows in enumerate(batches(len(X), settings["batch_size"], seed(base_seed, stage, epoch))):
            set_rate(optimiser, settings["learning_rate"] * one_cycle((epoch + number / n_batches) / n_epochs))
            step(optimiser, loss_of(X[rows], random), KEY)


def one_cycle(done: float) -> float:
    """Return the learning rate, as a share of its maximum, after the share `done` of the steps.

    It rises along a cosine from 1/25 to 1 in the first `WARM_UP` of the steps, and then falls along a cosine to 0.
    """
    if done < WARM_UP:
        return 1 / 25 + 24 / 25 * (1 - cos(pi * done / WARM_UP)) / 2
    return (1 + cos(pi * (done - WARM_UP) / (1 - WARM_UP))) / 2
