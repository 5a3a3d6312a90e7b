"""What the intake decided for the user, for the last words of a run: it stands in the logs of its jobs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

SAID = ("labels: ", "images to look at", "look-alikes: ")
"""How the sentences begin that a user has to see."""
ALSO = ("look like no others",)


def noticed(logs: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of jobs' logs on where labels come from and which images look odd, capitalised."""
    for path in filter(Path.is_file, map(Path, logs)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            sentence = line.partition(" INFO ")[2]
            if sentence.startswith(SAID) or any(part in sentence for part in ALSO):
                yield sentence[0].upper() + sentence[1:]
