"""TURTLE: search for the labelling that linear classifiers learn best (Gadetsky, Jiang & Brbić 2024).

The columns of the points may be divided into spaces, such as the features of several backbones side by side. Each space
has its own labelling and its own classifier. All classifiers learn the mean of the labellings, which is the result.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.trained import Trained, each_k, scaled, train_each
from workflow_scripts.errors import UserError
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.runs import Runs
from workflow_scripts.reduce.training import adam, batches, step
from workflow_scripts.seeds import seed

KEY = "config: clusterers: turtle"
"""Prefix of error messages."""
RESUMES = True
"""Whether `cluster` takes a folder for checkpoints."""


class Linear(nn.Module):
    """A linear layer from d inputs to k outputs.

    If `normalised`, the weights of each output are a direction times a length (Salimans & Kingma 2016). The initial
    weights and biases are uniform from -1 / sqrt(d) to 1 / sqrt(d), as in PyTorch.
    """

    def __init__(self, d: int, k: int, normalised: bool, random: torch.Generator) -> None:
        super().__init__()
        bound = d**-0.5
        self.weight = nn.Parameter(torch.empty(k, d).uniform_(-bound, bound, generator=random))
        self.bias = nn.Parameter(torch.empty(k).uniform_(-bound, bound, generator=random))
        self.length = nn.Parameter(self.weight.detach().norm(dim=1, keepdim=True)) if normalised else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, k) of points (n, d)."""
        weight = self.weight if self.length is None else self.length * normalize(self.weight, dim=1)
        return linear(x, weight, self.bias)


class OfSpaces(nn.Module):
    """One linear layer for each space of the points; `widths` are the numbers of columns of the spaces."""

    def __init__(self, widths: Sequence[int], k: int, normalised: bool, random: torch.Generator) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.layers = nn.ModuleList(Linear(d, k, normalised, random) for d in widths)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of points (n, d) in each space, (spaces, n, k)."""
        parts = x.split(self.widths, dim=1)
        return torch.stack([layer(part) for layer, part in zip(self.layers, parts, strict=True)])


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Turtle`, as `trained.train_each` does.

    Two diagnostics describe a run: the final `loss` of the classifiers (in nats per image) and the `entropy` of the
    sizes of the clusters (in nats); both are sums over the spaces. Raises `UserError` if the GPU is missing, if all
    points of a space are equal, if the widths in `spaces` do not add up to d, or if the loss becomes infinite.
    """
    widths = settings["spaces"] or [points.shape[1]]
    if sum(widths) != points.shape[1]:
        problem = f"found {' + '.join(map(str, widths))}"
        raise UserError(
            f"{KEY}.spaces: {problem}, allowed: numbers whose sum is that of the columns, {points.shape[1]}"
        )
    parts = np.split(points, np.cumsum(widths)[:-1], axis=1)
    X = torch.cat([scaled(part, settings) for part in parts], dim=1)
    training = partial(each_k, partial(train_labelling, X, settings), settings["k"])
    return train_each(training, X, settings, base_seed, n_threads, progress, checkpoints)


def train_labelling(X: Tensor, settings: Mapping[str, Any], k: int, base_seed: int, checkpoint: Checkpoint) -> Trained:
    """Train a labelling of X (N, d) into k clusters, with the settings of `settings.Turtle`.

    A space is a block of columns of X. Each space has a linear layer with normalised weights and a softmax. The
    labelling is the mean of the outputs of all spaces. In every round, a new linear classifier of each space is trained
    on the labels for `inner_steps` steps. Then the labelling takes one step along the gradient of `labelling_loss`.
    """
    widths = settings["spaces"] or [X.shape[1]]
    labelling = OfSpaces(widths, k, True, _random(base_seed, "labelling")).to(X.device)
    optimiser = adam([*labelling.parameters()], settings["learning_rate"])
    for number in checkpoint.rounds(f"k={k}", labelling, optimiser, settings["steps"]):
        x = X[next(batches(len(X), settings["batch_size"], seed(base_seed, number)))]
        labels = labelling(x).softmax(dim=2)
        loss, entropy = labelling_loss(_learnt(x, labels, widths, settings, _random(base_seed, number)), labels)
        step(optimiser, loss - settings["gamma"] * entropy, KEY)
    with torch.no_grad():
        labels = labelling(X).softmax(dim=2)
    loss, entropy = labelling_loss(_learnt(X, labels, widths, settings, _random(base_seed, settings["steps"])), labels)
    diagnostics = {"loss": loss.item(), "entropy": entropy.item()}
    return Trained(labels.mean(dim=0).argmax(dim=1).cpu(), settings["steps"], True, diagnostics)


def labelling_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of the classifiers, and the entropy of the sizes of the clusters.

    Both are scalars in nats, summed over the spaces (equations 9 and 12 of the paper).

    Parameters
    ----------
    logits : (spaces, n, k), the output of the classifier of each space.
    labels : (spaces, n, k), the probabilities that the labelling of each space gives. Their mean over the spaces is
        what the classifiers should give. Their means over the points are the sizes of the clusters.
    """
    return _cross_entropies(logits, labels.mean(dim=0)), torch.special.entr(labels.mean(dim=1)).sum()


def _cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over the spaces of the cross-entropy of logits (spaces, n, k) and labels (n, k)."""
    return torch.stack([cross_entropy(of_space, labels) for of_space in logits]).sum()


def _learnt(
    x: Tensor, labels: Tensor, widths: Sequence[int], settings: Mapping[str, Any], random: torch.Generator
) -> Tensor:
    """Train new linear classifiers on the labels, one in each space, and return their logits (spaces, n, k).

    `x` are points (n, d). `labels` (spaces, n, k) are probabilities; all classifiers learn their mean over the spaces.
    """
    mean_labels = labels.detach().mean(dim=0)
    classifiers = OfSpaces(widths, labels.shape[2], False, random).to(x.device)
    optimiser = adam([*classifiers.parameters()], settings["learning_rate"])
    for _ in range(settings["inner_steps"]):
        step(optimiser, _cross_entropies(classifiers(x), mean_labels), KEY)
    with torch.no_grad():
        return classifiers(x)


def _random(base_seed: int, name: int | str) -> torch.Generator:
    return torch.Generator().manual_seed(seed(base_seed, "weights", name))
