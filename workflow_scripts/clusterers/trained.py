"""Shared code of the clusterers that train a network: scaled points, repeats in parallel, checkpoints.

A repeat trains one network for each k; its seeds differ from those of other repeats.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workflow_scripts.clusterers import Progress
from workflow_scripts.errors import UserError
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.runs import Runs
from workflow_scripts.provenance import code_digest, digest
from workflow_scripts.seeds import seed


@dataclass(frozen=True)
class Trained:
    """The result of one training for one k.

    Attributes
    ----------
    labels : (N,) integers, on the CPU.
    n_iter : number of rounds (for example epochs) of the training.
    converged : whether the training ended by itself; also True if its number of rounds is fixed.
    diagnostics : numbers about the training, such as its final loss, by name.
    """

    labels: Tensor
    n_iter: int
    converged: bool
    diagnostics: dict[str, float]


Training = Callable[[int, Checkpoint], Iterator[tuple[int, Trained]]]
"""The type of functions that train one repeat from its seed and a checkpoint, and yield each k with its result."""


def scaled(points: np.ndarray, settings: Mapping[str, Any]) -> Tensor:
    """Return the points, centred and divided by one number so that their mean square is 1: (N, d) float32.

    The result is on the settings' device. One number for all columns keeps the ratios of distances (Xie et al. 2016,
    section 4.1). Raises `UserError` if the device is a GPU that is missing, if points are not finite, or if all points
    are equal.
    """
    centred = points - points.mean(axis=0)
    scale = np.sqrt(np.square(centred).mean())
    if not np.isfinite(scale) or scale == 0:
        raise UserError(
            f"{settings['method']}: found points with a spread of {scale:g}, allowed: finite points that are not all "
            "the same"
        )
    device = choose_device(settings["device"], "config: clusterers: device", "cpu")
    return torch.from_numpy((centred / scale).astype(np.float32)).to(device)


def train_each(
    training: Training,
    X: Tensor,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    checkpoints: Path | None,
) -> Iterator[tuple[int, Runs]]:
    """Run `training` for every repeat on the points X (N, d). Yield k and the runs of all repeats, for each k of the
    settings.

    Repeats run in parallel on `n_threads` threads. Each repeat uses one thread for its computations, so the results do
    not depend on `n_threads`. If the process is killed, the next call continues from the checkpoints in the folder
    `checkpoints`. The folder is deleted at the end. The runs have no inertia and no centres.
    """
    method = settings["method"]
    made_from = digest([code_digest(f"clusterers.{method}"), dict(settings), base_seed, _fingerprint(X)])
    seeds = [seed(base_seed, method, repeat) for repeat in range(settings["repeats"])]
    fits_done = 0

    def repeat(number: int) -> dict[int, Trained]:
        nonlocal fits_done
        checkpoint = Checkpoint(checkpoints and checkpoints / f"{number}.pt", made_from)
        by_k = {}
        for k, trained in training(seeds[number], checkpoint):
            by_k[k] = trained
            fits_done += 1
            progress(fits_done, len(seeds) * len(settings["k"]))
        return by_k

    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        repeats = list(pool.map(repeat, range(len(seeds))))
    for k in settings["k"]:
        yield k, _rows([by_k[k] for by_k in repeats], seeds)
    if checkpoints:
        rmtree(checkpoints, ignore_errors=True)


def each_k(
    train: Callable[[int, int, Checkpoint], Trained], ks: Iterable[int], repeat_seed: int, checkpoint: Checkpoint
) -> Iterator[tuple[int, Trained]]:
    """Yield each k with its result, computed by `train(k, seed, checkpoint)` and then kept in the checkpoint.

    A result that the checkpoint has already is not computed again.
    """
    for k in ks:
        if (kept := checkpoint.finished(f"k={k}")) is None:
            trained = train(k, seed(repeat_seed, k), checkpoint)
            checkpoint.finish(f"k={k}", asdict(trained))
        else:
            trained = Trained(**kept)
        yield k, trained


def _fingerprint(X: Tensor) -> list[Any]:
    """Return numbers that tell X (N, d) from other points: the shape, the sum of squares, and the first and last
    row."""
    return [*X.shape, X.double().square().sum().item(), X[0].tolist(), X[-1].tolist()]


def _rows(trained: list[Trained], seeds: list[int]) -> Runs:
    return replace(
        Runs.single(np.stack([of_repeat.labels.numpy() for of_repeat in trained]), np.array(seeds)),
        n_iter=np.array([of_repeat.n_iter for of_repeat in trained]),
        converged=np.array([of_repeat.converged for of_repeat in trained]),
        diagnostics={
            name: np.array([of_repeat.diagnostics[name] for of_repeat in trained]) for name in trained[0].diagnostics
        },
    )
