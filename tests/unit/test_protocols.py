"""The module of every registered method has the functions of its family, with their types."""

import subprocess
import sys

from tests.workflow import ROOT
from workflow_scripts.settings import Settings
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.preprocess import Step

FAMILIES = {"clusterers": Clusterer, "reduce": Decomposition, "preprocess": Step, "figures": Figure}
OF_SOME = {
    "clusterers.Resuming": ("dec", "temi", "turtle"),
    "clusterers.UsesKMeans": ("kmeans", "dec"),
    "reduce.Placing": ("autoencoder", "ica", "kernel_pca", "pca"),
}


def _checked(folder, wrong=""):
    """Run mypy on a file in which each module is taken for one of its family, and on the line `wrong`."""
    assert Settings
    lines = ["from collections.abc import Callable, Mapping", "import numpy as np"]
    for package, family in FAMILIES.items():
        lines.append(f"from workflow_scripts.{package} import protocol as {package}")
        for name in family.registry:
            lines.append(f"import workflow_scripts.{package}.{name}")
            lines.append(f"{package}_{name}: {package}.{family.__name__} = workflow_scripts.{package}.{name}")
    for protocol, names in OF_SOME.items():
        package, kind = protocol.split(".")
        lines += [f"{name}_{kind}: {protocol} = workflow_scripts.{package}.{name}" for name in names]
    file = folder / "families.py"
    file.write_text("\n".join([*lines, wrong]) + "\n")
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_every_module_is_one_of_its_family(tmp_path):
    done = _checked(tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_module_of_another_family_is_none(tmp_path):
    done = _checked(tmp_path, "wrong: clusterers.Clusterer = workflow_scripts.reduce.pca")
    assert done.returncode == 1
    assert "Clusterer" in done.stdout
