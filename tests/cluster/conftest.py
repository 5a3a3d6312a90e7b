"""The small study on a real SLURM: `make test-cluster` starts one, in the environment that has the plugin."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cluster.slurm import SlurmProject
from tests.workflow import ROOT

if not find_spec("snakemake_executor_plugin_slurm"):  # `make test` passes by
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> SlurmProject:
    """A copy of the project with the study as its configuration and nothing made yet."""
    project = SlurmProject.new(tmp_path_factory.mktemp("fresh") / "project")
    shutil.copytree(pictures, project.folder / "pictures")
    shutil.copy2(ROOT / "tests" / "cluster" / "study.yaml", project.folder / "config" / "config.yaml")
    project.let_jobs_be_disturbed()
    return project


@pytest.fixture(scope="session")
def local(finished: SlurmProject) -> SlurmProject:
    """The study, made on this machine without SLURM: what every other run has to equal."""
    return finished
