"""Make the plan that a dry run prints: jobs of each rule, restarts, disk space, and combinations that are left out."""

import os
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from workflow_scripts.backbones.weight_names import restricts_use
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import ARTEFACTS, Layout
from workflow_scripts.grid.expand import PLACES_NEW_IMAGES, Grid, Skipped
from workflow_scripts.kmeans_kernels import REMEDY, SLOW_PATH, kernels, why_none
from workflow_scripts.planning.durations import expected_time
from workflow_scripts.planning.sizes import Sizes
from workflow_scripts.planning.snakemake_internals import Job, Run
from workflow_scripts.settings.backbones import Backbone
from workflow_scripts.wording import count

FIGURE_BYTES = 2_000_000
"""Number of bytes that the plan assumes for the file of a figure."""
REASONS_SHOWN = 5
"""Largest number of reasons, for each study, that a dry run prints for combinations that are left out."""


def plan(run: Run, sizes: Sizes) -> list[str]:
    """Return the lines that a dry run prints.

    They name the jobs of each rule with their memory and time, the restarts of k-means, disk space, the expected time,
    and the combinations of choices that are left out, with the reasons.
    """
    layout, jobs = sizes.layout, run.needed_jobs()
    stages: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        stages[_stage(job, layout)].append(job)
    written = _bytes_to_write(jobs, sizes)
    return [
        "",
        f"Plan for {layout.root}: {count(len(jobs), 'job')}, and the most memory and time that one of them may take",
        *(f"  {stage:<16}{len(of_stage):>6}{_limits(of_stage)}" for stage, of_stage in stages.items()),
        f"  restarts of k-means {_restarts_of_kmeans(jobs, sizes):,}",
        *([] if kernels() else [f"  {SLOW_PATH}{why_none()}; {REMEDY}"]),
        f"  disk about {_size(sum(written.values()))}, {_size(free_bytes(layout.root))} free",
        f"  time {expected_time(jobs, run.cores)}",
        *restricted(sizes.settings.backbones, sizes.grid.backbones),
        *left_out(sizes.grid.skipped),
        *(f"  {line}" for line in without_model(run, sizes.grid)),
        *(f"  {line}" for line in too_many_clusters(jobs, sizes)),
    ]


def restricted(backbones: Mapping[str, Backbone], used: Collection[str]) -> Iterator[str]:
    """Yield a line for each backbone in `used` whose weights have a licence that restricts their use."""
    for name, backbone in backbones.items():
        if name in used and restricts_use(backbone.licence):
            yield f"  licence of the weights of {name}: {backbone.licence}, which restricts their use; read it"


def left_out(skipped: Iterable[Skipped]) -> Iterator[str]:
    """Yield lines that say, for each study, how many combinations are left out for which reason.

    Each study has one line for each of the first `REASONS_SHOWN` reasons, and one line for all others.
    """
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for combination in skipped:
        reasons[combination.study][combination.reason] += 1
    for study, counts in reasons.items():
        shown = list(counts.items())[:REASONS_SHOWN]
        for reason, n in shown:
            yield f"  study {study}: {count(n, 'combination')} left out: {reason}"
        if more := len(counts) - len(shown):
            rest = count(counts.total() - sum(n for _, n in shown), "combination")
            yield f"  study {study}: {rest} left out for {count(more, 'more reason')} of this kind"


def without_model(run: Run, grid: Grid) -> Iterator[str]:
    """Yield one line that lists the studies without a model, with the reasons. Yield nothing if no job makes or uses a
    model."""
    if not run.is_for("models", "predict", "monitor"):
        return
    cells = {study: grid.first_choice(study) for study in grid.settings.studies}
    refused = [f"{study} ({reason})" for study, cell in cells.items() if (reason := grid.refuses_new_images(cell))]
    if refused:
        yield f"Studies without a model, left out: {', '.join(refused)}; a model needs {PLACES_NEW_IMAGES}"


def too_many_clusters(jobs: Collection[Job], sizes: Sizes) -> Iterator[str]:
    """Yield a line for each clusterer whose largest k is above the number of images, if the run has jobs that use it.

    If a job still has to write the table of images, the number of files stands for the number of images. If that job
    cuts images out of files, the number of images is unknown, and there is no line.
    """
    table = sizes.table_of_images
    is_final = Path(table).is_file() and not any(table in job.outputs for job in jobs)
    if sizes.settings.intake.cuts and not is_final:
        return
    n = sizes.n_images if is_final else sizes.n_images_expected
    for name in _clusterings(jobs, sizes):
        if (k := max(sizes.settings.clusterers[name].ks, default=0)) > n:
            studies = ", ".join(sizes.grid.studies_with(name))
            yield f"clusterers.{name}.k: {k} is more than the {n} images, so these jobs will fail (studies: {studies})"


def check_place(root: str) -> None:
    """Raise `UserError` if the folder of results `root`, or the folder above it, is a file or a dead link."""
    for place in (Path(root).parent, Path(root)):
        if os.path.lexists(place) and not place.is_dir():
            raise UserError(f"{place}: found a file or a dead link, allowed: a folder; move it away, the run makes one")


def check_disk(run: Run, sizes: Sizes) -> None:
    """Exit with a message if the results cannot be written, or if they need more space than is free.

    It is called before the first job.
    """
    folder = _existing(sizes.layout.root)
    if not os.access(folder, os.W_OK | os.X_OK):
        sys.exit(f"Error: {folder}: the folder cannot be written; make it writable, or work in another folder")
    needed = sum(_bytes_to_write(run.needed_jobs(), sizes).values())
    free = free_bytes(sizes.layout.root)
    if needed > free:
        sys.exit(
            f"Error: disk of {sizes.layout.root}: {_size(needed)} needed, {_size(free)} free; make room or name fewer "
            "variants"
        )


def free_bytes(folder: str) -> int:
    """Return the number of free bytes on the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: str) -> Path:
    """Return the folder if it exists, otherwise the nearest folder above it that does."""
    path = Path(folder).resolve()
    return next(above for above in (path, *path.parents) if above.exists())


def _stage(job: Job, layout: Layout) -> str:
    """Return the name of the rule that makes a job's files, or `targets` if the job writes no file.

    If another workflow imports this one as a module, `job.rule` may have a prefix; the returned name has none.
    """
    artefact = layout.artefact_of(job.outputs[0]) if job.outputs else None
    return ARTEFACTS[artefact].made_by if artefact else "targets"


def _limits(jobs: Collection[Job]) -> str:
    """Return as text the largest memory and the longest time that a job may take; "" if the rules of the jobs set no
    limits."""
    megabytes, minutes = max(job.megabytes for job in jobs), max(job.minutes for job in jobs)
    return f"{_size(megabytes * 1e6):>10}{minutes:>6} min" if minutes else ""


def _restarts_of_kmeans(jobs: Iterable[Job], sizes: Sizes) -> int:
    """Return the total number of restarts of k-means in the jobs that write clusters."""
    variants = _clusterings(jobs, sizes)
    return sum(n_jobs * sizes.settings.clusterers[name].n_restarts for name, n_jobs in variants.items())


def _clusterings(jobs: Iterable[Job], sizes: Sizes) -> Counter[str]:
    """Return, for each clusterer, the number of the given jobs that write its clusters."""
    clustering = (job for job in jobs if job.outputs and sizes.layout.artefact_of(job.outputs[0]) == "clusters")
    return Counter(job.wildcards["clusterer"] for job in clustering)


def _bytes_to_write(jobs: Iterable[Job], sizes: Sizes) -> dict[str, int]:
    known = {path: size for cell in sizes.grid.all_cells for path, size in sizes.files_of(cell).items()}
    outputs = [path for job in jobs for path in job.outputs]
    return {path: known.get(path, FIGURE_BYTES if "/figures/" in path else 0) for path in outputs}


def _size(n_bytes: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"
