"""Notices: what jobs decided for the user, read from their logs to be printed at the end of a run."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from workflow_scripts.runlog import MARK


def noticed(logs: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of level `runlog.NOTICE` in the logs of jobs, capitalised."""
    for path in filter(Path.is_file, map(Path, logs)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if sentence := line.partition(MARK)[2]:
                yield sentence[0].upper() + sentence[1:]
