"""Bad configurations, made from the schema: each ends in one line that names the key."""

import copy
import math
import pathlib
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml
from snakemake.cli import parse_config

from tests.unit.settings.configuration import config_with
from tests.workflow import ROOT
from workflow_scripts.errors import UserError
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake import labels
from workflow_scripts.settings import parse, schema
from workflow_scripts.settings.reading import check_command_line, read_yaml

N_BAD = 600
SOURCES = ("tests/methods.yaml", "tests/small.yaml", "config/config.yaml")
Path = tuple[Any, ...]
WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e30, math.inf, math.nan, 0.5, 10**12),
    *("", " ", "x", "ü" * 300, "=1+1", "a/b", "..", "yes", "1e999"),
    *([], [None], [[]], ["x", "x"], [1, "x"], {}, {"x": 1}, {None: None}),
)


@cache
def sources() -> tuple[Any, ...]:
    return tuple(yaml.safe_load((ROOT / source).read_text()) for source in SOURCES)


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value below a node."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(config: Any, path: Path, value: Any) -> Any:
    """Return the configuration with `value` at `path`; if it is `...`, with an additional key `unknown` there."""
    config = copy.deepcopy(config)
    node = config
    for key in path[:-1]:
        node = node[key]
    if value is ...:
        node["unknown"] = 1
    else:
        node[path[-1]] = value
    return config


def bad_configurations() -> list[tuple[Path, Any, Any]]:
    """Return (path, value, configuration) for many configurations that the schema refuses."""
    described = jsonschema.Draft202012Validator(schema())
    choose = random.Random(0)
    candidates = [
        (config, path, value)
        for config in sources()
        for path in places(config)
        for value in (*WRONG, *([...] if isinstance(path[-1], str) else []))
    ]
    choose.shuffle(candidates)
    bad: list[tuple[Path, Any, Any]] = []
    for config, path, value in candidates:
        if len(bad) == N_BAD:
            break
        config = changed(config, path, value)
        if refuses(described, config):
            bad.append((path, value, config))
    return bad


def refuses(described: Any, config: Any) -> bool:
    """Return whether a schema refuses a configuration."""
    try:
        return not described.is_valid(config)
    except TypeError:  # a key that is not a text
        return True


def said(config: Any) -> str:
    """Return the message at the start of a run with a configuration."""
    try:
        check(Grid(parse(config)))
    except UserError as error:
        return str(error)
    return ""


def names(line: str, path: Path, value: Any) -> bool:
    """Return whether a message names the key, one of the two keys above it, or the key `unknown`."""
    keys = {str(key) for key in path[-3:] if not isinstance(key, int)}
    return any(key in line for key in keys) or (value is ... and "unknown" in line)


def test_every_bad_configuration_is_one_line_that_names_the_key(
    record_property: Callable[[str, object], None],
) -> None:
    bad = bad_configurations()
    assert len(bad) == N_BAD
    lines = [(path, value, said(config)) for path, value, config in bad]
    accepted = [(path, value) for path, value, line in lines if not line]
    unclear = [(path, value, line) for path, value, line in lines if "\n" in line or not names(line, path, value)]
    assert (accepted, unclear) == ([], [])
    record_property("bad configurations", len(bad))


@pytest.mark.parametrize("source", range(len(SOURCES)))
def test_the_configurations_are_good_before(source: int) -> None:
    assert said(sources()[source]) == ""


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("studies.main.figures.lines", {"kind": "sensitivity", "x": "layer"}, "x: found layer, which does not vary"),
        ("studies.main.vary", {"whiten": ["yes", False]}, "studies.main.vary.whiten: found 'yes', allowed: true"),
        ("studies.main.vary", {"n_components": [True, 5]}, "vary.n_components: found true, allowed: a number"),
        ("backbones.net.finetune", {"preprocess": "no"}, "net.finetune.preprocess: found 'no', allowed: plain"),
        ("intake.exclude", ["[z-a]"], "intake.exclude: found '[z-a]', allowed: a glob pattern"),
        ("name", "x" * 300, "name: found 'xxx"),
        ("preprocess.plain.1.resize.size", [10**6, 8], "size.0: found 1000000, allowed: at most 16384"),
        ("seed", 2**32, "seed: found 4294967296, allowed: below 4294967296"),
        ("subsets", {"a": {"in_clusters": {"clusters": [-1]}}}, "clusters.0: found -1, allowed: at least 0"),
        ("studies.main.verdict", 1e30, "studies.main.verdict: found 1e+30, allowed: keys with values"),
        ("studies.main.cross_validation", "folds", "found 'folds', allowed: none, for none is defined"),
        ("data", " ", "config: data: found ' ', allowed: the path of a folder of images"),
        ("backbones.net.weights", "IMAGENET1K_V9", "found 'IMAGENET1K_V9' for squeezenet1_1, allowed: default"),
        ("backbones.net.sha256", "zz", "net.sha256: found 'zz', allowed: what matches"),
        ("backbones.net.size", 10**9, "net.size: found 1000000000, allowed: at most 16384"),
        ("clusterers.kmeans.k", "2-99999999", "k: found 2-99999999, allowed: a range of 10,000 numbers at most"),
        ("clusterers.kmeans.k", "9-2", "k: found 9-2, allowed: a range that begins with the smaller number"),
        ("clusterers.kmeans.n_init", 10**9, "kmeans.n_init: found 1000000000, allowed: at most 100000"),
        ("clusterers.kmeans.repeats", 10**9, "kmeans.repeats: found 1000000000, allowed: at most 100000"),
        ("name", True, "name: found true, allowed: a text"),
        ("clusterers.d", {"method": "dbscan", "eps": math.inf}, "d.eps: found inf, allowed: a finite number or auto"),
        ("clusterers.m", {"method": "mean_shift", "bandwidth": math.nan}, "m.bandwidth: found nan, allowed: a finite"),
        ("clusterers.a", {"method": "affinity_propagation", "preference": math.inf}, "preference: found inf, allowed"),
        ("clusterers.e", {"method": "dec", "learning_rate": math.inf}, "learning_rate: found inf, allowed: a finite"),
        ("subsets", {"a": {}}, "subsets.a: found nothing, allowed: one or more of label, "),
        ("subsets", {"a": {"in_clusters": {"clusters": [0, 0]}}}, "clusters: found [0, 0], allowed: each number once"),
        ("subsets", {"a": {"file": ""}}, "subsets.a.file: found '', allowed: a text that is not empty"),
        ("preprocess", ..., "preprocess: missing; a configuration with studies stands alone: copy config/config.yaml"),
    ],
)  # fmt: skip
def test_what_was_accepted_once(path: str, value: Any, message: str) -> None:
    line = said(config_with(path, value))
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("k: 2:10", "line 1: found 2:10, which YAML reads as 130; write 130, or a text in quotes: '2:10'"),
        ("k: 010", "line 1: found 010, which YAML reads as 8; write 8, or a text in quotes: '010'"),
        ("whiten: yes", "line 1: found yes, which YAML reads as true; write true, or 'yes' in quotes for the word"),
        ("studies: {no: {}}", "line 1: found no, which YAML reads as false; write false, or 'no' in quotes"),
        ("data: images #2", "found 'images #2', of which YAML reads 'images', because # begins a comment; write"),
    ],
)
def test_what_yaml_reads_in_another_way(
    written: str, message: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images #2").mkdir()
    (tmp_path / "it.yaml").write_text(written + "\n")
    with pytest.raises(UserError) as caught:
        read_yaml("it.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_comment_beside_a_folder_is_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "it.yaml").write_text("data: images #2\nname: b # of two\n")
    assert read_yaml(tmp_path / "it.yaml") == {"data": "images", "name": "b"}


def test_a_value_of_the_command_line_that_was_cut_is_one_line() -> None:
    read = {"data": "my images", "seed": 3}
    check_command_line(["snakemake", "--config", "data=my images", "seed=3"], read)
    line = "config: data: found 'my images #2', of which YAML reads 'my images', because # begins a comment; "
    for given in ("data=my images #2", 'data="my images #2"'):
        assert parse_config([given]) == {"data": "my images"}
        with pytest.raises(UserError) as caught:
            check_command_line(["snakemake", "--config", given], read)
        assert str(caught.value) == line + "write --config 'data= \"my images #2\" '"
    assert parse_config(['data= "my images #2" ']) == {"data": "my images #2"}


@pytest.mark.parametrize(
    ("section", "given"),
    [
        ("new_images", "/data/{a}/new"),
        ("intake", {"labels": {"rule": "csv", "file": "/data/{a}/labels.csv"}}),
        ("intake", {"exclude_file": ["/data/{a}.csv"]}),
    ],
)
def test_a_path_with_what_snakemake_takes_for_a_wildcard_is_one_line(section: str, given: Any) -> None:
    with pytest.raises(UserError) as caught:
        parse(config_with(section, given))
    assert "allowed: a path without {a}, a wildcard of Snakemake; rename it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_braces_in_a_path_are_allowed() -> None:
    assert parse(config_with("data", "/data/{a-b} {c")).data == "/data/{a-b} {c"


def test_a_home_folder_is_found_and_another_persons_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    settings = parse({**config_with("data", "~/images"), "intake": {"exclude_file": "~/out.csv"}})
    assert (settings.data, settings.intake.exclude_file) == ("/home/me/images", "/home/me/out.csv")
    assert parse(config_with("data", "~nobody-here/images")).data == "~nobody-here/images"


@pytest.mark.parametrize("kind", ["effects", "heatmap"])
def test_a_comparison_of_one_cell_is_refused_before_the_run(kind: str) -> None:
    config = config_with("studies.main", {"figures": {"it": {"kind": kind}}})
    config["clusterers"]["kmeans"]["k"] = [2]
    assert "studies.main: found one cell, allowed: two or more" in said(config)


def test_an_expression_that_never_ends_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "LONGEST_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"pattern: found '\(a\+\)\+\$', whose search takes more than 0\.2 s"):
        labels.label_images({"a" * 40 + "b.png": "1"}, "regex", pattern="(a+)+$")
