"""The imports of jobs of which there are many, because each import takes time in every job."""

import ast
import subprocess
import sys

import pytest

from tests.jobs import CELL, write_data
from workflow_scripts.settings.clusterers.kmeans import KMeans

HEAVY = ("sklearn", "pandas", "torch", "matplotlib", "scipy.stats", "scipy.optimize")
FIGURES = ("embedding", "nuisances", "restarts_enough")


def imported(code, *arguments):
    """Return which of `HEAVY` are imported after a process has run `code`."""
    code += f"; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", code, *arguments]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(ast.literal_eval(printed))


@pytest.fixture
def jobs(tmp_path):
    """Return the arguments of `run_job` for the two jobs of a cell."""
    folder = str(tmp_path)
    files = {**write_data(folder, 60, 5), "clusters": f"{folder}/clusters.h5"}
    settings = {"clusterer": KMeans(k=[3], n_init=5, repeats=2).dump(), "n_components": None, "whiten": False}
    scores = {name: f"{folder}/{name}.parquet" for name in ("scores", "classes")}
    return {
        "cluster": ("cluster", files, {"clusters": files["clusters"]}, settings, folder),
        "score": ("score", files, scores, {"cell": CELL}, folder),
    }


def test_the_jobs_of_a_cell_import_what_they_use(jobs):
    found = {
        name: imported(f"import snakemake.script; from tests.jobs import run_job; run_job(*{job})")
        for name, job in jobs.items()
    }
    assert found == {"cluster": set(), "score": {"scipy.optimize"}}


def test_figures_import_what_they_use():
    code = "; ".join(f"import workflow_scripts.figures.{name}" for name in FIGURES)
    assert imported(code) == {"pandas", "matplotlib"}
