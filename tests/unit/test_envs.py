"""One pin for each package, wherever it stands."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from workflow_scripts import VERSION
from workflow_scripts.pages.methods.bibliography import entries

ROOT = Path(__file__).parent.parent.parent
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "huggingface-hub": "huggingface_hub"}
WORKFLOW_ONLY = {"snakemake", "pygments"}
"""What the jobs of a conda environment do not install: Snakemake is the one that starts them and writes the report."""


IMPORT_NAMES = {
    **{"sklearn": "scikit-learn", "skimage": "scikit-image", "PIL": "pillow", "yaml": "pyyaml"},
    "umap": "umap-learn",
}
OPTIONAL = {"nionswift-plugin"}
"""What comes with the extra `dm`."""


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(lines: list[str]) -> dict[str, str]:
    stripped = [line.split("#")[0].strip() for line in lines]
    pins = [line.split("==") for line in stripped if "==" in line]
    names = [_normal(name) for name, _ in pins]
    assert len(set(names)) == len(names)
    return dict(zip(names, (version for _, version in pins), strict=True))


def _file(name: str) -> dict[str, str]:
    lines = (ROOT / "envs" / name).read_text().splitlines()
    loose = [
        line for line in lines if line.strip() and not line.startswith("#") and not re.match(r"[\w.-]+==[\w.]+$", line)
    ]
    assert loose == [], "everything is pinned, and nothing comes from an address"
    return _pins(lines)


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = _pins(PROJECT["dependencies"])


def test_the_projects_direct_needs_are_all_pinned():
    assert len(DIRECT) == len(PROJECT["dependencies"]) > 10


def test_requirements_have_the_same_pins():
    requirements = _file("requirements.txt")
    assert {name: requirements.get(name) for name in DIRECT} == DIRECT


def test_requirements_for_development_have_the_same_pins():
    development = _file("requirements-dev.txt")
    pinned = _pins(PROJECT["optional-dependencies"]["dev"])
    assert {name: development.get(name) for name in pinned} == pinned
    assert development.keys() & _file("requirements.txt").keys() == set()


def test_slurms_plugin_is_pinned_and_in_no_other_environment():
    slurm = _file("requirements-slurm.txt")
    assert _pins(PROJECT["optional-dependencies"]["slurm"]).items() <= slurm.items()
    others = {**_file("requirements.txt"), **_file("requirements-dev.txt"), **DIRECT}
    assert not any("slurm" in name for name in others)
    assert slurm.keys() & others.keys() == set()


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_conda_environments_have_the_same_pins(name):
    environment = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    pins = dict(need.split("=") for need in environment["dependencies"] if "=" in need)
    python = pins.pop("python")
    expected = {
        CONDA_NAMES.get(package, package): version
        for package, version in DIRECT.items()
        if package not in WORKFLOW_ONLY
    }
    assert pins == expected
    assert tuple(map(int, python.split("."))) >= tuple(
        map(int, PROJECT["requires-python"].removeprefix(">=").split("."))
    )
    assert f"pytorch-{name}" in environment["dependencies"]


def test_every_rule_names_an_environment_that_exists():
    named = {
        name for path in (ROOT / "rules").glob("*.smk") for name in re.findall(r'"\.\./envs/(.+?)"', path.read_text())
    }
    assert named == {path.name for path in (ROOT / "envs").glob("*.yaml")}


def test_what_is_imported_is_declared():
    nodes = [
        node for path in (ROOT / "workflow_scripts").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))
    ]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    tops = {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"workflow_scripts"}
    assert {_normal(IMPORT_NAMES.get(top, top)) for top in tops} - OPTIONAL <= DIRECT.keys()


def test_the_version_is_the_same_wherever_it_stands():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    first = re.search(r"^## (\S+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first
    assert citation["version"] == VERSION == first[1]
    assert first[2] in ("unreleased", str(citation["date-released"]))


def test_the_sources_in_the_citation_are_those_of_the_bibliography():
    references = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    known = "".join(entries().values())
    studies = {"10.1007/s40192-021-00205-8"}  # of the study itself, not of a method
    assert not [each["doi"] for each in references if each.get("doi", "") not in known and each["doi"] not in studies]
    fields = [dict(re.findall(r"(\w+) = \{(.*)\}", entry)) for entry in entries().values()]
    by_doi = {field["doi"]: field for field in fields if "doi" in field}
    for each in (each for each in references if each.get("doi") in by_doi):
        field = by_doi[each["doi"]]
        pages = "--".join(str(each[end]) for end in ("start", "end") if end in each)
        place = [str(each["year"]), str(each.get("volume", "")), pages]
        assert place == [field["year"], field.get("volume", ""), field.get("pages", "")], each["title"]


def test_every_source_says_where_it_appeared():
    where = {"article": {"journal", "volume", "pages"}, "inproceedings": {"booktitle"}, "misc": {"eprint", "url"}}
    for entry in entries().values():
        kind, fields = entry[1 : entry.index("{")], set(re.findall(r"^  (\w+) = ", entry, re.MULTILINE))
        assert {"author", "title", "year"} <= fields, entry
        assert fields & where[kind] if kind == "misc" else where.get(kind, {"booktitle"}) <= fields, entry
        assert ("eprint" in fields) == ("archiveprefix" in fields), entry


def test_the_container_copies_files_that_exist_and_has_the_python_of_conda():
    lines = (ROOT / "envs" / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert len(copied) > 10
    assert all((ROOT / name).exists() for name in copied)
    kept = {line[1:] for line in (ROOT / "envs" / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"}
    assert {name.split("/")[0] for name in copied} == kept
    conda = yaml.safe_load((ROOT / "envs" / "cpu.yaml").read_text())["dependencies"]
    python = next(need for need in conda if need.startswith("python=")).removeprefix("python=")
    assert any(line.startswith(f"FROM python:{python}-") for line in lines)
