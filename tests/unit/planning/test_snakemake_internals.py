"""The uses of Snakemake's internals, tested in a run of the pinned version."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
SNAKEFILE = """
import atexit, json
from pathlib import Path
from workflow_scripts.planning.snakemake_internals import Run, own_file

run = Run(workflow)
source = own_file(workflow, "../project/numbers.yaml")


def say():
    Path("is_cluster_job.txt").write_text(str(run.is_cluster_job))
    if run.is_main_process:
        said = {"is_dry": run.is_dry, "is_own": run.is_own, "began": run.began, "everything": run.makes_everything}
        said |= {"for_last": run.is_for("last"), "source": source, "folder": run.folder}
        if not run.began:
            said |= {"unknown": run.unknown_targets}
        else:
            said |= {"limited": workflow.scheduler.job_rate_limiter is not None}
            said |= {"leaves_out": run.leaves_out, "finished": run.is_finished, "failed": run.failed}
            said |= {"jobs": [vars(job) for job in run.needed_jobs()], "logs": sorted(run.logs())}
        Path("said.json").write_text(json.dumps(said))


atexit.register(say)


def react(done, total):
    left = [job.rule for job in run.jobs_left()]
    with open("progress.txt", "a") as file:
        print(done, total, *sorted(left), file=file)
    raise OSError("an error that must not end the run")


onstart:
    run.on_progress(react)
    run.look_for_jobs_only_when_one_ends()


rule all:
    input: "a.last"


rule last:
    input: "{name}.first"
    output: "{name}.last"
    log: "{name}.log"
    resources: mem_mb=lambda wildcards, attempt: 70 * attempt, runtime=2
    benchmark: "{name}.tsv"
    shell: "cp {input} {output}"


rule first:
    output: "{name}.first", "{name}.second"
    shell: "test {wildcards.name} = a && touch {output}"
"""
NO_LIMITS = {"megabytes": 0, "minutes": 0}
JOBS = [
    {"rule": "all", "wildcards": {}, "outputs": [], "benchmark": "", "threads": 1, **NO_LIMITS},
    {
        **{"rule": "last", "wildcards": {"name": "a"}, "outputs": ["a.last"], "benchmark": "a.tsv"},
        **{"threads": 1, "megabytes": 70, "minutes": 2},
    },
    {
        **{"rule": "first", "wildcards": {"name": "a"}, "outputs": ["a.first", "a.second"], "benchmark": ""},
        **{"threads": 1, **NO_LIMITS},
    },
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "project" / "numbers.yaml").touch()
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def _said(folder, *arguments, snakefile="../project/Snakefile"):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", snakefile, *arguments]
    subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True)
    return json.loads((folder / "said.json").read_text())


def test_the_pinned_version_is_the_least_that_the_workflow_takes():
    pinned = re.search(r'"snakemake==([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert f'min_version("{pinned}")' in (ROOT / "Snakefile").read_text()
    assert version("snakemake") == pinned


def test_a_dry_run(folder):
    said = _said(folder, "-n")
    assert said.pop("jobs") == JOBS
    assert said == {
        **{"folder": str(folder), "leaves_out": None, "finished": True},
        **{"is_dry": True, "is_own": True, "began": True, "everything": True, "for_last": False},
        **{"source": "../project/numbers.yaml", "failed": [], "logs": ["a.log"], "limited": False},
    }


def test_a_run_to_the_end_and_one_of_a_target(folder):
    said = _said(folder)
    assert not said["is_dry"]
    assert said["finished"]
    assert (folder / "a.last").is_file()
    assert (folder / "progress.txt").read_text().splitlines() == ["1 3 all first last", "2 3 all last", "3 3 all"]
    said = _said(folder, "--forceall", "-n", "a.last", "--until", "first")
    assert not said["everything"]
    assert said["leaves_out"] == "--until"
    assert not said["for_last"]


@pytest.mark.parametrize(("mode", "expected"), [("default", "False"), ("remote", "True")])
def test_a_job_on_a_cluster_knows_it(folder, mode, expected):
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", "../project/Snakefile", "--mode", mode]
    subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, check=True)
    assert (folder / "is_cluster_job.txt").read_text() == expected


@pytest.mark.parametrize(("option", "limited"), [((), False), (("--max-jobs-per-timespan", "99/1s"), True)])
def test_only_a_limit_of_starts_that_the_user_gives_stays(folder, option, limited):
    said = _said(folder, *option)
    assert said["finished"]
    assert said["limited"] is limited


def test_a_failed_job_is_named(folder):
    said = _said(folder, "b.last")
    assert len(said["failed"]) == 1
    assert not said["finished"]
    assert "first" in said["failed"][0]


def test_a_mistake_is_no_run(folder):
    said = _said(folder, "nowhere", "study_a-b.c", "last", "no/where")
    assert not said["began"]
    assert said["unknown"] == ["nowhere", "study_a-b.c"]


RECORDS = """
from workflow_scripts.planning.snakemake_internals import Run

Run(workflow).leave_out_of_records("parts")
parts = [f"{number}.part" for number in range(config["parts"])]
others = [f"{number}.other" for number in range(config["others"])]


rule whole:
    input: others, parts=parts
    output: "whole"
    shell: "touch {output}"


rule part:
    output: temp("{name}.part")
    shell: "touch {output}"


rule other:
    output: "{name}.other"
    shell: "touch {output}"
"""


def test_inputs_that_are_not_recorded_make_nothing_run_again_and_others_do(folder):
    (folder / "Snakefile").write_text(RECORDS)

    def run(parts, others):
        config = ("--config", f"parts={parts}", f"others={others}")
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *config]
        done = subprocess.run(
            command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
        )
        assert done.returncode == 0
        return set(re.findall(r"^(?:local)?rule (\w+):", done.stderr, re.MULTILINE))

    assert run(2, 1) == {"whole", "part", "other"}
    assert run(3, 1) == run(0, 1) == run(2, 1) == set()
    assert run(3, 2) == {"whole", "part", "other"}
    assert not list(folder.glob("*.part"))


def test_names_in_another_workflow_are_those_that_it_gives(folder):
    (folder / "Snakefile").write_text(
        'module ours:\n    snakefile: "../project/Snakefile"\nuse rule * from ours as our_*\n'
    )
    said = _said(folder, "-n", "our_last", "a.last", snakefile="Snakefile")
    assert not said["is_own"]
    said = _said(folder, "-n", "our_all", snakefile="Snakefile")
    assert [job["rule"] for job in said["jobs"]] == ["our_all", "our_last", "our_first"]
