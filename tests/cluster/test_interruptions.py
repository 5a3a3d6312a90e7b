"""Snakemake is stopped in the middle: what had ended well is not computed again, and the results are the same bytes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.slurm import SlurmProject, same_bytes, wait_until
from tests.workflow import ROOT

HANG = """
import time

if "/clusters/" in job and "/fire5_avg/" in job:
    time.sleep(600)
"""


@pytest.fixture
def halfway(tmp_path: Path, local: SlurmProject) -> Iterator[tuple[SlurmProject, subprocess.Popen[bytes]]]:
    """A run whose groups of one layer have ended well, and Snakemake knows it; those of the other hang."""
    project = local.clustered_again(tmp_path / "project")
    project.disturb(HANG)
    with project.started_on_slurm() as running:
        wait_until(lambda: project.said().count("Finished jobid") >= 8 or running.poll() is not None, 1200)
        assert running.poll() is None, project.said()
        yield project, running


def finish(project: SlurmProject, local: SlurmProject) -> None:
    """Runs again, undisturbed: all that Snakemake had recorded stays, and the results are those of a smooth run."""
    before = project.journal()
    assert sum(before.values()) == 8
    project.leave_in_peace()
    project.run_on_slurm()
    after = project.journal()
    assert {log: after[log] for log in before} == before
    assert len(after) == 2 * 8 + 4  # tables, the figure and the methods
    same_bytes(project, local)


def test_after_ctrl_c_no_job_is_left_and_the_next_run_makes_the_rest(halfway, local):
    project, running = halfway
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=600) != 0
    wait_until(lambda: not any(job.lives for job in project.jobs_on_slurm()))
    finish(project, local)


def test_after_a_kill_make_recover_cancels_and_unlocks_and_the_next_run_makes_the_rest(halfway, local):
    project, running = halfway
    running.kill()
    running.wait()
    assert [job.state for job in project.jobs_on_slurm() if job.lives] == ["RUNNING", "RUNNING"]
    assert "--unlock" in project.slurm().stderr
    recover = ["make", f"--file={ROOT / 'Makefile'}", "recover", f"SLURM_BIN={Path(sys.executable).parent}"]
    subprocess.run(recover, cwd=project.folder, env=project.environment(), check=True)
    assert not any(job.lives for job in project.jobs_on_slurm())
    finish(project, local)
