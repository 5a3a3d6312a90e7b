"""Estimate how long jobs will take, from the benchmarks of earlier runs of the same data set.

A benchmark is the file in which Snakemake writes the seconds of a job.
"""

import csv
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from statistics import fmean

from workflow_scripts.planning.snakemake_internals import Job, Run

SECONDS_BETWEEN_LINES = 20.0
"""Shortest time between two lines about the time left."""
MOST_OF_THE_TIME = 0.02
"""Largest share of a run that may be spent on computing the time left; with many jobs and a slow disk it takes long."""


def say_time_left(run: Run) -> None:
    """Print during a run how many jobs are done and the time left, at most once in `SECONDS_BETWEEN_LINES` seconds."""
    due = time.monotonic() + SECONDS_BETWEEN_LINES

    def say(done: int, total: int) -> None:
        nonlocal due
        if done == total or (began := time.monotonic()) < due:
            return
        print(f"{done} of {total} jobs done; time left: {expected_time(run.jobs_left(), run.cores)}", file=sys.stderr)
        took = time.monotonic() - began
        due = began + max(SECONDS_BETWEEN_LINES, took / MOST_OF_THE_TIME)

    run.on_progress(say)


def expected_time(jobs: Iterable[Job], cores: int | None) -> str:
    """Return in words how long the jobs will take on `cores` cores. If `cores` is None (a cluster), the times of all
    jobs are added.

    A job is expected to take as long as in its last run. If it never ran, the mean of all benchmarks in the same folder
    inside `benchmarks` is taken.
    """
    of_stage = cache(_of_stage)
    timed = []
    for job in jobs:
        if job.benchmark:
            own = _seconds(Path(job.benchmark))
            timed.append((of_stage(_stage(Path(job.benchmark))) if own is None else own, job.threads))
    if not timed:
        return "0 s"
    known = [(seconds, threads) for seconds, threads in timed if seconds is not None]
    if not known:
        return "unknown before a first run"
    new = len(timed) - len(known)
    about = "at least" if new else "about"
    missing = f" (nothing is known of {new} of {len(timed)} jobs)" if new else ""
    if cores is None:
        return f"{about} {_in_words(sum(seconds for seconds, _ in known))} of jobs, by earlier jobs{missing}"
    busy = sum(seconds * min(threads, cores) for seconds, threads in known) / cores
    longest = max(seconds for seconds, _ in known)
    on = f"{cores} core{'s' * (cores > 1)}"
    return f"{about} {_in_words(max(busy, longest))} on {on}, by earlier jobs{missing}"


def _stage(path: Path) -> Path:
    """Return the folder of a stage in `benchmarks` in which a benchmark lies. A benchmark that lies directly in
    `benchmarks` is returned itself."""
    depth = path.parts.index("benchmarks", 2) + 2  # a data set may have that name too: results/benchmarks/benchmarks
    return Path(*path.parts[:depth])


def _of_stage(folder: Path) -> float | None:
    took = [seconds for path in folder.rglob("*.tsv") if (seconds := _seconds(path)) is not None]
    return fmean(took) if took else None


def _seconds(path: Path) -> float | None:
    """Return the seconds in a benchmark file of Snakemake; None if the file is missing or incomplete."""
    try:
        with open(path, newline="") as stream:
            return float(next(csv.DictReader(stream, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError, TypeError):
        return None


def _in_words(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
