"""Snakemake's report: written at the end of a run that makes everything, whenever what it shows has changed."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.grid.artefacts import Layout, beside
from workflow_scripts.grid.expand import Grid
from workflow_scripts.io.files import replacing
from workflow_scripts.planning.snakemake_internals import Run

ONE_FILE = 24_000_000
"""Bytes up to which the report is one file of HTML. A browser reads that whole, a third larger than what it shows,
before it shows anything, and some (Firefox before 136) show no page above 32 MB inside it."""


def bring_up_to_date(run: Run, layout: Layout, grid: Grid, started_in: str) -> list[str]:
    """Write the report if it is due, and return the line that says where it is, or why there is none of these results.

    Parameters
    ----------
    started_in : the folder in which the run was started, from which the paths of its command line lead.
    """
    if not run.is_own or any(argument.startswith("--report") for argument in sys.argv):
        return []  # an importing workflow has one of its own, or the user asks Snakemake for it
    shown = sorted(layout.reported(grid))
    if (report := _report(layout)) and _is_of(report, shown, layout):
        return [_where(report)]
    trouble = _why_not_now(run) or _write(layout, shown, started_in)
    report = _report(layout)
    if not trouble:
        return [_where(report)] if report else []
    return [f"{_where(report)}, older than the results: {trouble}" if report else f"Report: none, {trouble}"]


def _report(layout: Layout) -> Path | None:
    """Return the report that there is, whichever its form."""
    return next((path for path in _forms(layout) if path.is_file()), None)


def _forms(layout: Layout) -> list[Path]:
    return [Path(beside(layout.report, ending)) for ending in Layout.report.endings]


def _where(report: Path) -> str:
    return f"Report: {report}" + (" (unpack it and open report.html)" if report.suffix == ".zip" else "")


def _is_of(report: Path, shown: Sequence[str], layout: Layout) -> bool:
    """Tell whether a report was written of exactly these files, after they were."""
    listed = Path(layout.report_files)
    if not listed.is_file() or listed.read_text(encoding="utf-8").splitlines() != list(shown):
        return False
    written = report.stat().st_mtime
    return all(path.stat().st_mtime <= written for path in map(Path, shown) if path.exists())


def _why_not_now(run: Run) -> str | None:
    if not run.makes_everything:
        return "a run without targets writes it"
    if run.leaves_out:
        return f"a run without {run.leaves_out} writes it"
    return None if run.is_finished else "it is written when all jobs have ended well"


def _write(layout: Layout, shown: Sequence[str], started_in: str) -> str | None:
    """Write the report with the command line of this run; return why that failed.

    Snakemake goes by the ending of the name that it is given, and a zip's folder has this name without the ending: the
    report is written under its own name, in a folder beside it.
    """
    unfinished, log = Path(layout.root, ".report"), Path(layout.log(layout.report))
    try:
        size = sum(Path(path).stat().st_size for path in shown)
        report, other = _forms(layout) if size <= ONE_FILE else reversed(_forms(layout))
        for folder in (unfinished, log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if trouble := _run_snakemake((unfinished / report.name).absolute(), log, started_in):
            return f"{trouble} ({log})"
        with replacing(report) as temporary:
            (unfinished / report.name).replace(temporary)
        other.unlink(missing_ok=True)
        Path(layout.report_files).write_text("".join(f"{path}\n" for path in shown), encoding="utf-8")
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    except KeyboardInterrupt:
        return "it was interrupted"
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return None


def _run_snakemake(report: Path, log: Path, started_in: str) -> str | None:
    """Run Snakemake for its report, and return the last line that it said if there is none."""
    # Before the user's options, the last of which may take any number of values.
    command = [sys.executable, "-m", "snakemake", "--report", str(report), "--nolock", *sys.argv[1:]]
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run(command, cwd=started_in, stdout=stream, stderr=stream, check=False)
    if done.returncode == 0 and report.is_file():
        return None
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(said) if line.strip()), "Snakemake wrote none")
