"""Run every job of a small study, then again with kills at random moments, and print what is not the same as JSON.

Usage, in a folder with `config.yaml` and the images: python -m tests.faults.killing KILLS SEED

Jobs run in forks of this process, which has imported the libraries, so that a kill costs no new start. What Snakemake
does around a job is done here too: old outputs are deleted before it starts.
"""

import contextlib
import json
import os
import random
import runpy
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import openTSNE  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.cluster  # noqa: F401
import torch  # noqa: F401
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, ResourceSettings

from tests.workflow import ROOT
from workflow_scripts.backbones.torchvision_import import torchvision  # noqa: F401

REFERENCE, KILLED = Path("reference"), Path("killed")
Job = Any


def jobs() -> list[Job]:
    """Return the jobs of the study that run a script, in an order in which they can run."""
    config, resources = ConfigSettings(configfiles=[Path("config.yaml")]), ResourceSettings(cores=1)
    with SnakemakeApi() as api, contextlib.redirect_stdout(sys.stderr):
        started = api.workflow(resources, config_settings=config, snakefile=ROOT / "Snakefile")
        started.dag(DAGSettings())
        workflow = started._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        levels = list(workflow.dag.toposorted())
    return [job for level in levels for job in sorted(level, key=str) if job.rule.script]


def start(job: Job) -> int:
    """Start a job in another process and return the number of that process."""
    for path in [*job.output, *job.log]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).unlink(missing_ok=True)
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        script = ROOT / "workflow_scripts" / "jobs" / Path(job.rule.script).name
        names = ("input", "output", "params", "wildcards", "log", "threads", "resources")
        snakemake = SimpleNamespace(**{name: getattr(job, name) for name in names})
        runpy.run_path(str(script), init_globals={"snakemake": snakemake})
        code = 0
    except SystemExit as ended:
        print(job, ended, file=sys.stderr)
    finally:
        os._exit(code)


def finish(job: Job, process: int) -> None:
    """Wait for a job; raises `RuntimeError` if it failed."""
    if os.waitpid(process, 0)[1]:
        raise RuntimeError(f"{job} failed")


def kill(job: Job, seconds: float) -> None:
    """Start a job and kill it after `seconds`, or earlier if it has ended by then."""
    while not killed(job, seconds):
        seconds /= 2


def killed(job: Job, seconds: float) -> bool:
    """Start a job and kill it, with the processes that it has started, after `seconds`; return whether it still ran."""
    process = start(job)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def differing(job: Job, may_lack: bool) -> Iterator[str]:
    """Yield the outputs of a job that differ from those of the undisturbed run; they may be absent if `may_lack`."""
    for path in map(Path, job.output):
        exists = (KILLED / path).exists()
        if exists != (REFERENCE / path).exists() and not (may_lack and not exists):
            yield f"{path} is there: {exists}"
        elif exists and (KILLED / path).read_bytes() != (REFERENCE / path).read_bytes():
            yield str(path)


def in_folder(folder: Path) -> Any:
    """Return a context in which jobs run on a copy of the images in `folder`."""
    folder.mkdir()
    shutil.copytree("images", folder / "images")
    return contextlib.chdir(folder)


def main(n_kills: int, seed: int) -> dict[str, Any]:
    """Return the numbers of jobs, rules and kills, and the outputs that were incomplete after a kill or differ."""
    order = jobs()
    seconds = []
    with in_folder(REFERENCE):
        for job in order:
            began = time.monotonic()
            finish(job, start(job))
            seconds.append(time.monotonic() - began)
    choose = random.Random(seed)
    of_job = [n_kills // len(order) + (number < n_kills % len(order)) for number in range(len(order))]
    choose.shuffle(of_job)
    incomplete, different = [], []
    with in_folder(KILLED):
        pass
    for job, kills, lasts in zip(order, of_job, seconds, strict=True):
        for _ in range(kills):
            with contextlib.chdir(KILLED):
                kill(job, choose.uniform(0, lasts))
            incomplete += differing(job, may_lack=True)
        with contextlib.chdir(KILLED):
            finish(job, start(job))
        different += differing(job, may_lack=False)
    rules = {job.rule.name for job in order}
    return {"jobs": len(order), "rules": len(rules), "kills": n_kills, "incomplete": incomplete, "different": different}


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
