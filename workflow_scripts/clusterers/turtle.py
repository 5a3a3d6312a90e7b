"""TURTLE: search for the labelling that linear classifiers learn best (Gadetsky, Jiang & Brbić 2024)."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.trained import Trained, each_k, scaled, train_each
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.runs import Runs
from workflow_scripts.reduce.training import adam, batches, step
from workflow_scripts.seeds import seed

KEY = "config: clusterers: turtle"
"""Prefix of error messages."""
RESUMES = True
"""Whether `cluster` takes a folder for checkpoints."""


class Linear(nn.Module):
    """A linear layer; if `normalised`, its weights are a direction and a length for each output (Salimans & Kingma
    2016).

    Weights and biases begin uniform within 1 / sqrt(d), as PyTorch's.
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


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Turtle`, as `trained.train_each` does.

    The diagnostics of a run are the final `loss` of the classifier (nats an image) and the `entropy` of the sizes of
    the clusters (nats). Raises `UserError` if the GPU is missing, all points are equal, or the loss is infinite.
    """
    X = scaled(points, settings)
    training = partial(each_k, partial(train_labelling, X, settings), settings["k"])
    return train_each(training, X, settings, base_seed, n_threads, progress, checkpoints)


def train_labelling(X: Tensor, settings: Mapping[str, Any], k: int, base_seed: int, checkpoint: Checkpoint) -> Trained:
    """Train a labelling of X (N, d) into k clusters, with the settings of `settings.Turtle`.

    The labelling is a linear layer with normalised weights and a softmax. In every round a new linear classifier takes
    `inner_steps` steps towards the labels, and the labelling one step along the gradient of `labelling_loss`.
    """
    labelling = Linear(X.shape[1], k, True, _random(base_seed, "labelling")).to(X.device)
    optimiser = adam([*labelling.parameters()], settings["learning_rate"])
    for number in checkpoint.rounds(f"k={k}", labelling, optimiser, settings["steps"]):
        x = X[next(batches(len(X), settings["batch_size"], seed(base_seed, number)))]
        labels = labelling(x).softmax(dim=1)
        loss, entropy = labelling_loss(_learnt(x, labels.detach(), settings, _random(base_seed, number)), labels)
        step(optimiser, loss - settings["gamma"] * entropy, KEY)
    with torch.no_grad():
        labels = labelling(X).softmax(dim=1)
    loss, entropy = labelling_loss(_learnt(X, labels, settings, _random(base_seed, settings["steps"])), labels)
    diagnostics = {"loss": loss.item(), "entropy": entropy.item()}
    return Trained(labels.argmax(dim=1).cpu(), settings["steps"], True, diagnostics)


def labelling_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of a classifier and the entropy of the mean labels, both in nats.

    `logits` (n, k) are those of the classifier, `labels` (n, k) probabilities (equation 12 of the paper).
    """
    return cross_entropy(logits, labels), torch.special.entr(labels.mean(dim=0)).sum()


def _learnt(x: Tensor, labels: Tensor, settings: Mapping[str, Any], random: torch.Generator) -> Tensor:
    """Return the logits (n, k) of a linear classifier after its steps towards labels (n, k) of points (n, d)."""
    classifier = Linear(x.shape[1], labels.shape[1], False, random).to(x.device)
    optimiser = adam([*classifier.parameters()], settings["learning_rate"])
    for _ in range(settings["inner_steps"]):
        step(optimiser, cross_entropy(classifier(x), labels), KEY)
    with torch.no_grad():
        return classifier(x)


def _random(base_seed: int, name: int | str) -> torch.Generator:
    return torch.Generator().manual_seed(seed(base_seed, "weights", name))
