"""Save the state of a training, so that a training that is killed can continue later and gives the same result."""

import logging
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from torch import nn

from workflow_scripts.io.files import replacing

log = logging.getLogger(__name__)
SECONDS_BETWEEN_SAVES = 60.0
DIGEST_BYTES = 32
"""Length of the SHA-256 at the beginning of the file."""


class Checkpoint:
    """The state of one training, which is saved in one file.

    The state has the results that are finished, by name, and the stage that is under way. A stage is a loop over
    rounds, such as epochs (see `rounds`). The state of random generators is not saved, so batches and noise must be
    functions of the seed, the stage and the round.

    Parameters
    ----------
    path : path of the file; None saves nothing.
    made_from : digest of everything that decides the result; a file with another digest is ignored.
    """

    def __init__(self, path: Path | None, made_from: str) -> None:
        self.path = path
        self.state: dict[str, Any] = {"made_from": made_from, "finished": {}, "under_way": None}
        self._past: list[str] = []
        self._saved = monotonic()
        if path and path.exists():
            file = path.read_bytes()
            checksum, content = file[:DIGEST_BYTES], file[DIGEST_BYTES:]
            if sha256(content).digest() != checksum:
                log.warning("%s is damaged: the training begins anew", path)
                return
            kept = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
            if kept["made_from"] == made_from:
                self.state = kept
                log.info("the training goes on from a checkpoint; done: %s", ", ".join(kept["finished"]) or "nothing")

    def finished(self, name: str) -> Any:
        """Return the result that `finish` saved under a name, or None if there is none."""
        return self.state["finished"].get(name)

    def finish(self, name: str, result: Any) -> None:
        """Save a result under a name, and end the stage that is under way.

        A result is made of tensors, numbers and texts, and of dicts and lists of these.
        """
        self.state["finished"][name] = result
        self.state["under_way"] = None
        self._past = []
        self._save()

    def rounds(self, stage: str, module: nn.Module, optimiser: torch.optim.Optimizer, count: int) -> Iterator[int]:
        """Yield the numbers, below `count`, of the rounds of a stage that are still to do.

        The state is saved about once a minute, but not after the last round. If this stage was under way when the file
        was saved, the state of `module` and `optimiser` is first loaded from it. A stage that was completed before
        yields nothing. All stages up to the next `finish` must train the same `module`, because the state of only one
        module is saved.
        """
        done, under_way = 0, self.state["under_way"]
        if under_way and stage in under_way["past"]:
            self._past = [*self._past, stage]
            return
        if under_way and under_way["stage"] == stage:
            module.load_state_dict(under_way["module"])
            optimiser.load_state_dict(under_way["optimiser"])
            done = under_way["done"]
        for number in range(done, count):
            yield number
            is_due = monotonic() - self._saved > SECONDS_BETWEEN_SAVES
            # not after the last round, because the caller still needs what it computed there
            if self.path and is_due and number + 1 < count:
                tensors = {"module": module.state_dict(), "optimiser": optimiser.state_dict()}
                self.state["under_way"] = {"stage": stage, "past": self._past, "done": number + 1, **tensors}
                self._save()
        self._past = [*self._past, stage]

    def remove(self) -> None:
        """Delete the file of the checkpoint. This is called when the result of the training is stored elsewhere."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def _save(self) -> None:
        if self.path:
            stream = BytesIO()
            torch.save(self.state, stream)
            with replacing(self.path) as temporary:
                temporary.write_bytes(sha256(stream.getbuffer()).digest() + stream.getbuffer())
        self._saved = monotonic()
