"""The expected time of jobs, from benchmarks as Snakemake writes them."""

from types import SimpleNamespace

import pytest

from workflow_scripts.planning import durations
from workflow_scripts.planning.durations import MOST_OF_THE_TIME, SECONDS_BETWEEN_LINES, expected_time, say_time_left
from workflow_scripts.planning.snakemake_internals import Job

HEADER = "s\th:m:s\tmax_rss\n"


@pytest.fixture
def job(tmp_path):
    """Return a function that makes a job, and the benchmark of its last run if `took` is given."""

    def made(name, took=None, threads=1):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        if took is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{HEADER}{took}\t0:00:01\t57.9\n")
        return Job("rule", {}, (), str(path), threads, 0, 0)

    return made


def test_jobs_take_as_long_as_in_their_last_run_shared_by_the_cores(job):
    jobs = [job(f"scores/{number}", took=20) for number in range(6)]
    assert expected_time(jobs, cores=2) == "about 60 s on 2 cores, by earlier jobs"
    assert expected_time(jobs, cores=1) == "about 2 min on 1 core, by earlier jobs"
    assert expected_time(jobs, cores=None) == "about 2 min of jobs, by earlier jobs"


def test_a_job_with_all_cores_keeps_all_busy_and_the_longest_one_has_no_help(job):
    assert expected_time([job("a", 30, threads=2), job("b", 40)], 2) == "about 50 s on 2 cores, by earlier jobs"
    assert expected_time([job("c", 7200), job("d", 60)], 8) == "about 2.0 h on 8 cores, by earlier jobs"


def test_a_job_that_never_ran_takes_the_mean_of_its_stage(job):
    for name, took in {"clusters/plain/one": 10, "clusters/clahe/other": 30, "scores/one": 500}.items():
        job(name, took)
    new = [job("clusters/clahe/new"), job("figures/new")]
    assert expected_time(new, 4) == "at least 20 s on 4 cores, by earlier jobs (nothing is known of 1 of 2 jobs)"


def test_a_data_set_called_benchmarks_has_stages_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for stage, took in {"clusters": 10, "scores": 500}.items():
        path = tmp_path / "results" / "benchmarks" / "benchmarks" / stage / "old.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(f"{HEADER}{took}\t0:00:01\t57.9\n")
    new = Job("rule", {}, (), "results/benchmarks/benchmarks/clusters/new.tsv", 1, 0, 0)
    assert expected_time([new], 1) == "about 10 s on 1 core, by earlier jobs"


def test_before_a_first_run_no_time_is_known(job, tmp_path):
    assert expected_time([], 2) == "0 s"
    assert expected_time([job("a")], 2) == "unknown before a first run"
    cut_short = job("b", took=1)
    (tmp_path / "benchmarks" / "b.tsv").write_text(HEADER)
    assert expected_time([cut_short], 2) == "unknown before a first run"


class Running:
    """A run of two jobs, of which some have ended."""

    cores = 1

    def __init__(self, jobs):
        self.jobs = jobs

    def jobs_left(self):
        return self.jobs

    def on_progress(self, react):
        self.react = react


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(durations, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_the_time_left_is_said_now_and_then_and_not_at_the_end(job, capsys, clock):
    run = Running([job("scores/a"), job("scores/b")])
    say_time_left(run)
    run.react(0, 2)
    assert not capsys.readouterr().err
    clock.seconds = SECONDS_BETWEEN_LINES
    run.react(0, 2)
    run.react(0, 2)
    assert capsys.readouterr().err == "0 of 2 jobs done; time left: unknown before a first run\n"
    job("scores/a", took=30)
    run.jobs.pop(0)
    clock.seconds *= 2
    run.react(1, 2)
    assert capsys.readouterr().err == "1 of 2 jobs done; time left: about 30 s on 1 core, by earlier jobs\n"
    clock.seconds *= 2
    run.react(2, 2)
    assert not capsys.readouterr().err


def test_where_finding_the_time_left_is_slow_it_is_said_more_rarely(capsys, clock, monkeypatch):
    def slow(jobs, cores):
        clock.seconds += 10
        return "unknown"

    monkeypatch.setattr(durations, "expected_time", slow)
    run = Running([])
    say_time_left(run)
    clock.seconds = SECONDS_BETWEEN_LINES
    run.react(1, 9)
    assert capsys.readouterr().err
    clock.seconds = SECONDS_BETWEEN_LINES + 0.9 * 10 / MOST_OF_THE_TIME
    run.react(2, 9)
    assert not capsys.readouterr().err
    clock.seconds = SECONDS_BETWEEN_LINES + 10 / MOST_OF_THE_TIME
    run.react(3, 9)
    assert capsys.readouterr().err
