"""Checkpoints: a training that was killed goes on where it was and gives the same bytes in the end."""

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
    """The state of one training, kept in one file: finished results by name, and the stage under way.

    Batches and noise must be functions of the seed, the stage and the epoch: no state of random generators is kept.

    Parameters
    ----------
    path : of the file; if None, nothing is kept.
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
        """Return the result that `finish` kept under a name, or None."""
        return self.state["finished"].get(name)

    def finish(self, name: str, result: Any) -> None:
        """Keep a result under a name: tensors, numbers, texts, or dicts and lists of these."""
        self.state["finished"][name] = result
        self.state["under_way"] = None
        self._past = []
        self._save()

    def rounds(self, stage: str, module: nn.Module, optimiser: torch.optim.Optimizer, count: int) -> Iterator[int]:
        """Yield the numbers of a stage's rounds that are still to do, and save the state between them once a minute.

        All stages up to the next `finish` must train the same `module`. The state of `module` and `optimiser` is loaded
        from the checkpoint if this stage was under way. A stage that was completed before yields nothing.
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
        """Remove the checkpoint's file, once the result of the training is stored elsewhere."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def _save(self) -> None:
        if self.path:
            stream = BytesIO()
            torch.save(self.state, stream)
            with replacing(self.path) as temporary:
                temporary.write_bytes(sha256(stream.getbuffer()).digest() + stream.getbuffer())
        self._saved = monotonic()
