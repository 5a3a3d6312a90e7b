"""The exit code, the terminal output and the log of a job's process."""

import subprocess
import sys
from pathlib import Path

import pytest

from workflow_scripts import runlog

ROOT = Path(runlog.__file__).parent.parent


@pytest.fixture
def job(tmp_path):
    """Return a function that runs the body of a job in another process; it returns the process and the log."""

    def run(body: str) -> tuple[subprocess.CompletedProcess[str], str]:
        lines = [
            "import sys, warnings",
            "from workflow_scripts.errors import UserError",
            "from workflow_scripts import runlog",
        ]
        code = "\n".join(
            [*lines, "with runlog.job(sys.argv[1]) as log:", *(f"    {line}" for line in body.splitlines())]
        )
        log = tmp_path / "job.log"
        log.write_text("of the run before\n")
        command = [sys.executable, "-c", code, str(log)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False), log.read_text()

    return run


def test_a_job_that_ends_well_says_nothing_on_the_terminal(job):
    ended, log = job("log.info('42 images')\nwarnings.warn('old weights')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert "INFO 42 images" in log
    assert "old weights" in log
    assert "of the run before" not in log


def test_a_users_mistake_is_one_line_and_exit_code_1(job):
    ended, log = job("raise UserError('config: k: found 61, allowed: at most 60')")
    assert ended.returncode == 1
    assert ended.stderr == "Error: config: k: found 61, allowed: at most 60\n"
    assert "ERROR config: k: found 61" in log
    assert "Traceback" not in log


def test_an_unexpected_failure_has_its_traceback_in_the_log_only(job, tmp_path):
    ended, log = job("def broken():\n    return 1 / 0\nbroken()")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert str(tmp_path / "job.log") in ended.stderr
    assert "Traceback" in log
    assert "in broken" in log
    assert "ZeroDivisionError" in log


def test_an_exit_code_of_the_job_itself_passes(job):
    assert job("sys.exit(3)")[0].returncode == 3


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that a test sets."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(runlog.time, "monotonic", lambda: Clock.now)
    return Clock


def test_progress_every_few_seconds_with_the_rate_since_the_start(clock, capsys, caplog):
    caplog.set_level("INFO")
    report = runlog.progress("features", "images")
    for seconds, done in ((1, 10), (4, 40), (10, 200), (11, 220), (14, 260), (20, 500)):
        clock.now = 100.0 + seconds
        report(done, 1000)
    expected = ["features: 200 of 1000 images, 20 images/s", "features: 500 of 1000 images, 25 images/s"]
    assert capsys.readouterr().err.splitlines() == expected
    assert [record.getMessage() for record in caplog.records] == expected


def test_progress_of_two_jobs_does_not_mix(clock, capsys):
    first = runlog.progress("a", "images")
    clock.now += 6
    second = runlog.progress("b", "restarts")
    second(1, 2)
    first(6, 12)
    assert capsys.readouterr().err == "a: 6 of 12 images, 1 images/s\n"
