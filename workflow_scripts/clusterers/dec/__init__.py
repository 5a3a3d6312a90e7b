"""Deep embedded clustering: a network is trained so that what it makes of the points forms k clusters."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.dec.embedding import Found, train_clusters
from workflow_scripts.clusterers.dec.network import Autoencoder, pretrain
from workflow_scripts.clusterers.kmeans import path_on
from workflow_scripts.errors import UserError
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.runs import Runs
from workflow_scripts.provenance import code_digest, digest
from workflow_scripts.seeds import seed

log = logging.getLogger(__name__)
RESUMES = True
"""`cluster` takes a folder for checkpoints."""


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k of the settings (those of `settings.Dec`).

    A repeat pretrains one autoencoder, with a seed of its own, and trains a copy of it for each k. Repeats run beside
    each other on `n_threads` threads with one math thread each: results do not depend on it. A killed run goes on from
    `checkpoints`, a folder that is gone at the end. There is no inertia, and no centre in the space of the points;
    diagnostics are the pretrained network's `reconstruction_error` (a share of the variance) and the final
    `divergence` KL(P||Q), nats, of each repeat. Raises `UserError` for a GPU that is not there, points that are all the
    same, and a loss that becomes infinite.
    """
    X = _scaled(points).to(choose_device(settings["device"], "config: clusterers: device", "cpu"))
    made_from = digest([code_digest("clusterers.dec"), dict(settings), base_seed, _fingerprint(points)])
    seeds = [seed(base_seed, "dec", repeat) for repeat in range(settings["repeats"])]
    fits_done = 0

    def repeat(number: int) -> tuple[float, dict[int, Found]]:
        nonlocal fits_done
        path = checkpoints and checkpoints / f"{number}.pt"
        checkpoint = Checkpoint(path, made_from)
        net, error = _pretrained(X, settings, seeds[number], checkpoint)
        of_ks = {}
        for k in settings["k"]:
            of_ks[k] = _clusters(net, X, k, settings, seeds[number], checkpoint)
            fits_done += 1
            progress(fits_done, len(seeds) * len(settings["k"]))
        return error, of_ks

    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        of_repeats = list(pool.map(repeat, range(len(seeds))))
    errors = np.array([error for error, _ in of_repeats])
    for k in settings["k"]:
        yield k, _rows([of_ks[k] for _, of_ks in of_repeats], errors, seeds)
    if checkpoints:
        rmtree(checkpoints, ignore_errors=True)


def kmeans_path(settings: Mapping[str, Any]) -> str:
    """Return what the k-means that `cluster` begins with runs on: a kernel's instruction set, or "torch"."""
    return path_on("cpu")


def _scaled(points: np.ndarray) -> Tensor:
    """Return centred and divided by one number, so that the mean square is 1 (Xie et al. 2016, 4.1) and distances
    keep."""
    centred = points - points.mean(axis=0)
    scale = np.sqrt(np.square(centred).mean())
    if not np.isfinite(scale) or scale == 0:
        raise UserError(f"dec: found points that spread by {scale:g}, allowed: finite and not all the same")
    return torch.from_numpy((centred / scale).astype(np.float32))


def _fingerprint(points: np.ndarray) -> list[Any]:
    """Return what tells one array of points from another, without all its bytes."""
    return [points.shape, points.sum().item(), np.square(points).sum().item(), points[0].tolist(), points[-1].tolist()]


def _pretrained(
    X: Tensor, settings: Mapping[str, Any], its_seed: int, checkpoint: Checkpoint
) -> tuple[Autoencoder, float]:
    net = Autoencoder(X.shape[1], settings["widths"], seed(its_seed, "weights")).to(X.device)
    if (tensors := checkpoint.finished("pretrained")) is None:
        pretrain(net, X, settings, its_seed, checkpoint)
        checkpoint.finish("pretrained", net.state_dict())
    else:
        net.load_state_dict(tensors)
    error = net.reconstruction_error(X)
    log.info("pretrained: the reconstruction leaves %.1f %% of the variance", 100 * error)
    return net, error


def _clusters(
    net: Autoencoder, X: Tensor, k: int, settings: Mapping[str, Any], its_seed: int, checkpoint: Checkpoint
) -> Found:
    if (kept := checkpoint.finished(f"k={k}")) is not None:
        return Found(**{**kept, "labels": kept["labels"].numpy()})
    clustering = train_clusters(net, X, k, settings, seed(its_seed, k), checkpoint)
    checkpoint.finish(f"k={k}", {**asdict(clustering), "labels": torch.from_numpy(clustering.labels)})
    log.info("k = %d: %d updates%s", k, clustering.n_updates, "" if clustering.converged else ", labels still changed")
    return clustering


def _rows(clusterings: list[Found], errors: np.ndarray, seeds: list[int]) -> Runs:
    return replace(
        Runs.single(np.stack([clustering.labels for clustering in clusterings]), np.array(seeds)),
        n_iter=np.array([clustering.n_updates for clustering in clusterings]),
        converged=np.array([clustering.converged for clustering in clusterings]),
        diagnostics={
            "reconstruction_error": errors,
            "divergence": np.array([clustering.divergence for clustering in clusterings]),
        },
    )
