"""Write Snakemake's report at the end of a run of all targets, if the files that it shows have changed."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.paths import beside
from workflow_scripts.io.files import replacing
from workflow_scripts.planning.snakemake_internals import Run

ONE_FILE = 24_000_000
"""If the files in the report have more bytes than this, the report is a zip file, otherwise one HTML file. A browser
must read a whole HTML file, which is a third larger than the files in it, before it shows anything; and some browsers
(Firefox before 136) do not show pages above 32 MB that are inside it."""


def bring_up_to_date(run: Run, layout: Layout, grid: Grid, started_in: str) -> list[str]:
    """Write the report if it is out of date, and return a list with one line: where it is, or why it was not written.

    The list is empty if another workflow imports this one, or if the user asked Snakemake for a report. `started_in` is
    the folder in which the run was started; paths on the command line are relative to it.
    """
    if not run.is_own or any(argument.startswith("--report") for argument in sys.argv):
        return []  # an importing workflow writes its own report, or the user asks Snakemake for one
    shown = sorted(layout.reported(grid))
    if (report := _report(layout)) and _is_of(report, shown, layout):
        return [_where(report)]
    trouble = why_not_now(run) or _write(layout, shown, started_in)
    report = _report(layout)
    if not trouble:
        return [_where(report)] if report else []
    return [f"{_where(report)}, older than the results: {trouble}" if report else f"Report: none, {trouble}"]


def _report(layout: Layout) -> Path | None:
    """Return the path of the report, an HTML or a zip file, or None if there is no report."""
    return next((path for path in _forms(layout) if path.is_file()), None)


def _forms(layout: Layout) -> list[Path]:
    return [Path(beside(layout.report, ending)) for ending in Layout.report.endings]


def _where(report: Path) -> str:
    return f"Report: {report}" + (" (unpack it and open report.html)" if report.suffix == ".zip" else "")


def _is_of(report: Path, shown: Sequence[str], layout: Layout) -> bool:
    """Return whether the report shows exactly the files `shown`, and was written after the last change of each."""
    listed = Path(layout.report_files)
    if not listed.is_file() or listed.read_text(encoding="utf-8").splitlines() != list(shown):
        return False
    written = report.stat().st_mtime
    return all(path.stat().st_mtime <= written for path in map(Path, shown) if path.exists())


def why_not_now(run: Run) -> str | None:
    """Return a phrase that says when the report will be written, or None if it can be written now.

    It cannot be written as long as results are missing.
    """
    if not run.makes_everything:
        return "a run without targets writes it"
    if run.leaves_out:
        return f"a run without {run.leaves_out} writes it"
    return None if run.is_finished else "it is written when all jobs have ended well"


def _write(layout: Layout, shown: Sequence[str], started_in: str) -> str | None:
    """Write the report; return None, or the reason why that failed.

    Snakemake takes the format from the ending of the file's name, and the name of the folder inside a zip from the rest
    of the name. So the report is written with its final name in another folder, and then moved.
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
    """Let Snakemake write the report, with the arguments of this run; return None, or a reason if that failed.

    The reason is the last line of Snakemake's output, which goes to the file `log`.
    """
    # Our options come first: the user's last option may take any number of values, and would take ours too.
    command = [sys.executable, "-m", "snakemake", "--report", str(report), "--nolock", *sys.argv[1:]]
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run(command, cwd=started_in, stdout=stream, stderr=stream, check=False)
    if done.returncode == 0 and report.is_file():
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "Snakemake wrote none")
