"""Clustering heads trained by self-distillation between neighbours (Adaloglou, Michels, Kalisch & Kollmann 2023)."""

from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from workflow_scripts.clusterers.trained import Trained
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.reduce.training import adam, batches, set_rate, step
from workflow_scripts.seeds import seed

KEY = "config: clusterers: temi"
"""Prefix of error messages."""
WARM_UP = 0.2
"""Share of the epochs during which the learning rate rises to its value."""
PRIOR_MOMENTUM = 0.9
"""Share of the earlier estimate of the sizes of the clusters that a batch keeps."""
WEIGHT_DECAY = 1e-4
"""Weight decay of AdamW."""


class Heads(nn.Module):
    """Independent heads of two layers and a normalised last one, as in DINO (Caron et al. 2021).

    Parameters
    ----------
    n_heads : number of heads H.
    sizes : numbers of features, of units of both layers, and of clusters.
    random : generator of the initial weights.
    """

    def __init__(self, n_heads: int, sizes: tuple[int, int, int, int], random: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ParameterList(
            nn.init.trunc_normal_(torch.empty(n_heads, *shape), std=0.02, generator=random) for shape in pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(n_heads, 1, units) for units in sizes[1:3])
        self.gains = nn.Parameter(torch.ones(n_heads, 1, sizes[3]))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (H, n, k), cosines times a gain, of points (n, d)."""
        hidden = gelu(x @ self.layers[0] + self.biases[0])
        code = normalize(hidden @ self.layers[1] + self.biases[1], dim=-1)
        return code @ normalize(self.layers[2], dim=1) * self.gains


class Distillation(nn.Module):
    """Student and teacher, the teacher's estimate of the sizes of the clusters, and the losses of the last epoch."""

    prior: Tensor
    losses: Tensor

    def __init__(self, student: Heads) -> None:
        super().__init__()
        n_heads, _, k = student.gains.shape
        self.student, self.teacher = student, deepcopy(student).requires_grad_(False)
        self.register_buffer("prior", torch.full((n_heads, k), 1 / k))
        self.register_buffer("losses", torch.zeros(n_heads))

    @torch.no_grad()
    def teach(self, a: Tensor, b: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """Update the sizes of the clusters by a batch of pairs, and return the teacher's log probabilities (H, n, k) of
        both points."""
        log_a, log_b = (log_probabilities(self.teacher, x, temperature) for x in (a, b))
        sizes = (log_a.exp().mean(dim=1) + log_b.exp().mean(dim=1)) / 2
        self.prior.lerp_(sizes, 1 - PRIOR_MOMENTUM)
        return log_a, log_b

    @torch.no_grad()
    def follow(self, momentum: float) -> None:
        """Move the teacher's weights towards the student's."""
        for taught, learnt in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            taught.lerp_(learnt, 1 - momentum)


def log_probabilities(heads: Heads, x: Tensor, temperature: float) -> Tensor:
    """Return the logarithms of the probabilities of the clusters, (H, n, k), of points (n, d)."""
    return (heads(x) / temperature).log_softmax(dim=-1)


def pair_losses(students: tuple[Tensor, Tensor], teachers: tuple[Tensor, Tensor], prior: Tensor, beta: float) -> Tensor:
    """Return the loss (H,) of each head for n pairs of points.

    It is minus the mean of the pointwise mutual information with the exponent `beta`, in both directions, weighted by
    the probability that both points are in one cluster: the mean over all heads of the inner product of the teacher's
    probabilities (equations 4 to 7 of the paper). `students` and `teachers` are the log probabilities (H, n, k) of both
    points of the pairs; `prior` (H, k) the sizes of the clusters.
    """
    weight = (teachers[0] + teachers[1]).exp().sum(dim=-1).mean(dim=0)
    information = [
        (beta * (student + teacher) - prior.log()[:, None]).logsumexp(dim=-1)
        for student, teacher in zip(students, reversed(teachers), strict=True)
    ]
    return -(weight * (information[0] + information[1]) / 2).mean(dim=1)


def train_heads(
    X: Tensor, neighbours: Tensor, settings: Mapping[str, Any], k: int, base_seed: int, checkpoint: Checkpoint
) -> Trained:
    """Train heads for k clusters of X (N, d), with the settings of `settings.Temi`.

    In every epoch each point is paired with one of its `neighbours` (N, n_neighbors). The student learns by gradients,
    the teacher is the moving average of the student.
    """
    random = torch.Generator().manual_seed(seed(base_seed, "weights"))
    student = Heads(settings["n_heads"], (X.shape[1], *settings["widths"], k), random)
    heads = Distillation(student).to(X.device)
    optimiser = adam([*heads.student.parameters()], settings["learning_rate"], WEIGHT_DECAY)
    n_epochs = ceil(settings["steps"] / ceil(len(X) / settings["batch_size"]))
    for epoch in checkpoint.rounds(f"k={k}", heads, optimiser, n_epochs):
        set_rate(optimiser, settings["learning_rate"] * min(1, (epoch + 1) / (WARM_UP * n_epochs)))
        _epoch(heads, optimiser, X, _partners(neighbours, seed(base_seed, "pairs", epoch)), settings, base_seed, epoch)
    best = int(heads.losses.argmin())
    with torch.no_grad():
        labels = torch.cat([heads.teacher(rows)[best].argmax(dim=-1) for rows in X.split(settings["batch_size"])])
    return Trained(labels.cpu(), n_epochs, True, {"loss": heads.losses[best].item()})


def _partners(neighbours: Tensor, pairs_seed: int) -> Tensor:
    """Return a neighbour of every point, drawn at random, (N,) int64."""
    random = torch.Generator().manual_seed(pairs_seed)
    drawn = torch.randint(neighbours.shape[1], (len(neighbours), 1), generator=random)
    return neighbours.gather(1, drawn.to(neighbours.device))[:, 0]


def _epoch(
    heads: Distillation,
    optimiser: torch.optim.Optimizer,
    X: Tensor,
    partners: Tensor,
    settings: Mapping[str, Any],
    base_seed: int,
    epoch: int,
) -> None:
    """Train on every point with its partner, and note the mean losses of the heads."""
    total = torch.zeros_like(heads.losses)
    for rows in batches(len(X), settings["batch_size"], seed(base_seed, "epoch", epoch)):
        a, b = X[rows], X[partners[rows]]
        teachers = heads.teach(a, b, settings["temperature"])
        student_a, student_b = (log_probabilities(heads.student, x, settings["temperature"]) for x in (a, b))
        losses = pair_losses((student_a, student_b), teachers, heads.prior, settings["beta"])
        step(optimiser, losses.mean(), KEY)
        heads.follow(settings["momentum"])
        total += losses.detach() * len(rows)
    heads.losses.copy_(total / len(X))
