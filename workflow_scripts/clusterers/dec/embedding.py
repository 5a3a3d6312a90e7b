"""Deep embedded clustering: train codes and centres together (Xie, Girshick & Farhadi 2016; Guo et al. 2017)."""

import logging
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import cycle, islice
from math import ceil, cos, pi
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, mse_loss

from workflow_scripts.clusterers.dec.network import KEY, Autoencoder
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.clusterers.trained import Trained
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.reduce.training import adam, batches, set_rate, step
from workflow_scripts.seeds import seed

log = logging.getLogger(__name__)
FEWEST_STEPS = 8
"""Smallest number of steps between two target distributions, for data with few batches per epoch."""


def soft_assignment(codes: Tensor, centers: Tensor) -> Tensor:
    """Return the soft assignments (n, k) of `codes` (n, C) to `centers` (k, C); the rows sum to 1.

    The kernel is Student's t with one degree of freedom (Xie et al. 2016, equation 1).
    """
    kernel = 1 / (1 + torch.cdist(codes, centers).square())
    return kernel / kernel.sum(dim=1, keepdim=True)


def target_distribution(q: Tensor) -> Tensor:
    """Return the target distribution (N, k) for the soft assignments `q` (N, k) (Xie et al. 2016, equation 3).

    In the target, high assignments are higher and low ones lower; the rows sum to 1.
    """
    weight = q.square() / q.sum(dim=0)
    return weight / weight.sum(dim=1, keepdim=True)


class Clustering(nn.Module):
    """A network that clusters points.

    It has an autoencoder `net`, the `centers` (k, C) of the clusters in the space of its codes, and the `labels` (N,)
    of the points. Whenever the target distribution is computed, the labels are computed too. The training ends when
    hardly any label changes.
    """

    labels: Tensor

    def __init__(self, net: Autoencoder, centers: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.net = net
        self.centers = nn.Parameter(centers)
        self.register_buffer("labels", labels)

    def assignments(self, X: Tensor) -> Tensor:
        """Return the soft assignments (N, k) of all points, without gradients."""
        with torch.no_grad():
            return soft_assignment(self.net.codes(X), self.centers)


def train_clusters(
    pretrained: Autoencoder, X: Tensor, settings: Mapping[str, Any], k: int, base_seed: int, checkpoint: Checkpoint
) -> Trained:
    """Train a copy of the network and k centres, so that the soft assignments Q of the points come near a target P.

    `X` are the points (N, d) float32, and `settings` are those of `settings.Dec`. The centres start as those of k-means
    on the codes. The loss of the variant `dec` is the divergence KL(P||Q). The variant `idec` keeps the decoder; its
    loss is the reconstruction error plus `gamma` times the divergence (Guo et al. 2017, equation 8).

    The target P and the labels of the points are computed again every `update_interval` batches (None: about once an
    epoch). This is called an update. The training ends when at most the share `tolerance` of the labels has changed
    since the update before. The learning rate falls along a cosine over `max_updates` updates, so that the labels stop
    changing.
    """
    net = deepcopy(pretrained)
    codes = net.codes(X).double().cpu().numpy()
    start = run_restarts(codes, k, settings["n_init"], base_seed, keep="best")
    labels = torch.from_numpy(start.best_labels.astype(np.int64)).to(X.device)
    clustering = Clustering(net, torch.from_numpy(start.best_centers).float().to(X.device), labels)
    kept = net if settings["variant"] == "idec" else net.encoder
    optimiser = adam([*kept.parameters(), clustering.centers], settings["clustering_learning_rate"])
    n_steps = settings["update_interval"] or max(FEWEST_STEPS, ceil(len(X) / settings["batch_size"]))
    converged, update, divergence = False, 0, 0.0
    for update in checkpoint.rounds(f"k={k}", clustering, optimiser, settings["max_updates"]):
        q = clustering.assignments(X)
        p = target_distribution(q)
        divergence = kl_div(q.log(), p, reduction="batchmean").item()
        before, clustering.labels = clustering.labels, q.argmax(dim=1)
        converged = update > 0 and (clustering.labels != before).float().mean().item() <= settings["tolerance"]
        if converged:
            break
        set_rate(optimiser, settings["clustering_learning_rate"] * (1 + cos(pi * update / settings["max_updates"])) / 2)
        for rows in islice(_endless_batches(len(X), settings["batch_size"], seed(base_seed, update)), n_steps):
            step(optimiser, _loss(clustering, X[rows], p[rows], settings), KEY)
    labels = clustering.labels if converged else clustering.assignments(X).argmax(dim=1)
    if not converged:
        log.info("k = %d: stopped while labels still changed", k)
    return Trained(labels.cpu(), update + 1, converged, {"divergence": divergence})


def _endless_batches(n: int, size: int, base_seed: int) -> Iterator[Tensor]:
    return (rows for epoch in cycle([None]) for rows in batches(n, size, base_seed))


def _loss(clustering: Clustering, x: Tensor, p: Tensor, settings: Mapping[str, Any]) -> Tensor:
    codes = clustering.net.encode(x)
    divergence = kl_div(soft_assignment(codes, clustering.centers).log(), p, reduction="batchmean")
    if settings["variant"] == "dec":
        return divergence
    return mse_loss(clustering.net.decode(codes), x) + settings["gamma"] * divergence
