"""Train the heads of TEMI by self-distillation between neighbours (Adaloglou, Michels, Kalisch & Kollmann 2023).

A head is a small network that gives the probabilities of the clusters of a point. The student learns from the
probabilities that the teacher gives to the point's neighbour; the teacher is a moving average of the student.
"""

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
"""Weight of the earlier estimate of the clusters' sizes when a batch updates it."""
WEIGHT_DECAY = 1e-4
"""Weight decay of AdamW."""


class Heads(nn.Module):
    """H independent heads with three layers each; the last is normalised, as in DINO (Caron et al. 2021).

    Parameters
    ----------
    n_heads : number of heads H.
    sizes : number of features d, numbers of units of the first and the second layer, and number of clusters k.
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
        """Return the logits (H, n, k) of points (n, d), which are cosines times a trained factor."""
        hidden = gelu(x @ self.layers[0] + self.biases[0])
        code = normalize(hidden @ self.layers[1] + self.biases[1], dim=-1)
        return code @ normalize(self.layers[2], dim=1) * self.gains


class Distillation(nn.Module):
    """The student and the teacher, and two buffers.

    `prior` (H, k) is the teacher's estimate of the sizes of the clusters, as shares. `losses` (H,) are the mean losses
    of the heads in the last epoch.
    """

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
        """Return the teacher's log probabilities (H, n, k) for points `a` and for their partners `b`, (n, d) each.

        The estimate of the sizes of the clusters (`prior`) is updated too.
        """
        log_a, log_b = (log_probabilities(self.teacher, x, temperature) for x in (a, b))
        sizes = (log_a.exp().mean(dim=1) + log_b.exp().mean(dim=1)) / 2
        self.prior.lerp_(sizes, 1 - PRIOR_MOMENTUM)
        return log_a, log_b

    @torch.no_grad()
    def follow(self, momentum: float) -> None:
        """Move the teacher's weights towards the student's; the larger `momentum` (0 to 1) is, the less they move."""
        for taught, learnt in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            taught.lerp_(learnt, 1 - momentum)


def log_probabilities(heads: Heads, x: Tensor, temperature: float) -> Tensor:
    """Return the log probabilities (H, n, k) that the heads give to the k clusters for points x (n, d)."""
    return (heads(x) / temperature).log_softmax(dim=-1)


def pair_losses(students: tuple[Tensor, Tensor], teachers: tuple[Tensor, Tensor], prior: Tensor, beta: float) -> Tensor:
    """Return the loss (H,) of each head for n pairs of points (equations 4 to 7 of the paper).

    For each pair, the student's probabilities of one point are compared with the teacher's probabilities of the other
    point, by their pointwise mutual information; then the points are exchanged, and the two values are averaged. The
    loss is minus the weighted mean of these averages over the pairs.
    The weight of a pair is the probability that both points are in one cluster: the inner product of the teacher's
    probabilities of the two points, averaged over the heads.

    Parameters
    ----------
    students : the student's log probabilities (H, n, k), of the first and of the second points of the pairs.
    teachers : the teacher's log probabilities (H, n, k), of the first and of the second points of the pairs.
    prior : (H, k), the sizes of the clusters, as shares.
    beta : the exponent of the probabilities in the mutual information.
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

    In every epoch each point is paired with one of its neighbours, drawn at random. `neighbours` (N, n_neighbors) are
    the indices of each point's neighbours.
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
    """Return for every point the index of one of its `neighbours` (N, n_neighbors), drawn at random, (N,) int64."""
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
    """Train once on every point and its partner, and write the mean losses of the heads to `heads.losses`.

    `partners` (N,) are the indices of the points that the points are paired with.
    """
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
