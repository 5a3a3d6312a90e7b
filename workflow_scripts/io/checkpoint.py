"""What a killed training goes on from, with the same bytes in the end."""

import logging
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import nn

from workflow_scripts.io.files import replacing

log = logging.getLogger(__name__)
SECONDS_BETWEEN_SAVES = 60.0


class Checkpoint:
    """The state of one training in one file: what is finished, by name, and the stage that is under way.

    Batches and noise are functions of the seed, the stage and the epoch, so that tensors and the epoch's number are all
    the state that there is.

    Parameters
    ----------
    path : of the file; None keeps nothing.
    made_from : digest of all that decides the result; a file of another is not used.
    """

    def __init__(self, path: Path | None, made_from: str) -> None:
        self.path = path
        self.state: dict[str, Any] = {"made_from": made_from, "finished": {}, "under_way": None}
        self._past: list[str] = []
        self._saved = monotonic()
        if path and path.exists():
            kept = torch.load(path, map_location="cpu", weights_only=True)
            if kept["made_from"] == made_from:
                self.state = kept
                log.info("on from a checkpoint: %s is finished", ", ".join(kept["finished"]) or "nothing")

    def finished(self, name: str) -> Any:
        """Return what was kept under a name, or None."""
        return self.state["finished"].get(name)

    def finish(self, name: str, result: Any) -> None:
        """Keep a result: tensors, numbers, texts, or dicts and lists of these."""
        self.state["finished"][name] = result
        self.state["under_way"] = None
        self._past = []
        self._save()

    def rounds(self, stage: str, module: nn.Module, optimiser: torch.optim.Optimizer, count: int) -> Iterator[int]:
        """Yield the numbers of the rounds of a stage that are still to do; the state is saved between them.

        The stages up to the next result share `module`, which has the state of them all.
        """
        done, under_way = 0, self.state["under_way"]
        if under_way and stage in under_way["past"]:
            return
        if under_way and under_way["stage"] == stage:
            module.load_state_dict(under_way["module"])
            optimiser.load_state_dict(under_way["optimiser"])
            done = under_way["done"]
        for number in range(done, count):
            yield number
            if self.path and monotonic() - self._saved > SECONDS_BETWEEN_SAVES:
                tensors = {"module": module.state_dict(), "optimiser": optimiser.state_dict()}
                self.state["under_way"] = {"stage": stage, "past": self._past, "done": number + 1, **tensors}
                self._save()
        self._past = [*self._past, stage]

    def remove(self) -> None:
        """Remove the file: the training's result is stored elsewhere."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def _save(self) -> None:
        if self.path:
            with replacing(self.path) as temporary:
                torch.save(self.state, temporary)
        self._saved = monotonic()
