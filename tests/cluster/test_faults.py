"""What goes wrong on a cluster, one fault at a time: nothing that had ended well is computed again, and the tables are the same."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster.slurm import SlurmProject, run, same_bytes, wait_until
from tests.workflow import ROOT

SLOW = "fire5_avg"
QUICK = "fire9_avg"


def jobs_of(project: SlurmProject, clusterer: str, layer: str = QUICK) -> list:
    return [job for job in project.jobs_on_slurm() if f"cells_{layer}_{clusterer}_" in job.what]


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory, local: SlurmProject) -> SlurmProject:
    """One run in which one group's job fails, another's is cancelled, and a third's is too slow, each at its first try."""
    project = local.copy(tmp_path_factory.mktemp("disturbed") / "project")
    for stage in ("clusters", "scores", "tables", "figures"):
        for file in (project.results / stage).rglob("*.*"):
            file.unlink()
    project.forget_jobs()
    project.disturb(
        f"""
import os, sys, time
def first_time(name):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
if "/logs/scores/" in job and "{QUICK}/pca20/kmeans." in job and first_time("failed"):
    sys.exit("Error: this fails once")
if "/logs/clusters/" in job and "{QUICK}/pca5/by_k." in job and first_time("waits"):
    time.sleep(600)
if "/logs/clusters/" in job and "{SLOW}/pca5/kmeans." in job and first_time("slow"):
    time.sleep(600)
"""
    )
    # SLURM counts in minutes. Four jobs in a group: a quarter of a minute each would be nothing.
    limits = [f"{rule}:runtime={minutes}*attempt" for rule, minutes in (("cluster", "1"), ("score", "1"))]
    with project.started_on_slurm(
        "--set-resources", *limits, *(f"{rule}:turn=1" for rule in ("cluster", "score"))
    ) as running:
        wait_until((project.folder / "waits").exists)
        (cancelled,) = jobs_of(project, "by_k")
        run("scancel", str(cancelled.number))
        assert running.wait(timeout=600) == 0, project.said()
    return project


def states(project: SlurmProject, clusterer: str, layer: str = QUICK) -> list[str]:
    return [job.state for job in jobs_of(project, clusterer, layer)]


def test_a_job_that_fails_once_is_submitted_again(disturbed):
    assert states(disturbed, "kmeans") == ["FAILED", "COMPLETED"]


def test_a_cancelled_job_is_submitted_again(disturbed):
    assert states(disturbed, "by_k") == ["CANCELLED", "COMPLETED"]


def test_a_job_past_its_time_is_submitted_again_with_more(disturbed):
    slow = jobs_of(disturbed, "kmeans", SLOW)
    assert [job.state for job in slow] == ["TIMEOUT", "COMPLETED"]
    assert [job.minutes for job in slow] == ["4:00", "8:00"]


def test_what_was_not_disturbed_ran_once(disturbed):
    assert states(disturbed, "by_k", SLOW) == ["COMPLETED"]


def test_tables_are_the_same_after_all_that(disturbed, local):
    same_bytes(disturbed, local)


@pytest.fixture
def halfway(clustered: SlurmProject):
    """A run of which one group has ended well and another is in its middle: its first clustering is made, a job hangs."""
    clustered.disturb(f'import time\nif "/logs/clusters/" in job and "{SLOW}/pca20/" in job:\n    time.sleep(600)')
    with clustered.started_on_slurm() as running:

        def is_halfway() -> bool:
            ended = re.findall(r"Finished jobid: \d+ \(Group: cells_fire9_avg_\w+\)|Finished jobs?.*", clustered.said())
            hanging = [job for job in clustered.jobs_on_slurm() if SLOW in job.what and job.state == "RUNNING"]
            done = [job for job in clustered.jobs_on_slurm() if QUICK in job.what and job.state == "COMPLETED"]
            return bool(ended) and len(hanging) == 2 and len(done) == 2

        wait_until(is_halfway, 300)
        yield clustered, running


def finish(project: SlurmProject, local: SlurmProject) -> None:
    """Runs again; nothing of the quick groups may run twice, and the results are those of an undisturbed run."""
    before = project.journal()
    project.leave_in_peace()
    project.run_on_slurm()
    again = [log for log, times in project.journal().items() if log in before and times > before[log]]
    assert not any(QUICK in log for log in again), again
    same_bytes(project, local)


def test_after_ctrl_c_no_job_is_left_and_the_rest_is_made(halfway, local):
    project, running = halfway
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) != 0
    wait_until(lambda: not any(job.lives for job in project.jobs_on_slurm()))
    finish(project, local)


def test_after_a_kill_jobs_live_on_until_make_recover(halfway, local):
    project, running = halfway
    running.kill()
    running.wait()
    assert any(job.lives for job in project.jobs_on_slurm())
    assert "Unlock" in project.slurm("-n", "--nolock").stderr or project.slurm().returncode != 0  # locked
    subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), "recover", f"SLURM_BIN={Path(os.sys.executable).parent}"],
        cwd=project.folder,
        env=project.environment(),
        check=True,
    )
    assert not any(job.lives for job in project.jobs_on_slurm())
    finish(project, local)
