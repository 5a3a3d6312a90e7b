"""Print the summary at the end of a run: failed jobs, decisions made for the user, and where the results are."""

import atexit
import csv
import errno
import os
import sys
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path

from workflow_scripts.errors import found_allowed, refusal
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.paths import beside
from workflow_scripts.kmeans_kernels import SLOW_PATH
from workflow_scripts.planning.crate import describe_results
from workflow_scripts.planning.data_sizes import csv_rows
from workflow_scripts.planning.noticed import noticed
from workflow_scripts.planning.plan import free_bytes, plan, without_model
from workflow_scripts.planning.report import bring_up_to_date
from workflow_scripts.planning.sizes import Sizes
from workflow_scripts.planning.snakemake_internals import Run
from workflow_scripts.spreadsheets import given_back
from workflow_scripts.wording import count

HOUSEKEEPING = ("prune", "list_layers")
TARGETS = ("all", "models", "predict", "monitor", "export", *HOUSEKEEPING)
FOLDERS = (
    "Figures",
    "Tables",
    "Audit",
    "Labelling",
    "Gallery",
    "Explorer",
    "Models",
    "Predictions",
    "Monitor",
    "Exported",
)
"""Folders of results whose places are printed."""
FULL = 2**20
"""A disk with fewer free bytes counts as full."""


def print_at_the_end(run: Run, sizes: Sizes) -> None:
    """Print the lines at the end of the process: the plan of a dry run, the summary of a run, or errors about targets.

    An error is printed for each target that does not exist. Only the main process prints, and not the processes of
    jobs.
    """
    if not run.is_main_process:
        return

    def print_lines() -> None:
        started_in = os.getcwd()
        with chdir(run.folder):
            lines = []
            if not run.began:
                lines = mistyped(run, sizes)
            elif not run.is_for(*HOUSEKEEPING):
                lines = plan(run, sizes) if run.is_dry else ending(run, sizes, started_in)
            for line in lines:
                print(line, file=sys.stderr)

    atexit.register(print_lines)


def mistyped(run: Run, sizes: Sizes) -> list[str]:
    """Return an error message for each target that does not exist; it lists the targets that exist."""
    allowed = [*(f"study_{study}" for study in sizes.settings.studies), *TARGETS]
    return [f"Error: target: {found_allowed(name, allowed)}, or a file of the results" for name in run.unknown_targets]


def ending(run: Run, sizes: Sizes, started_in: str) -> list[str]:
    """Return the lines of a run's summary: failed jobs, decisions made for the user, paths of results, the verdict.

    `started_in` is the folder in which the run was started.
    """
    layout = sizes.layout
    lines = ["", *(f"Failed: {job}" for job in run.failed), *_full_disk(run, layout), *_slow_kmeans(run.logs())]
    if Path(layout.rejected).is_file():
        lines.append(
            f"Images: {csv_rows(layout.manifest)} taken in, {csv_rows(layout.rejected)} rejected ({layout.rejected})"
        )
    of_intake = map(layout.log, (layout.images, layout.scale_bars, layout.regions, layout.manifest))
    lines += dict.fromkeys(noticed([*of_intake, *sorted(set(run.logs()))]))
    lines += without_model(run, sizes.grid)
    lines += bring_up_to_date(run, layout, sizes.grid, started_in)
    lines += describe_results(run, layout, sizes.grid)
    folders = {name: only_page(f"{layout.root}/{name.lower()}") for name in FOLDERS}
    places = {"Verdict": layout.front_page, "Methods": layout.methods, "Scales": layout.scales_page, **folders}
    lines += [f"{what}: {path}" for what, path in places.items() if Path(path).exists()]
    studies = [name for name, study in sizes.settings.studies.items() if "verdict" in study.pages]
    return lines + [line for study in studies[:1] for line in _verdict(study, layout)]


def only_page(folder: str) -> str:
    """Return the path of the only page in a folder; if it does not have exactly one page, the path of the folder."""
    pages = sorted(Path(folder).glob("*.html"))
    return str(pages[0]) if len(pages) == 1 else folder


def _full_disk(run: Run, layout: Layout) -> list[str]:
    """Return a list with one line if jobs failed and the disk is full, otherwise an empty list.

    The line is needed because Snakemake names no disk or file when there is no room for its own files.
    """
    if not run.failed or free_bytes(layout.root) >= FULL:
        return []
    return [f"Error: {refusal(OSError(errno.ENOSPC, '', layout.root))}"]


def _verdict(study: str, layout: Layout) -> list[str]:
    """Return lines with the most important sentences of a study's verdict; no lines if there is no verdict."""
    path = beside(layout.verdict.format(study=study), ".csv")
    if not Path(path).is_file():
        return []
    with open(path, newline="", encoding="utf-8") as stream:
        lines = sorted((int(row["line"]), row["sentence"]) for row in csv.DictReader(stream) if row["line"])
    printable = ("".join(letter if letter.isprintable() else "?" for letter in given_back(text)) for _, text in lines)
    return ["", f"Verdict of study {study}:", *(f"  {number}. {text}" for number, text in enumerate(printable, 1))]


def _slow_kmeans(logs: Iterable[str]) -> list[str]:
    """Return a list with one line if the logs say that k-means ran without a compiled kernel, otherwise no lines."""
    paths = sorted({Path(path) for path in logs if Path(path).is_file()})
    lines = [line for path in paths for line in path.read_text(errors="replace").splitlines() if SLOW_PATH in line]
    if not lines:
        return []
    return [
        f"k-means ran on the slow path (no compiled kernel) in {count(len(lines), 'job')}: "
        f"{lines[0].partition(SLOW_PATH)[2]}. The lowest inertia agrees with that of the kernel up to 1e-9; single "
        "restarts may end in another optimum"
    ]
