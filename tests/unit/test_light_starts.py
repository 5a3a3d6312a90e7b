"""The imports of jobs of which there are many, because each import takes time in every job."""

import ast
import subprocess
import sys

import pytest

HEAVY = ("sklearn", "pandas", "torch", "matplotlib", "scipy.stats", "scipy.optimize")
IMPORTS = {
    "cluster": ("io.points, workflow_scripts.io.runs, workflow_scripts.clusterers.kmeans", set()),
    "score": ("io.cells, workflow_scripts.metrics.table", {"pandas"}),
    "figure": (
        "figures.embedding, workflow_scripts.figures.nuisances, workflow_scripts.figures.restarts_enough",
        {"pandas", "matplotlib"},
    ),
}


@pytest.mark.parametrize("job", IMPORTS)
def test_a_job_imports_what_it_uses(job):
    modules, allowed = IMPORTS[job]
    code = f"import sys, workflow_scripts.{modules}; print([name for name in {HEAVY} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(ast.literal_eval(printed)) == allowed
