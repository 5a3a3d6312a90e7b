"""Deep embedded clustering: train a network so that the codes of the points form k clusters."""

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
from workflow_scripts.clusterers.dec.embedding import DecResult, train_clusters
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
"""Whether `cluster` takes a folder for checkpoints."""


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None = None,
) -> Iterator[tuple[int, Runs]]:
    """Cluster `points` (N, d) for each k with the settings of `settings.Dec`.

    Each repeat pretrains one autoencoder with its own seed and trains a copy of it for each k. Repeats run in parallel
    on `n_threads` threads, each with one math thread, so the results do not depend on `n_threads`. A killed run
    continues from the folder `checkpoints`, which is deleted at the end. The runs have no inertia and no centres in the
    space of the points. Their diagnostics are `reconstruction_error` of the pretrained network (a share of the
    variance) and the final `divergence` KL(P||Q) in nats. Raises `UserError` if the GPU is missing, all points are
    equal, or the loss is infinite.
    """
    X = _scaled(points).to(choose_device(settings["device"], "config: clusterers: device", "cpu"))
    made_from = digest([code_digest("clusterers.dec"), dict(settings), base_seed, _fingerprint(points)])
    seeds = [seed(base_seed, "dec", repeat) for repeat in range(settings["repeats"])]
    fits_done = 0

    def repeat(number: int) -> tuple[float, dict[int, DecResult]]:
        nonlocal fits_done
        path = checkpoints and checkpoints / f"{number}.pt"
        checkpoint = Checkpoint(path, made_from)
        net, error = _pretrained(X, settings, seeds[number], checkpoint)
        by_k = {}
        for k in settings["k"]:
            by_k[k] = _clusters(net, X, k, settings, seeds[number], checkpoint)
            fits_done += 1
            progress(fits_done, len(seeds) * len(settings["k"]))
        return error, by_k

    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        repeats = list(pool.map(repeat, range(len(seeds))))
    errors = np.array([error for error, _ in repeats])
    for k in settings["k"]:
        yield k, _rows([by_k[k] for _, by_k in repeats], errors, seeds)
    if checkpoints:
        rmtree(checkpoints, ignore_errors=True)


def kmeans_path(settings: Mapping[str, Any]) -> str:
    """Return what runs the k-means that initialises the centres: a kernel's instruction set, or "torch"."""
    return path_on("cpu")


def _scaled(points: np.ndarray) -> Tensor:
    """Return the points centred and divided by one number, so that the mean square is 1 (Xie et al. 2016, section 4.1).

    Scaling by one number keeps the ratios of distances.
    """
    centred = points - points.mean(axis=0)
    scale = np.sqrt(np.square(centred).mean())
    if not np.isfinite(scale) or scale == 0:
        raise UserError(
            f"dec: found points with a spread of {scale:g}, allowed: finite points that are not all the same"
        )
    return torch.from_numpy((centred / scale).astype(np.float32))


def _fingerprint(points: np.ndarray) -> list[Any]:
    """Return a few numbers that tell one array of points from another."""
    return [points.shape, points.sum().item(), np.square(points).sum().item(), points[0].tolist(), points[-1].tolist()]


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


def _clusters(
    net: Autoencoder, X: Tensor, k: int, settings: Mapping[str, Any], repeat_seed: int, checkpoint: Checkpoint
) -> DecResult:
    if (kept := checkpoint.finished(f"k={k}")) is not None:
        return DecResult(**{**kept, "labels": kept["labels"].numpy()})
    clustering = train_clusters(net, X, k, settings, seed(repeat_seed, k), checkpoint)
    checkpoint.finish(f"k={k}", {**asdict(clustering), "labels": torch.from_numpy(clustering.labels)})
    log.info(
        "k = %d: %d updates%s",
        k,
        clustering.n_updates,
        "" if clustering.converged else "; stopped while labels still changed",
    )
    return clustering


def _rows(clusterings: list[DecResult], errors: np.ndarray, seeds: list[int]) -> Runs:
    return replace(
        Runs.single(np.stack([clustering.labels for clustering in clusterings]), np.array(seeds)),
        n_iter=np.array([clustering.n_updates for clustering in clusterings]),
        converged=np.array([clustering.converged for clustering in clusterings]),
        diagnostics={
            "reconstruction_error": errors,
            "divergence": np.array([clustering.divergence for clustering in clusterings]),
        },
    )
