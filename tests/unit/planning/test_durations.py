"""The expected time of jobs, from benchmarks as Snakemake writes them."""

import pytest

from workflow_scripts.planning.durations import expected_time
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
        return Job("rule", {}, (), str(path), threads)

    return made


def test_jobs_take_as_long_as_in_their_last_run_shared_by_the_cores(job):
    jobs = [job(f"scores/{number}", took=20) for number in range(6)]
    assert expected_time(jobs, cores=2) == "time about 60 s on 2 cores, by earlier runs"
    assert expected_time(jobs, cores=1) == "time about 2 min on 1 core, by earlier runs"
    assert expected_time(jobs, cores=None) == "time about 2 min of jobs, by earlier runs"


def test_a_job_with_all_cores_keeps_all_busy_and_the_longest_one_has_no_help(job):
    assert expected_time([job("a", 30, threads=2), job("b", 40)], 2) == "time about 50 s on 2 cores, by earlier runs"
    assert expected_time([job("c", 7200), job("d", 60)], 8) == "time about 2.0 h on 8 cores, by earlier runs"


def test_a_job_that_never_ran_takes_the_mean_of_its_stage(job):
    for name, took in {"clusters/plain/one": 10, "clusters/clahe/other": 30, "scores/one": 500}.items():
        job(name, took)
    new = [job("clusters/clahe/new"), job("figures/new")]
    assert (
        expected_time(new, 4)
        == "time about 20 s on 4 cores, by earlier runs; 1 of 2 jobs not counted, none ran like them"
    )


def test_a_data_set_called_benchmarks_has_stages_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for stage, took in {"clusters": 10, "scores": 500}.items():
        path = tmp_path / "results" / "benchmarks" / "benchmarks" / stage / "old.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(f"{HEADER}{took}\t0:00:01\t57.9\n")
    new = Job("rule", {}, (), "results/benchmarks/benchmarks/clusters/new.tsv", 1)
    assert expected_time([new], 1) == "time about 10 s on 1 core, by earlier runs"


def test_before_a_first_run_no_time_is_known(job, tmp_path):
    assert expected_time([job("a")], 2) == "time unknown before a first run"
    cut_short = job("b", took=1)
    (tmp_path / "benchmarks" / "b.tsv").write_text(HEADER)
    assert expected_time([cut_short], 2) == "time unknown before a first run"
