"""What the terminal says around a run: the plan of a dry run, too little room, where to look at the end."""

import atexit
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.kmeans_kernels import REMEDY, SLOW_PATH, kernels, why_none
from workflow_scripts.planning.noticed import noticed
from workflow_scripts.planning.sizes import Sizes, csv_rows
from workflow_scripts.settings import KMeans, MiniBatchKMeans, Settings

FIGURE_BYTES = 2_000_000
HOUSEKEEPING = {"prune", "list_layers"}


def print_at_the_end(workflow: Any, settings: Settings, grid: Grid, layout: Layout) -> None:
    """Registers the last words of the main process: of a dry run the plan, of a run where to look."""
    if not workflow.is_main_process:
        return

    def speak() -> None:
        never_began = workflow.scheduler is None  # no run was asked for, or the error has been told
        if never_began or HOUSEKEEPING & set(workflow.dag_settings.targets):
            return
        lines = _plan(workflow.dag, settings, grid, layout) if workflow.dryrun else _ending(workflow, layout)
        print("\n".join(lines), file=sys.stderr)

    atexit.register(speak)


def is_whole_run(workflow: Any) -> bool:
    """Whether a run makes everything, so that the report is due."""
    targets = workflow.dag_settings.targets
    return workflow.is_main_process and (not targets or "all" in targets)


def write_report(path: str) -> None:
    """Snakemake's own report, by the command line of this run."""
    report = subprocess.run(
        [sys.executable, "-m", "snakemake", *sys.argv[1:], "--report", path, "--nolock"],
        capture_output=True,
        text=True,
    )
    if report.returncode:
        print(f"No report could be written to {path}:\n{report.stderr[-2000:]}", file=sys.stderr)


def check_disk(dag: Any, settings: Settings, layout: Layout) -> None:
    """Ends the run before it starts when the disk has too little room for it."""
    needed = sum(_bytes_to_write(dag, settings, layout).values())
    free = shutil.disk_usage(".").free
    if needed > free:
        sys.exit(f"Error: disk: {_size(needed)} needed, {_size(free)} free; make room or name fewer variants")


def _plan(dag: Any, settings: Settings, grid: Grid, layout: Layout) -> list[str]:
    order = {rule: number for number, rule in enumerate(dag.workflow.rules)}
    jobs = sorted(dag.needrun_jobs(exclude_finished=False), key=lambda job: order[job.rule])
    stages = Counter(_stage(job.rule.name, settings) for job in jobs)
    variants = Counter(job.wildcards.clusterer for job in jobs if job.rule.name == "cluster")
    sizes = Sizes(settings, layout, grid)
    of_kmeans = (name for name in variants if isinstance(settings.clusterers[name], KMeans | MiniBatchKMeans))
    restarts = sum(variants[name] * sizes.restarts(name) for name in of_kmeans)
    written = _bytes_to_write(dag, settings, layout)
    reasons = Counter((skipped.study, skipped.reason) for skipped in grid.skipped)
    return [
        "",
        f"Plan for {layout.root}: {sum(stages.values())} jobs",
        *(f"  {stage:<16}{count:>6}" for stage, count in stages.items()),
        f"  restarts of k-means {restarts:,}",
        *([] if kernels() else [f"  {SLOW_PATH}{why_none()}; {REMEDY}"]),
        f"  disk about {_size(sum(written.values()))}, {_size(shutil.disk_usage('.').free)} free",
        *(f"  study {study}: {count} combinations left out: {why}" for (study, why), count in reasons.items()),
    ]


def _ending(workflow: Any, layout: Layout) -> list[str]:
    made_before = not workflow.scheduler.failed and Path(layout.rejected).is_file()
    if made_before and is_whole_run(workflow) and not Path(layout.report).is_file():
        write_report(layout.report)  # all studies were made one by one
    lines = [
        "",
        *(f"Failed: {job}" for job in sorted(map(str, workflow.scheduler.failed))),
        *_slow_kmeans(workflow.dag),
    ]
    if Path(layout.rejected).is_file():
        lines.append(
            f"Pictures: {csv_rows(layout.manifest)} taken in, {csv_rows(layout.rejected)} rejected ({layout.rejected})"
        )
    lines += noticed((layout.log(layout.images), layout.log(layout.manifest)))
    folders = {name: f"{layout.root}/{name.lower()}" for name in ("Figures", "Tables", "Audit", "Gallery")}
    places = {"Report": layout.report, **folders}
    return lines + [f"{what}: {path}" for what, path in places.items() if Path(path).exists()]


def _slow_kmeans(dag: Any) -> list[str]:
    """Return one line where results rest on a k-means without a compiled kernel, as the logs of their jobs say."""
    logs = sorted({Path(path) for job in dag.jobs for path in job.log if Path(path).is_file()})
    lines = [line for path in logs for line in path.read_text(errors="replace").splitlines() if SLOW_PATH in line]
    if not lines:
        return []
    return [
        f"k-means ran on the slow path (no compiled kernel) in {len(lines)} job{'s' * (len(lines) > 1)}: "
        f"{lines[0].partition(SLOW_PATH)[2]}. The lowest inertia agrees up to 1e-9; single restarts may end "
        "elsewhere"
    ]


def _stage(rule: str, settings: Settings) -> str:
    if rule == "all" or rule.removeprefix("study_") in settings.studies:
        return "targets"
    return "features" if rule.startswith("features_") else rule


def _bytes_to_write(dag: Any, settings: Settings, layout: Layout) -> dict[str, int]:
    grid = Grid(settings)
    sizes = Sizes(settings, layout, grid)
    known = {path: size for cell in grid.all_cells for path, size in sizes.files_of(cell).items()}
    outputs = [str(path) for job in dag.needrun_jobs(exclude_finished=False) for path in job.output]
    return {path: known.get(path, FIGURE_BYTES if "/figures/" in path else 0) for path in outputs}


def _size(n_bytes: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"
