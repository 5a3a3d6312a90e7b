"""Write the log file of a job and its progress on the terminal; if the job fails, write one line on stderr."""

import atexit
import gc
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workflow_scripts.errors import UserError, refusal

log = logging.getLogger("clustergrid")
SECONDS_BETWEEN_LINES = 5.0
"""Shortest time between two lines about a job's progress."""
NOTICE = 25
"""The log level, between INFO and WARNING, of decisions made for the user; they are repeated at the end of a run."""
MARK = " NOTICE "
"""The text between the time and the message in a log line of level `NOTICE`."""
logging.addLevelName(NOTICE, MARK.strip())


@contextmanager
def job(log_path: str) -> Iterator[logging.Logger]:
    """Send a job's log to the file `log_path`, and end the process with one line on stderr if the job fails.

    For a `UserError` or an error of the operating system (`errors.refusal`), the line is its message. Any other
    exception is logged with its traceback, and the line names the log file.
    """
    atexit.register(gc.freeze)  # otherwise the exit takes up to 0.2 s longer, for a garbage collection of all modules
    try:
        _log_to(log_path)
        yield log
    except UserError as error:
        log.error(error)
        sys.exit(f"Error: {error}")
    except Exception as error:
        log.error(traceback.format_exc())
        if line := refusal(error):
            sys.exit(f"Error: {line}")
        sys.exit(f"Error: an unexpected failure; the log has the details: {log_path}")


def _log_to(path: str) -> None:
    logging.raiseExceptions = False  # report a full disk once, and not for every line of the log
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)


def progress(what: str, unit: str) -> Callable[[int, int], None]:
    """Return a function `report(done, total)` that writes the progress to stderr and to the log.

    It writes at most one line in `SECONDS_BETWEEN_LINES` seconds. `what` is the name of the work in these lines, and
    `unit` is what is counted, for example `images`.
    """
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
