"""What a job tells: a log file, progress on the terminal, and one line for a user's mistake."""

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workflow_scripts.errors import UserError

log = logging.getLogger("clustergrid")
SECONDS_BETWEEN_LINES = 5.0
NOTICE = 25
"""The level, between information and warnings, of what was decided for the user: the end of a run says it."""
MARK = " NOTICE "
"""What such a line of a log has before its sentence."""
logging.addLevelName(NOTICE, MARK.strip())


@contextmanager
def job(log_path: str) -> Iterator[logging.Logger]:
    """The frame of a job: what is logged goes to `log_path`; a user's mistake ends the process with one line."""
    handler = logging.FileHandler(log_path, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    try:
        yield log
    except UserError as error:
        log.error(error)
        sys.exit(f"Error: {error}")
    except Exception:
        log.error(traceback.format_exc())
        sys.exit(f"Error: an unexpected failure; the log has it all: {log_path}")


def progress(what: str, unit: str) -> Callable[[int, int], None]:
    """A callback `report(done, total)` that tells the terminal and the log the rate, every few seconds."""
    start = last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        line = f"{what}: {done} of {total} {unit}, {done / (now - start):.0f} {unit}/s"
        log.info(line)
        print(line, file=sys.stderr, flush=True)

    return report
