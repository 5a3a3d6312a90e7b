"""Deep embedded clustering (DEC): train a network so that the codes of the points form k clusters.

The codes are the outputs of an autoencoder's encoder.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.dec.embedding import train_clusters
from workflow_scripts.clusterers.dec.network import Autoencoder, pretrain
from workflow_scripts.clusterers.kmeans import path_on
from workflow_scripts.clusterers.trained import Trained, each_k, scaled, train_each
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.runs import Runs
from workflow_scripts.seeds import seed

log = logging.getLogger(__name__)
RESUMES = True
"""Whether `cluster` takes a folder for checkpoints."""


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k; yield (k, the runs) as `trained.train_each` does.

    `settings` are those of `settings.Dec`. Each repeat pretrains one autoencoder with its own seed and trains a copy of
    it for each k. The runs have two diagnostics: the `reconstruction_error` of the pretrained network, as a share of
    the variance, and the final `divergence` KL(P||Q) in nats. Raises `UserError` if the GPU is missing, if all points
    are equal, or if the loss becomes infinite.
    """
    X = scaled(points, settings)
    return train_each(partial(_repeat, X, settings), X, settings, base_seed, n_threads, progress, checkpoints)


def kmeans_path(settings: Mapping[str, Any]) -> str:
    """Return what runs the k-means for the first centres: "torch", or the instruction set of a compiled kernel."""
    return path_on("cpu")


def _repeat(
    X: Tensor, settings: Mapping[str, Any], repeat_seed: int, checkpoint: Checkpoint
) -> Iterator[tuple[int, Trained]]:
    net, error = _pretrained(X, settings, repeat_seed, checkpoint)
    for k, trained in each_k(partial(train_clusters, net, X, settings), settings["k"], repeat_seed, checkpoint):
        yield k, replace(trained, diagnostics={"reconstruction_error": error, **trained.diagnostics})


def _pretrained(
    X: Tensor, settings: Mapping[str, Any], repeat_seed: int, checkpoint: Checkpoint
) -> tuple[Autoencoder, float]:
    net = Autoencoder(X.shape[1], settings["widths"], seed(repeat_seed, "weights")).to(X.device)
    if (tensors := checkpoint.finished("pretrained")) is None:
        pretrain(net, X, settings, repeat_seed, checkpoint)
        checkpoint.finish("pretrained", net.state_dict())
    else:
        net.load_state_dict(tensors)
    error = net.reconstruction_error(X)
    log.info("pretrained: the reconstruction leaves %.1f %% of the variance unexplained", 100 * error)
    return net, error
