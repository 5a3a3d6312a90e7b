"""Snakemake's report at the end of a run that makes everything."""

import subprocess
import sys

from workflow_scripts.planning.snakemake_internals import Run


def is_due(run: Run) -> bool:
    """Tell whether a run makes everything, so that the report is due; an importing workflow writes one of its own."""
    return run.is_main_process and run.is_own and run.makes_everything


def write_report(path: str) -> None:
    """Write Snakemake's own report by the command line of this run."""
    report = subprocess.run(
        [sys.executable, "-m", "snakemake", *sys.argv[1:], "--report", path, "--nolock"],
        capture_output=True,
        text=True,
    )
    if report.returncode:
        print(f"No report could be written to {path}:\n{report.stderr[-2000:]}", file=sys.stderr)
