"""Training of an autoencoder of dense layers in phases, with early stopping, and on from a checkpoint after a kill."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn.functional import mse_loss

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce.dense import ROWS, Autoencoder
from workflow_scripts.seeds import seed

log = logging.getLogger(__name__)
PHASES = {"1_a": (0, 1), "1_b": (1, 2), "1": (0, 2), "2": (2, 3), "g": (0, 3)}
"""The pairs of layers that each phase trains, first and one past the last (Coronica 2018, table 3.2)."""
SECONDS_BETWEEN_CHECKPOINTS = 30.0


@dataclass(frozen=True)
class Recipe:
    """How an autoencoder is trained.

    `phases` are (name, most epochs) in their order; a phase ends early after `patience` epochs without a lower error
    on the rows held out for that. `l2` times half the sum of the squared weights (not biases) is added to the loss.
    """

    phases: Sequence[tuple[str, int]]
    patience: int
    learning_rate: float
    l2: float
    batch_size: int
    seed: int


@dataclass
class Progress:
    """Where the training is: the phase's number, its epoch, the best one so far, and the errors of all epochs.

    A row of `curves` is phase number, epoch (0 before the first), error on the training rows as seen while training
    (on all of them before the first epoch), error on the rows that stop it.
    """

    phase: int = 0
    epoch: int = 0
    best_epoch: int = 0
    best_error: float = np.inf
    curves: list[Sequence[float]] = field(default_factory=list)


@contextmanager
def one_thread() -> Iterator[None]:
    """torch and BLAS with one math thread: the last bits of a matrix product depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


class Trainer:
    """One training from its first epoch to its last, or from a checkpoint on.

    Parameters
    ----------
    net : trained in place; it ends with the weights of the lowest error of the last phase.
    X : (N, d) float32 features, on the network's device.
    training, stopping : indices of the rows that are learned from, and of those that end a phase.
    checkpoint : where the state is kept while it trains.
    made_from : a digest of all that decides the result; a checkpoint of another is not used.
    """

    def __init__(
        self,
        net: Autoencoder,
        X: Tensor,
        training: np.ndarray,
        stopping: np.ndarray,
        recipe: Recipe,
        checkpoint: Path,
        made_from: str,
    ) -> None:
        self.net, self.X, self.training, self.stopping, self.recipe = net, X, training, stopping, recipe
        self.checkpoint, self.made_from = checkpoint, made_from
        self.at = Progress()
        self.best: dict[str, Tensor] = {}
        self.optimiser = self._optimiser()
        self._saved = monotonic()

    def run(self, report: Callable[[int, int], None]) -> list[Sequence[float]]:
        """Train through all phases; the rows of `Progress.curves`. `report` gets rows seen and at most to see."""
        if self.checkpoint.exists():
            self._resume()
        total = sum(epochs for _, epochs in self.recipe.phases) * len(self.training)
        while self.at.phase < len(self.recipe.phases):
            self._phase(lambda: report(sum(epoch > 0 for _, epoch, *_ in self.at.curves) * len(self.training), total))
        self.checkpoint.unlink(missing_ok=True)
        return self.at.curves

    def _phase(self, report: Callable[[], None]) -> None:
        """The rest of the present phase, after which the network has its best weights and the next phase begins."""
        name, epochs = self.recipe.phases[self.at.phase]
        if not self.best:
            self._note(self._error(self.training), self._error(self.stopping))
        while self.at.epoch < epochs and self.at.epoch - self.at.best_epoch < self.recipe.patience:
            self.at.epoch += 1
            self._note(self._epoch(), self._error(self.stopping))
            report()
            if monotonic() - self._saved > SECONDS_BETWEEN_CHECKPOINTS:
                self._save()
        log.info(
            "phase %s: best of %d epochs is %d, error %.4g", name, self.at.epoch, self.at.best_epoch, self.at.best_error
        )
        self.net.load_state_dict(self.best)
        self.best = {}
        self.at = Progress(phase=self.at.phase + 1, curves=self.at.curves)
        if self.at.phase < len(self.recipe.phases):
            self.optimiser = self._optimiser()

    def _note(self, training_error: float, stopping_error: float) -> None:
        if not np.isfinite(training_error + stopping_error):
            raise UserError(
                f"autoencoder: the error became infinite in epoch {self.at.epoch} of phase "
                f"{self.recipe.phases[self.at.phase][0]}; a learning_rate below {self.recipe.learning_rate:g} is needed"
            )
        self.at.curves.append((self.at.phase, self.at.epoch, training_error, stopping_error))
        if stopping_error < self.at.best_error:
            self.at.best_error, self.at.best_epoch = stopping_error, self.at.epoch
            self.best = {name: value.clone() for name, value in self.net.state_dict().items()}

    def _epoch(self) -> float:
        """One pass over the training rows in an order that depends on phase and epoch alone; the mean error seen."""
        order = np.random.default_rng(seed(self.recipe.seed, "epoch", self.at.phase, self.at.epoch))
        rows, total = order.permutation(self.training), 0.0
        for start in range(0, len(rows), self.recipe.batch_size):
            batch = rows[start : start + self.recipe.batch_size]
            self.optimiser.zero_grad()
            loss = self._loss(batch)
            loss.backward()
            self.optimiser.step()
            total += loss.item() * len(batch)
        return total / len(rows)

    def _error(self, rows: np.ndarray) -> float:
        """Mean squared error of the phase's part of the network."""
        with torch.no_grad():
            parts = np.split(rows, range(ROWS, len(rows), ROWS))
            return sum(self._loss(part).item() * len(part) for part in parts) / len(rows)

    def _loss(self, rows: np.ndarray) -> Tensor:
        """Of the pairs that are trained, what they make of what the pairs outside them make of the features."""
        start, stop = self._pairs()
        with torch.no_grad():
            x = self.net.down((self.X[torch.from_numpy(rows)] - self.net.mean) / self.net.scale, 0, start)
        return mse_loss(self.net.up(self.net.down(x, start, stop), start, stop), x)

    def _pairs(self) -> tuple[int, int]:
        return PHASES[self.recipe.phases[self.at.phase][0]]

    def _optimiser(self) -> torch.optim.Adam:
        start, stop = self._pairs()
        trained = [its for pair in self.net.pairs[start:stop] for its in pair.parameters()]
        groups: list[dict[str, Any]] = [
            {"params": [its for its in trained if its.ndim == 2], "weight_decay": self.recipe.l2},
            {"params": [its for its in trained if its.ndim == 1]},
        ]
        return torch.optim.Adam(groups, self.recipe.learning_rate)

    def _save(self) -> None:
        """The whole state as a file without pickled objects."""
        tensors = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for number, its in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": value for name, value in its.items()}
        facts = json.dumps({"made_from": self.made_from, "progress": vars(self.at)})
        with store.replacing(self.checkpoint) as temporary:
            temporary.write_bytes(save({k: v.cpu().contiguous() for k, v in tensors.items()}, {"facts": facts}))
        self._saved = monotonic()

    def _resume(self) -> None:
        """The state of a killed training of the same everything."""
        with safe_open(self.checkpoint, "pt") as file:
            facts = json.loads(file.metadata()["facts"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if facts["made_from"] != self.made_from:
            return
        self.at = Progress(**facts["progress"])
        log.info("on from a checkpoint: phase %d, epoch %d", self.at.phase + 1, self.at.epoch)
        self.net.load_state_dict(_under("net.", tensors))
        self.best = {name: value.to(self.X.device) for name, value in _under("best.", tensors).items()}
        self.optimiser = self._optimiser()
        described = self.optimiser.state_dict()
        for name, value in _under("adam.", tensors).items():
            number, key = name.split(".")
            described["state"].setdefault(int(number), {})[key] = value
        self.optimiser.load_state_dict(described)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
