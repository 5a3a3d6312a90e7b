"""Training of an autoencoder of dense layers in phases, with early stopping, and on from a checkpoint after a kill."""

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from workflow_scripts.errors import UserError
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.reduce.dense import ROWS, Autoencoder
from workflow_scripts.reduce.training import batches, step
from workflow_scripts.seeds import seed

log = logging.getLogger(__name__)
PHASES = {"1_a": (0, 1), "1_b": (1, 2), "1": (0, 2), "2": (2, 3), "g": (0, 3)}
"""The pairs of layers that each phase trains, first and one past the last (Coronica 2018, table 3.2)."""
FINISHED = "phases"
"""The checkpoint's name for the network and the errors after the phases that are finished."""


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


class Watched(nn.Module):
    """A network in a phase, its best weights so far, and the errors of every epoch: what a killed phase goes on from.

    `errors` (epochs + 1, 2) float64, NaN for epochs to come: on the training rows as seen while training (on all of
    them before the first epoch), and on the rows that stop the phase.
    """

    errors: Tensor

    def __init__(self, net: Autoencoder, epochs: int) -> None:
        super().__init__()
        self.net, self.best = net, deepcopy(net)
        self.register_buffer("errors", torch.full((epochs + 1, 2), torch.nan, dtype=torch.float64))

    @property
    def noted(self) -> int:
        """Return the number of epochs whose errors are noted, that before the first included."""
        return int((~self.errors[:, 1].isnan()).sum())

    @property
    def best_epoch(self) -> int:
        """Return the epoch of the lowest error on the rows that stop the phase, the first of equals."""
        return int(self.errors[: self.noted, 1].cpu().numpy().argmin())

    def note(self, training_error: float, stopping_error: float) -> None:
        """Note the errors of the next epoch, and the weights if there were none better."""
        epoch = self.noted
        self.errors[epoch] = torch.tensor([training_error, stopping_error], dtype=torch.float64)
        if self.best_epoch == epoch:
            self.best.load_state_dict(self.net.state_dict())


class Trainer:
    """One training from its first epoch to its last, or from a checkpoint on.

    Parameters
    ----------
    net : trained in place; it ends with the weights of the lowest error of the last phase.
    X : (N, d) float32 features, on the network's device.
    training, stopping : indices of the rows that are learned from, and of those that end a phase.
    checkpoint : keeps the state while it trains.
    """

    def __init__(
        self,
        net: Autoencoder,
        X: Tensor,
        training: np.ndarray,
        stopping: np.ndarray,
        recipe: Recipe,
        checkpoint: Checkpoint,
    ) -> None:
        self.net, self.X, self.training, self.stopping = net, X, training, stopping
        self.recipe, self.checkpoint = recipe, checkpoint

    def run(self, report: Callable[[int, int], None]) -> list[Sequence[float]]:
        """Train through all phases; `report` gets rows seen and at most to see.

        Returns
        -------
        A row for each epoch: the phase's number, the epoch (0 before the first), and its errors as in `Watched`.
        """
        total = sum(epochs for _, epochs in self.recipe.phases) * len(self.training)
        finished: dict[str, Any] = self.checkpoint.finished(FINISHED) or {"phases": 0, "curves": []}
        curves: list[Sequence[float]] = [*finished["curves"]]
        if finished["phases"]:
            self.net.load_state_dict(finished["net"])
        for phase in range(finished["phases"], len(self.recipe.phases)):
            before = sum(epoch > 0 for _, epoch, *_ in curves)
            watched = self._phase(phase, lambda epoch: report(epoch * len(self.training), total), before)
            errors = watched.errors[: watched.noted].tolist()
            curves += [(phase, epoch, *of_epoch) for epoch, of_epoch in enumerate(errors)]
            self.net.load_state_dict(watched.best.state_dict())
            done = {"phases": phase + 1, "curves": [list(row) for row in curves], "net": self.net.state_dict()}
            self.checkpoint.finish(FINISHED, done)
        self.checkpoint.remove()
        return curves

    def _phase(self, phase: int, report: Callable[[int], None], before: int) -> Watched:
        """Train a phase, or the rest of it; `report` gets the number of epochs done, `before` and in it."""
        name, epochs = self.recipe.phases[phase]
        watched, optimiser = Watched(self.net, epochs), self._optimiser(phase)
        for done in self.checkpoint.rounds(f"phase {phase}", watched, optimiser, epochs):
            if not watched.noted:
                self._note(watched, phase, self._error(phase, self.training))
            if done - watched.best_epoch >= self.recipe.patience:
                break
            self._note(watched, phase, self._epoch(phase, done + 1, optimiser))
            report(before + done + 1)
        best = watched.best_epoch
        lowest = watched.errors[best, 1].item()
        log.info("phase %s: best of %d epochs is %d, error %.4g", name, watched.noted - 1, best, lowest)
        return watched

    def _note(self, watched: Watched, phase: int, training_error: float) -> None:
        stopping_error = self._error(phase, self.stopping)
        if not np.isfinite(training_error + stopping_error):
            raise UserError(
                f"autoencoder: the error became infinite in epoch {watched.noted} of phase "
                f"{self.recipe.phases[phase][0]}; a learning_rate below {self.recipe.learning_rate:g} is needed"
            )
        watched.note(training_error, stopping_error)

    def _epoch(self, phase: int, epoch: int, optimiser: torch.optim.Optimizer) -> float:
        """Pass over the training rows once, in an order that depends on phase and epoch alone; the mean error seen."""
        n, total = len(self.training), 0.0
        for rows in batches(n, self.recipe.batch_size, seed(self.recipe.seed, "epoch", phase, epoch)):
            loss = self._loss(phase, self.training[rows.numpy()])
            step(optimiser, loss, "autoencoder")
            total += loss.item() * len(rows)
        return total / n

    def _error(self, phase: int, rows: np.ndarray) -> float:
        """Return the mean squared error of the phase's part of the network."""
        with torch.no_grad():
            parts = np.split(rows, range(ROWS, len(rows), ROWS))
            return sum(self._loss(phase, part).item() * len(part) for part in parts) / len(rows)

    def _loss(self, phase: int, rows: np.ndarray) -> Tensor:
        """Compare what the trained pairs give back with what the pairs outside them make of the features."""
        start, stop = self._pairs(phase)
        with torch.no_grad():
            x = self.net.down((self.X[torch.from_numpy(rows)] - self.net.mean) / self.net.scale, 0, start)
        return mse_loss(self.net.up(self.net.down(x, start, stop), start, stop), x)

    def _pairs(self, phase: int) -> tuple[int, int]:
        return PHASES[self.recipe.phases[phase][0]]

    def _optimiser(self, phase: int) -> torch.optim.Adam:
        start, stop = self._pairs(phase)
        trained = [parameter for pair in self.net.pairs[start:stop] for parameter in pair.parameters()]
        groups: list[dict[str, Any]] = [
            {"params": [parameter for parameter in trained if parameter.ndim == 2], "weight_decay": self.recipe.l2},
            {"params": [parameter for parameter in trained if parameter.ndim == 1]},
        ]
        return torch.optim.Adam(groups, self.recipe.learning_rate)
