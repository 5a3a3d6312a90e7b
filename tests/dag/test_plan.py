"""What the terminal says around a run: the plan, mistakes in one line before any job, and where to look."""

import re

import pytest

from tests.conftest import SAID

CONFIG = "config/config.yaml"


def test_the_dry_run_ends_with_the_plan(fresh):
    said = fresh.snakemake("-n")
    plan = (said.stdout + said.stderr).rpartition("Plan for")[2]
    assert re.search(r"cluster +9 +[\d.]+ [MG]B +\d+ min\n", plan)
    assert re.search(r"features +2\b", plan)
    # Four cells of 3 repeats x 20, four of three k as many, one of 50.
    assert re.search(r"restarts of k-means ([\d,]+)", plan).group(1) == f"{4 * 60 + 4 * 3 * 60 + 50:,}"
    assert re.search(r"disk about [\d.]+ [KMG]B, [\d.]+ [KMGT]B free", plan)
    assert re.search(r"  time (unknown before|about [\d.]+ (s|min) on) ", plan)


# One mistake in values, in the file, and in the folder of images; all others are in tests/unit/settings.
@pytest.mark.parametrize(
    ("old", "new", "key", "allowed"),
    [
        ("k: [3, 4, 5]", "k: [3, four]", "clusterers.by_k.k", "four"),
        ("  clahe: [grey", "  plain: [grey", "Error: config/config.yaml, line ", "plain"),
        ("data: pictures", "data: no/such/folder", "data", "no/such/folder"),
    ],
)
def test_a_mistake_is_one_line_before_any_job(tmp_path, fresh, old, new, key, allowed):
    project = fresh.copy(tmp_path / "project")
    project.edit(CONFIG, old, new)
    done = project.snakemake("--cores", "1")
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.returncode != 0
    assert len(errors) == 1
    assert key in errors[0]
    assert allowed in errors[0]
    assert "Traceback" not in done.stderr
    assert not (project.folder / "results" / "small" / "images.csv").exists()


def test_the_end_says_where_to_look(project):
    said = (project.folder / SAID).read_text()
    assert "60 taken in, 0 rejected" in said
    assert "results/small/report.html" in said
    again = project.run()
    assert "60 taken in, 0 rejected" in again
    assert "results/small/report.html" in again


def test_too_little_disk_ends_the_run_before_it_starts(tmp_path, fresh):
    project = fresh.copy(tmp_path / "project")
    project.edit("workflow_scripts/planning/plan.py", "FIGURE_BYTES = 2_000_000", "FIGURE_BYTES = 10**18")
    done = project.snakemake("--cores", "1")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if line.startswith("Error: disk of results/")]
    assert not (project.folder / "results" / "small" / "images.csv").exists()
