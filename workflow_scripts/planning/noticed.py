"""What jobs decided for the user, for the last words of a run: it stands in their logs, on a level of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from workflow_scripts.runlog import MARK


def noticed(logs: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of jobs' logs that a user has to see, capitalised."""
    for path in filter(Path.is_file, map(Path, logs)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if sentence := line.partition(MARK)[2]:
                yield sentence[0].upper() + sentence[1:]
