"""The workflow as a module of another one, in a folder of its own, with a study that names published numbers."""

import re
import shutil

import pytest

from tests.workflow import Project

IMPORTER = """
configfile: "study.yaml"


module clustergrid:
    snakefile:
        "{folder}/Snakefile"
    config:
        config


use rule * from clustergrid as clustergrid_*


rule everything:
    default_target: True
    input:
        rules.clustergrid_all.input,
"""


@pytest.fixture
def importer(tmp_path, fresh):
    folder = tmp_path / "importer"
    folder.mkdir()
    (folder / "Snakefile").write_text(IMPORTER.format(folder=fresh.folder))
    shutil.copy2(fresh.folder / "config" / "config.yaml", folder / "study.yaml")
    shutil.copytree(fresh.folder / "pictures", folder / "pictures")
    return Project(folder)


def test_the_plan_is_that_of_the_workflow_itself(importer, fresh):
    plans = [done.stderr.rpartition("Plan for")[2] for done in (importer.snakemake("-n"), fresh.snakemake("-n"))]
    without_disk = [re.sub(r"disk .*", "", plan) for plan in plans]
    assert without_disk[0] == without_disk[1]
    assert re.search(r"restarts of k-means [1-9]", plans[0])


def test_published_numbers_are_those_of_the_workflows_own_folder(importer, fresh):
    said = importer.snakemake("-n", "--printshellcmds", "results/small/tables/reproduction.parquet")
    assert said.returncode == 0, said.stderr[-3000:]
    published = re.search(r"(\S+config/published/cohn\.yaml)", said.stdout + said.stderr)
    assert (importer.folder / published[1]).resolve() == fresh.folder / "config" / "published" / "cohn.yaml"


def test_a_job_of_the_module_runs(importer):
    assert "Images: 60 taken in" in importer.run("results/small/manifest.csv")
    assert (importer.folder / "results" / "small" / "manifest.csv").is_file()
    assert not (importer.folder / "results" / "small" / "report.html").exists()


def test_the_snakefile_of_the_catalog_makes_the_same(fresh):
    ours, catalogs = (fresh.jobs(*arguments) for arguments in ((), ("--snakefile", "workflow/Snakefile")))
    assert catalogs - ours == {"everything": 1}
    assert ours - catalogs == {"all": 1}


def test_housekeeping_says_no_plan(importer):
    assert "Plan for" not in importer.snakemake("-n", "clustergrid_prune").stderr
