"""The documentation: its code runs, its generated parts are up to date, its links lead somewhere."""

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.workflow import ROOT, Project
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.metrics.table import CLASS_COLUMNS, COLUMNS
from workflow_scripts.settings import Settings, load, parse
from workflow_scripts.settings.published import read_facts
from workflow_scripts.settings.reading import read_yaml

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "results" / "README.md", *DOCS.rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LARGEST_PICTURE = 60_000
NO_IMAGE_YET: set[str] = set()
"""Kinds of figures that no configuration in docs/ makes yet."""
WITH_VALUES = {"--cores", "--configfile", "--config", "--workflow-profile"}


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _load("generate")


def _blocks(language: str) -> list[Any]:
    """Return the blocks of code of all pages, without those that have a title: they are files of another project."""
    return [
        pytest.param(match[3], id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, match in enumerate(BLOCK.finditer(page.read_text()))
        if match[1] == language and not match[2].strip()
    ]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(below[key], value) if isinstance(value, Mapping) and isinstance(below[key], Mapping) else value
        for key, value in above.items()
        if key in below
    }
    return {**below, **above, **both}


def _targets() -> set[str]:
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    studies = read_yaml(ROOT / "config" / "config.yaml")["studies"]
    return {*re.findall(r"^\s*rule (\w+):", text, re.MULTILINE), *(f"study_{name}" for name in studies)}


@pytest.mark.parametrize("text", _blocks("yaml"))
def test_yaml_is_a_configuration_or_a_part_of_one(text, tmp_path):
    path = tmp_path / "block.yaml"
    path.write_text(text)
    given = read_yaml(path)
    if {"preprocess", "backbones", "studies"} <= given.keys():
        parse(given)
    else:
        parse(_merged(read_yaml(ROOT / "config" / "config.yaml"), given))


@pytest.mark.parametrize("text", _blocks("python"))
def test_python_runs(text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "documentation", "exec"), {})


@pytest.mark.parametrize("text", _blocks("sh"))
def test_commands_name_targets_options_keys_and_files_that_exist(text):
    makefile = (ROOT / "Makefile").read_text()
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert all(re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE) for word in words[1:]), line
        if words[:1] == ["snakemake"]:
            targets, options = _snakemake(words[1:])
            results = {file for file in targets if "/" in file and Layout(Path(file).parts[1]).artefact_of(file)}
            assert set(targets) <= _targets() | {"study_NAME"} | results, line
            assert {pair.partition("=")[0] for pair in options.get("--config", [])} <= Settings.model_fields.keys()
            files = options.get("--configfile", []) + options.get("--workflow-profile", [])
            assert all((ROOT / name).exists() or name == "my_study.yaml" for name in files), line


def _snakemake(words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the targets of a command, and its options with their values."""
    targets, options, option = [], {}, ""
    for word in words:
        if word.startswith("-"):
            option = word
            options[option] = []
        elif option in WITH_VALUES and (option in ("--config", "--configfile") or not options[option]):
            options[option].append(word)
        else:
            targets.append(word)
    return targets, options


def test_published_numbers_are_written_as_the_page_says(tmp_path):
    page = (DOCS / "how_to" / "checks.md").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(next(text for _, title, text in BLOCK.findall(page) if "published" in title))
    assert len(read_facts(path)) == 2


def test_the_module_is_usable_as_the_page_says(tmp_path):
    for language, title, text in BLOCK.findall((DOCS / "how_to" / "module.md").read_text()):
        name = re.search('title="(.+)"', title)
        assert name, language
        own = text.replace("path/to/clustergrid", str(ROOT)).replace("/data/steel", "embedded")
        (tmp_path / name[1]).write_text(own)
    studies = load({}, [], ROOT / "config" / "config.yaml").studies.values()
    figures = sum(len(study.figures) for study in studies)
    assert Project(tmp_path).jobs("clustergrid_all")["clustergrid_figure"] == figures


def test_the_table_of_jobs_in_the_readme_is_that_of_its_yaml(tmp_path):
    readme = (ROOT / "README.md").read_text()
    project = Project.new(tmp_path / "project")
    ten_lines = next(match[3] for match in BLOCK.finditer(readme) if match[1] == "yaml")
    (project.folder / "ten.yaml").write_text(ten_lines.replace("/data/steel", "embedded"))
    jobs = project.jobs("--configfile", "ten.yaml")
    rows = re.findall(r"^\| ([a-z, ]+) \| ([\d +]+) \|", readme, re.MULTILINE)
    counted = {stage: sum(map(int, numbers.split(" + "))) for stage, numbers in rows}
    features = sum(number for rule, number in jobs.items() if rule.startswith("features"))
    assert counted == {
        "intake, label": jobs["intake"] + jobs["label"],
        "preprocess": jobs["preprocess"],
        "weights, features": jobs["fetch_weights"] + features,
        "decompose": jobs["decompose"],
        "cluster, score": jobs["cluster"] + jobs["score"],
        "tables, figures": jobs["study_table"] + jobs["figure_table"] + jobs["figure"],
    }


def test_the_sites_packages_are_pinned_alike_everywhere():
    pins = {name: _pins(f"requirements{name}.txt") for name in ("", "-dev", "-docs")}
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["docs"]
    assert set(direct) <= {f"{name}=={version}" for name, version in pins["-docs"].items()}
    assert pins["-docs"].keys() & pins[""].keys() == set()
    assert all(pins["-dev"].get(name, version) == version for name, version in pins["-docs"].items())


def _pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "envs" / name).read_text(), re.MULTILINE))


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_keys_of_the_configuration_are_up_to_date():
    assert (ROOT / "config" / "README.md").read_text() == generate.config_readme(), "run make schema"


def test_every_key_of_the_schema_stands_in_its_table():
    text = generate.config_readme()
    for name, model in generate.read_schema()["$defs"].items():
        for key, value in model.get("properties", {}).items():
            assert f"`{value['const']}`" in text if "const" in value else f"| `{key}` |" in text, (name, key)


def test_meanings_are_of_keys_that_there_are():
    models = generate.read_schema()["$defs"]
    keys = {f"{name}.{key}" for name, model in models.items() for key in model.get("properties", {})}
    assert {*generate.key_meanings()} <= keys | {key.partition(".")[2] for key in keys}


def test_every_column_of_the_tables_has_a_meaning_and_no_other():
    assert generate.column_meanings().keys() == {*COLUMNS, *CLASS_COLUMNS}, "write it into docs/reference/columns.yaml"


KINDS = generate.figure_kinds(generate.read_schema())


def test_every_kind_of_figure_has_a_picture():
    assert set(KINDS) - generate.collected_figures().keys() <= NO_IMAGE_YET, "see CONTRIBUTING"


def test_every_kind_of_figure_answers_a_question():
    introduction = (DOCS / "reference" / "figures_introduction.txt").read_text()
    assert not [kind for kind in KINDS if f"(#{kind})" not in introduction]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_figure_has_a_caption(kind):
    assert len(generate.caption(kind)) > 100


@pytest.mark.parametrize("kind", sorted(generate.collected_figures()))
def test_a_picture_is_small_and_its_yaml_a_configuration(kind):
    collected = generate.collected_figures()[kind]
    assert 1000 < (DOCS / "images" / "figures" / f"{kind}.png").stat().st_size < LARGEST_PICTURE
    base = {**read_yaml(DOCS / "figures.yaml"), "intake": {"scale_bars": True, "tiles": {"size": 48}}}
    parse(_merged(base, yaml.safe_load(collected["yaml"])))
    assert collected["columns"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    made = {str(Path("docs", path)) for path in generate.pages()} if page.is_relative_to(DOCS) else set()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            path = (page.parent / target).resolve()
            assert path.exists() or str(path.relative_to(ROOT)) in made, target
