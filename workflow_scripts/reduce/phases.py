"""Train an autoencoder in phases, with early stopping; a killed training continues from a checkpoint.

A phase trains some of the autoencoder's pairs of layers. It ends when the error on the stopping rows, which are not
trained on, no longer decreases.
"""

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
"""The pairs of layers that each phase trains, from the first to the last (excluded) (Coronica 2018, table 3.2)."""
FINISHED = "phases"
"""The name under which the checkpoint keeps the results of finished phases."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    Attributes
    ----------
    phases : the name and the largest number of epochs of each phase, in order.
    patience : a phase ends if the error on the stopping rows does not fall for this number of epochs.
    learning_rate : learning rate of the optimiser Adam.
    l2 : the loss has the additional term `l2` / 2 times the sum of the squared weights (without biases).
    batch_size : number of rows in a batch.
    seed : seed of the order of the rows.
    """

    phases: Sequence[tuple[str, int]]
    patience: int
    learning_rate: float
    l2: float
    batch_size: int
    seed: int


class Watched(nn.Module):
    """The state of a phase: the network `net`, a copy with the best weights so far (`best`), and the errors.

    `errors` (epochs + 1, 2) float64 has one row for the state before training and then one row for each epoch; rows of
    epochs to come are NaN. The first column is the error on the training rows, the second the one on the stopping rows.
    """

    errors: Tensor

    def __init__(self, net: Autoencoder, epochs: int) -> None:
        super().__init__()
        self.net, self.best = net, deepcopy(net)
        self.register_buffer("errors", torch.full((epochs + 1, 2), torch.nan, dtype=torch.float64))

    @property
    def noted(self) -> int:
        """Return the number of rows of `errors` that are filled so far."""
        return int((~self.errors[:, 1].isnan()).sum())

    @property
    def best_epoch(self) -> int:
        """Return the epoch with the lowest error on the stopping rows; if several are equal, the first."""
        return int(self.errors[: self.noted, 1].cpu().numpy().argmin())

    def note(self, training_error: float, stopping_error: float) -> None:
        """Write the errors of the next epoch into `errors`, and keep the network's weights if they are the best so far.

        The best weights are those with the lowest error on the stopping rows.
        """
        epoch = self.noted
        self.errors[epoch] = torch.tensor([training_error, stopping_error], dtype=torch.float64)
        if self.best_epoch == epoch:
            self.best.load_state_dict(self.net.state_dict())


class Trainer:
    """The training of an autoencoder, from the beginning or from a checkpoint.

    Parameters
    ----------
    net : the network, which is trained in place; it ends with the best weights of the last phase.
    X : (N, d) float32, the features, on the network's device.
    training : indices of the rows to train on.
    stopping : indices of the rows whose error decides when a phase ends.
    recipe : settings of the training.
    checkpoint : keeps the state during the training.
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
        """Train all phases.

        After each epoch, `report` is called with the number of rows trained on so far and the number in all epochs.

        Returns
        -------
        A row for each epoch: the number of the phase, the epoch (0 is before training), and the two errors as in
        `Watched`.

        Raises `UserError` if an error becomes infinite.
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
        """Train a phase, from its beginning or from the checkpoint, and return its state.

        After each epoch, `report` is called with the number of epochs done in all phases. The phases before this one
        had `before` epochs.
        """
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
        """Train once on every training row, in random order, and return the mean squared error.

        The order depends on the seed, the phase and the epoch.
        """
        n, total = len(self.training), 0.0
        for rows in batches(n, self.recipe.batch_size, seed(self.recipe.seed, "epoch", phase, epoch)):
            loss = self._loss(phase, self.training[rows.numpy()])
            step(optimiser, loss, "autoencoder")
            total += loss.item() * len(rows)
        return total / n

    def _error(self, phase: int, rows: np.ndarray) -> float:
        """Return the mean squared error (`_loss`) of the phase's pairs of layers on `rows`."""
        with torch.no_grad():
            parts = np.split(rows, range(ROWS, len(rows), ROWS))
            return sum(self._loss(phase, part).item() * len(part) for part in parts) / len(rows)

    def _loss(self, phase: int, rows: np.ndarray) -> Tensor:
        """Return the mean squared error on a batch of the pairs of layers that this phase trains, a scalar.

        A pair is an encoding layer and its decoding layer. The batch is encoded by the encoding layers that come before
        these pairs. The pairs then encode this input and decode it again. The error is between input and output.
        """
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
