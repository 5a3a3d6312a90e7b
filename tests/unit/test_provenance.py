"""Digests of code after edits of a copy of the package, against the modules that Python imports; seeds."""

import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from workflow_scripts import provenance
from workflow_scripts.kmeans_kernels import VARIABLE, kernels
from workflow_scripts.provenance import LEFT_OUT, PACKAGE, code_digest, digest, file_digest
from workflow_scripts.seeds import seed

CLUSTER = ("jobs.cluster", "clusterers.kmeans")


class Package:
    """A copy of the package whose sources may be edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, module: str) -> Path:
        path = self.folder.joinpath(*module.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def edit(self, module: str, old: str, new: str) -> None:
        text = self.path(module).read_text()
        assert text.count(old) == 1, f"{module}: {old}"
        self.path(module).write_text(text.replace(old, new))

    def append(self, module: str, text: str) -> None:
        self.path(module).write_text(self.path(module).read_text() + text)

    def digest(self, *modules: str) -> str:
        """Return the digest that a new process computes."""
        for cached in (provenance._code, provenance._compiled):
            cached.cache_clear()
        return code_digest(*modules)


@pytest.fixture
def package(tmp_path, monkeypatch):
    copy = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)
    yield Package(copy)
    monkeypatch.undo()
    Package(PACKAGE).digest()


def _written(package, **modules):
    for name, source in modules.items():
        package.path(name).write_text(source)


SOURCE = '''"""A module."""

import json

LIMIT = 5
"""What the limit is."""


class Reader:
    """A class."""

    size: int = 3
    """Pixels."""

    def read(self, text: str) -> str:
        """Reads."""
        return json.loads(text)["a"]  # the first
'''


@pytest.mark.parametrize(
    "edited",
    [
        SOURCE.replace('"""A module."""', '"""Another text."""'),
        SOURCE.replace('"""A module."""\n', ""),
        SOURCE.replace("What the limit is.", "Most."),
        SOURCE.replace('        """Reads."""\n', ""),
        SOURCE.replace("# the first", "# one"),
        SOURCE.replace('["a"]', "['a']").replace("\n\n\n", "\n\n\n\n"),
        SOURCE.replace('return json.loads(text)["a"]', 'return (\n            json.loads(text)["a"]\n        )'),
        SOURCE.replace("    ", "\t"),
    ],
)
def test_words_and_layout_change_nothing(package, edited):
    _written(package, a=SOURCE)
    before = package.digest("a")
    assert edited != SOURCE
    _written(package, a=edited)
    assert package.digest("a") == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 5", "LIMIT = 6"),
        ("LIMIT = 5", "LIMIT = 5.0"),
        ('["a"]', '["b"]'),
        ('["a"]', '[b"a"]'),
        ("import json", "import ujson as json"),
        ("self, text: str", "self, text: str, strict: bool = True"),
        ("size: int = 3", "size: int = 4"),
        ("    def read", "    @staticmethod\n    def read"),
    ],
)
def test_logic_changes_it(package, old, new):
    _written(package, a=SOURCE)
    before = package.digest("a")
    _written(package, a=SOURCE.replace(old, new))
    assert package.digest("a") != before


def test_imported_modules_count_directly_or_not(package):
    _written(
        package,
        a="from workflow_scripts import b",
        b="def f():\n    import workflow_scripts.c",
        c="from workflow_scripts.e.d import x",
        z="1",
    )
    (package.folder / "e").mkdir()
    _written(package, **{"e": "", "e.d": "x = 1"})
    before = package.digest("a")
    _written(package, z="y = 2")
    assert package.digest("a") == before
    _written(package, **{"e.d": "x = 2"})
    assert package.digest("a") != before


def test_names_of_other_packages_are_not_ours(package):
    _written(package, a="import json\nfrom numpy import store\nimport store", json="1", numpy="1")
    before = package.digest("a")
    _written(package, json="x = 2", store="x = 2")
    assert package.digest("a") == before


def test_modules_without_a_say_in_results_are_left_out(package):
    before = package.digest(*CLUSTER)
    for module in LEFT_OUT:
        package.append(module, "\nCHANGED = True\n")
    assert package.digest(*CLUSTER) == before


def test_c_sources_count_with_their_folder(package):
    before, elsewhere = package.digest(*CLUSTER), package.digest("jobs.score")
    header = package.folder / "clusterers" / "kmeans" / "_kernel.h"
    source = package.folder / "clusterers" / "kmeans" / "_kernel.c"
    digests = {before}
    for path in (header, source):
        path.write_text(path.read_text() + "\nint changed;\n")
        digests.add(package.digest(*CLUSTER))
    (package.folder / "clusterers" / "kmeans" / "_new.c").write_text("int x;")
    digests.add(package.digest("clusterers.kmeans.native"))
    assert len(digests) == 4
    assert package.digest("jobs.score") == elsewhere


@pytest.mark.skipif(not kernels(), reason="k-means was installed without a C compiler")
def test_a_missing_kernel_counts_where_k_means_is_imported(package, monkeypatch):
    before, elsewhere = package.digest(*CLUSTER), package.digest("jobs.score")
    monkeypatch.setenv(VARIABLE, "torch")
    assert package.digest(*CLUSTER) != before
    assert package.digest("jobs.score") == elsewhere


def test_each_module_that_python_imports_counts(package):
    """Each module that Python has loaded is edited in turn, and the digest must change."""
    modules = (*CLUSTER, "jobs.score")
    # A job script itself needs Snakemake's object, so what it imports is imported instead of it.
    imports = [
        line
        for module in modules
        for line in package.path(module).read_text().splitlines()
        if line.startswith(("from workflow_scripts", "import workflow_scripts"))
    ]
    code = "\n".join([*imports, "import sys", "print(*(m for m in sys.modules if m.startswith('workflow_scripts.')))"])
    said = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("workflow_scripts.") for name in said.stdout.split()}
    ours = {name for name in loaded if package.path(name).exists() and name.split(".")[0] not in LEFT_OUT}
    packages = {name for name in ours if (package.folder / Path(*name.split("."))).is_dir()}
    assert len(ours - packages) > 3
    before = package.digest(*modules)
    for module in sorted(ours - packages):
        source = package.path(module).read_text()
        package.append(module, "\nCHANGED = True\n")
        assert package.digest(*modules) != before, f"{module} is imported but does not count"
        package.path(module).write_text(source)
    assert package.digest(*modules) == before


def test_no_module_imports_in_a_way_that_the_digest_does_not_follow():
    relative = [
        f"{path.relative_to(PACKAGE)}: {line}"
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.strip().startswith("from .")
    ]
    assert relative == []


def test_a_new_metric_makes_no_clusters_again(package):
    stages = ("intake", "preprocess", "features", "decompose", "cluster", "score")
    before = {stage: package.digest(f"jobs.{stage}") for stage in stages}
    package.append("scores", "\nMETRICS |= {'mine': Metric('Mine.')}\n")
    assert [stage for stage in stages if package.digest(f"jobs.{stage}") != before[stage]] == ["score"]


def test_a_module_that_does_not_exist():
    with pytest.raises(ModuleNotFoundError, match=r"workflow_scripts\.clusterers\.kmeens"):
        code_digest("clusterers.kmeens")


def test_digests_of_values_and_files(tmp_path):
    assert digest({"a": 1, "b": [2, None]}) == digest({"b": [2, None], "a": 1})
    assert len({digest(value) for value in ({"a": 1}, {"a": "1"}, {"a": 1.5}, [1, 2], [2, 1], None)}) == 6
    (tmp_path / "x").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_digest(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_seeds_are_distinct_and_fit_32_bits():
    names = list(product(range(3), ("kmeans", "minibatch_kmeans"), range(2, 40), range(20)))
    seeds = [seed(*name) for name in names]
    assert len(set(seeds)) == len(names)
    assert all(0 <= value < 2**32 for value in seeds)
    assert seed(0, "kmeans", 1, 12) != seed(0, "kmeans", 11, 2)


def test_numpys_whole_numbers_give_the_same_seed():
    assert seed(np.int64(0), "kmeans", np.uint8(7), np.int32(2)) == seed(0, "kmeans", 7, 2)


def test_seeds_are_the_same_in_any_order_and_process():
    names = [(0, "kmeans", k, repeat) for k in (2, 7) for repeat in range(3)]
    code = f"from workflow_scripts.seeds import seed\nprint(*(seed(*name) for name in {names[::-1]}))"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=PACKAGE.parent,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for hash_seed in ("1", "2")
    ]
    assert said[0] == said[1] == [str(seed(*name)) for name in names][::-1]
