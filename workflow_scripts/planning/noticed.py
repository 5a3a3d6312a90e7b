"""Read notices from the logs of jobs, to print them at the end of a run.

A notice is a sentence about a decision that a job made for the user.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from workflow_scripts.runlog import MARK


def noticed(logs: Iterable[str]) -> Iterator[str]:
    """Yield the notices (lines of level `runlog.NOTICE`) in these log files, each with a capital letter first."""
    for path in filter(Path.is_file, map(Path, logs)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if sentence := line.partition(MARK)[2]:
                yield sentence[0].upper() + sentence[1:]
