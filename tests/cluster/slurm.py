"""A project whose jobs go to SLURM, what SLURM knows of them, and how a test disturbs them."""

import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.workflow import Project

PROFILE = ("--workflow-profile", "profiles/slurm")
OFTEN = ("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1")
"""The profile as users have it, but asking more often, for this cluster has nothing else to do."""
JOURNAL = "jobs.txt"
DISTURBANCE = "disturb.py"
LIVING = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING"}


def _heed_ctrl_c() -> None:
    """As in a terminal: tests that run in the background of a shell inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True)
class SlurmJob:
    """A job as squeue tells it, ended or not."""

    number: int
    partition: str
    state: str
    gpus: int
    memory: str
    cores: int
    minutes: str
    what: str
    """`rule_...` or `rule_cells_...` with the wildcards."""

    @classmethod
    def of(cls, number: str, partition: str, state: str, asked: str, memory: str, cores: str, *rest: str) -> Self:
        gpus = re.search(r"gpu:(\d+)", asked)
        return cls(int(number), partition, state, int(gpus[1]) if gpus else 0, memory, int(cores), *rest)

    @property
    def lives(self) -> bool:
        return self.state in LIVING


@dataclass(frozen=True)
class Ended:
    """A job of Snakemake that came to its end: its log's name below `logs/`, its times, and whether srun started it."""

    log: str
    begin: float
    end: float
    started_by_srun: bool

    @classmethod
    def read(cls, line: str) -> Self:
        begin, end, by_srun, path = line.split(" ", 3)
        return cls(path.partition("/logs/")[2], float(begin), float(end), by_srun == "True")


def slurm_jobs(folder: Path) -> list[SlurmJob]:
    """All jobs that were submitted from a folder, in the order of their submission."""
    columns = "JobID:|,Partition:|,State:|,tres-per-job:|,MinMemory:|,NumCPUs:|,TimeLimit:|,Comment:|,WorkDir:"
    said = run("squeue", "--states=all", "--noheader", "-O", columns)
    rows = [[cell.strip() for cell in line.split("|")] for line in said.splitlines()]
    jobs = [SlurmJob.of(*row[:-1]) for row in rows if row[-1] == str(folder)]
    return sorted(jobs, key=lambda job: job.number)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_until(what: Callable[[], object], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.2)


class SlurmProject(Project):
    """A copy of the project whose jobs keep a journal, and can be disturbed without changing what they compute."""

    @property
    def results(self) -> Path:
        return self.folder / "results" / "small"

    def let_jobs_be_disturbed(self) -> None:
        """Each job runs `disturb.py` first, if there is one, and enters its log's name into the journal at its end.

        The frame of jobs is no part of the digest of their code: neither makes a result stale.
        """
        frame = self.folder / "workflow_scripts" / "runlog.py"
        frame.write_text(
            frame.read_text()
            + f"""

_undisturbed = job


@contextmanager
def job(log_path: str) -> Iterator[logging.Logger]:
    import os
    import time
    from pathlib import Path

    begin = time.time()
    if (disturbance := Path({DISTURBANCE!r})).exists():
        exec(disturbance.read_text(), {{"job": log_path}})
    with _undisturbed(log_path) as log:
        yield log
    with open({JOURNAL!r}, "a") as journal:
        journal.write(f"{{begin}} {{time.time()}} {{'SLURM_STEP_ID' in os.environ}} {{log_path}}\\n")
"""
        )

    def disturb(self, code: str) -> None:
        """Python that every job runs before it begins; it knows its log's name as `job`."""
        (self.folder / DISTURBANCE).write_text(code)

    def leave_in_peace(self) -> None:
        (self.folder / DISTURBANCE).unlink()

    def clustered_again(self, folder: Path) -> Self:
        """A copy in which everything after the decompositions has to be made again."""
        project = self.copy(folder)
        for stage in ("clusters", "scores", "tables", "figures"):
            shutil.rmtree(project.results / stage)
        (project.folder / JOURNAL).unlink()
        return project

    def journal(self) -> Counter[str]:
        """How often each job came to its end, by the name of its log below `logs/`."""
        return Counter(job.log for job in self.ended())

    def ended(self) -> list["Ended"]:
        """The jobs that came to their end, in this order."""
        path = self.folder / JOURNAL
        return [Ended.read(line) for line in path.read_text().splitlines()] if path.exists() else []

    def slurm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.snakemake(*PROFILE, *OFTEN, *arguments)

    def run_on_slurm(self, *arguments: str) -> str:
        done = self.slurm(*arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    @contextmanager
    def started_on_slurm(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Snakemake at work; killed at the end if it still is."""
        with open(self.folder / "said.txt", "wb") as said:
            command = self.command(*PROFILE, *OFTEN, *arguments)
            place = {"cwd": self.folder, "env": self.environment(), "stdout": said, "stderr": said}
            process = subprocess.Popen(command, **place, preexec_fn=_heed_ctrl_c)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def jobs_on_slurm(self) -> list[SlurmJob]:
        return slurm_jobs(self.folder)


TIMED = ("report", "ro-crate")
"""How the names of files begin that hold the times of other files."""


def same_bytes(one: Project, other: Project) -> None:
    """Asserts that two runs made the same files, apart from logs, benchmarks, files with times and hidden ones."""
    ours, theirs = (_contents(project.folder / "results" / "small") for project in (one, other))
    assert ours.keys() == theirs.keys()
    assert len(ours) > 40
    different = [name for name in ours if ours[name] != theirs[name]]
    assert different == []


def _contents(root: Path) -> dict[str, bytes]:
    names = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in names.items()
        if not name.startswith(("logs/", "benchmarks/", *TIMED)) and not path.name.startswith(".")
    }
