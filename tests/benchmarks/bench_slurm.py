"""A thousand cells on SLURM for some minutes, and without it for a quarter of them: `tests/cluster/slurm.sh up` first.

.venv-slurm/bin/python -m tests.benchmarks.bench_slurm --minutes 10
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from tests.cluster.slurm import PROFILE, SlurmProject, run
from tests.workflow import ROOT
from workflow_scripts.intake.embedded import write_embedded

COMMANDS = ("sbatch", "squeue", "scontrol", "sinfo", "sacct", "sacctmgr", "sshare", "scancel", "srun")
PICTURES = 60
CLUSTERERS = 5
TIMED = r"""for option; do
    shift
    case $option in --wrap=*) option="$option; times >{times}/\$SLURM_JOB_ID" ;; esac
    set -- "$@" "$option"
done
"""
"""Makes a job write its processor time when it ends. Processes that srun starts are not counted; a group has none."""
COMPONENTS = 50


def study(folder: Path) -> SlurmProject:
    """Two layers, fifty numbers of components, whitened or not, five clusterers: 1000 cells of 60 pictures."""
    project = SlurmProject.new(folder)
    write_embedded(folder / "every")
    (folder / "pictures").mkdir()
    for number, path in enumerate(sorted((folder / "every").rglob("*.png"))[:PICTURES]):
        shutil.copy2(path, folder / "pictures" / f"{path.parent.name}_{number}.png")
    config = yaml.safe_load((ROOT / "tests" / "cluster" / "study.yaml").read_text())
    config["clusterers"] = {
        f"kmeans{n}": {"method": "kmeans", "n_init": 5, "repeats": n + 1} for n in range(CLUSTERERS)
    }
    config["baseline"]["clusterer"] = "kmeans0"
    config["studies"] = {
        "thousand": {
            "vary": {
                "layer": ["fire5_avg", "fire9_avg"],
                "n_components": list(range(1, COMPONENTS + 1)),
                "whiten": [True, False],
                "clusterer": list(config["clusterers"]),
            },
            "design": "product",
        }
    }
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    project.let_jobs_be_disturbed()
    return project


def count_calls(project: SlurmProject) -> dict[str, str]:
    """An environment in which each of SLURM's commands enters its name into calls.txt before it runs, and each job its
    processor time into times/NUMBER when it ends."""
    shims, times = project.folder / "shims", project.folder / "times"
    shims.mkdir()
    times.mkdir()
    for command in filter(shutil.which, COMMANDS):
        shim = shims / command
        first = TIMED.format(times=times) if command == "sbatch" else ""
        shim.write_text(
            f'#!/bin/sh\necho {command} >>{project.folder}/calls.txt\n{first}exec {shutil.which(command)} "$@"\n'
        )
        shim.chmod(0o755)
    return {**project.environment(), "PATH": f"{shims}:{os.environ['PATH']}"}


def run_for(project: SlurmProject, minutes: float, *arguments: str) -> float:
    """Runs, stopped when the time is over; the seconds until the first job ran."""
    start = time.time()
    with open(project.folder / "said.txt", "wb") as said:
        running = subprocess.Popen(
            project.command(*arguments), cwd=project.folder, env=count_calls(project), stdout=said, stderr=said
        )
        first = 0.0
        while running.poll() is None and time.time() < start + 60 * minutes:
            first = first or (time.time() - start if any((project.results / "logs").rglob("*.log")) else 0.0)
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        running.wait()
    return first


def seconds_of_groups(project: SlurmProject) -> list[float]:
    """Processor seconds of each group of cells that came to its end, starts of Snakemake included."""
    ended = {path.name: path.read_text() for path in (project.folder / "times").glob("*")}
    groups = [ended.get(str(job.number)) for job in project.jobs_on_slurm() if job.what.startswith("rule_cells")]
    return [
        sum(60 * float(m) + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", times)) for times in groups if times
    ]


def tell(what: str, project: SlurmProject, first: float, start: float) -> None:
    minutes = (time.time() - start) / 60
    stages = Counter(log.partition("/")[0] for log in project.journal().elements())
    calls = (
        Counter((project.folder / "calls.txt").read_text().split()) if (project.folder / "calls.txt").exists() else {}
    )
    print(f"{what}: first job after {first:.1f} s; in {minutes:.1f} min {stages['scores']} cells", flush=True)
    print(f"  jobs that came to their end: {dict(stages)}")
    print(f"  calls of SLURM's commands a minute: { {name: round(n / minutes, 1) for name, n in calls.items()} }")
    submitted = project.jobs_on_slurm()
    print(f"  submitted: {dict(Counter(re.sub('_wildcards.*|_fire.*', '', job.what) for job in submitted))}")
    if seconds := seconds_of_groups(project) if submitted else []:
        print(f"  processor seconds of {len(seconds)} groups: {min(seconds):.1f} to {max(seconds):.1f}")
    columns = ("--states=all", "--noheader", "-O", "StartTime:|,EndTime:|,State:|,Comment:")
    print(run("squeue", *columns) if submitted else "", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fresh = study(Path(folder) / "fresh")
        for what, minutes, arguments in (
            ("SLURM", given.minutes, PROFILE),
            ("local", given.minutes / 4, ("--cores", "2")),
        ):
            project = fresh.copy(Path(folder) / what)
            start = time.time()
            tell(what, project, run_for(project, minutes, *arguments), start)


if __name__ == "__main__":
    main()
