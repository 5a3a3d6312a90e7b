"""A kill in the middle of a training."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count

import pytest

from workflow_scripts.io import checkpoint


class _KilledError(Exception):
    pass


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """Return a context in which a training is killed in its round of a number; its state is on disk after each round
    before."""
    rounds = checkpoint.Checkpoint.rounds

    @contextmanager
    def in_round(number: int) -> Iterator[None]:
        begun = count(1)

        def until_the_kill(self, *given):
            for one in rounds(self, *given):
                if next(begun) == number:
                    raise _KilledError
                yield one

        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0)
            patch.setattr(checkpoint.Checkpoint, "rounds", until_the_kill)
            with pytest.raises(_KilledError):
                yield

    return in_round
