"""The configuration: each mistake is one line with the key, the value found and those allowed; defaults; the schema."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import matplotlib
import pytest
import yaml

from tests.unit.settings.configuration import CONFIG, config_with
from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.settings import load, parse, schema
from workflow_scripts.settings.check import check
from workflow_scripts.settings.figures import PALETTES
from workflow_scripts.settings.reading import read_yaml

ROOT = Path(__file__).parents[3]
DEFAULT = ROOT / "config" / "config.yaml"


def _mistake(config):
    with pytest.raises(UserError) as caught:
        parse(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_configuration_of_these_tests_has_no_mistake():
    assert parse(CONFIG).studies["main"].vary == {"whiten": [True, False]}


# ------------------------------------------------------------------------------------------------------ wrong values


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        # wrong types, at every level
        ("n_clusters", "seven", "n_clusters: found 'seven', allowed: a whole number"),
        ("n_clusters", 7.5, "n_clusters: found 7.5, allowed: a whole number"),
        ("data", 5, "data: found 5, allowed: a text"),
        ("data", " ", "data: found ' ', allowed: the path of a folder"),
        ("seed", True, "seed: found true, allowed: a number"),
        ("clusterers.kmeans.k", [2, True], "clusterers.kmeans: k: found true, allowed: a number"),
        ("clusterers.kmeans.k", "2-99999999", "clusterers.kmeans.k: found 2-99999999, allowed: a range of 10,000"),
        ("clusterers.gap", {"method": "dbscan", "eps": float("inf")}, "clusterers.gap.eps"),
        ("subsets", {"a": {}}, "subsets.a: found nothing, allowed: one or more of label, scale_um"),
        ("subsets", {"a": {"in_clusters": {"clusters": [0, 0]}}}, "clusters: found [0, 0], allowed: each number once"),
        ("intake.exclude", ["["], "intake.exclude: found '[', allowed: a glob pattern"),
        ("delete", "maybe", "delete: found 'maybe', allowed: true or false"),
        ("intake", None, "intake: found nothing, allowed: keys with values"),
        ("intake.include", "*.png", "intake.include: found '*.png', allowed: a list"),
        ("preprocess", ["grey"], "preprocess: found ['grey'], allowed: keys with values"),
        ("backbones.net", None, "backbones.net: found nothing, allowed: keys with values"),
        ("backbones.net.layers", ["fire9_avg"], "backbones.net.layers.0: found 'fire9_avg', allowed: a list"),
        ("clusterers.kmeans.k", [2, "x"], "clusterers.kmeans.k.1: found 'x', allowed: a whole number"),
        ("clusterers.kmeans.k", "2-", "clusterers.kmeans.k: found '2-', allowed: a whole number, a list of them, or a"),
        ("clusterers.kmeans.k", {"a": 1}, "clusterers.kmeans.k.0: found {'a': 1}, allowed: a whole number"),
        ("decompositions.map.perplexity", "high", "decompositions.map.perplexity: found 'high', allowed: a number"),
        ("studies.main.vary.whiten", True, "studies.main.vary.whiten: found true, allowed: a list"),
        ("studies.main.figures", ["lines"], "studies.main.figures: found ['lines'], allowed: keys with values"),
        ("style.dpi", "fine", "style.dpi: found 'fine', allowed: a whole number"),
        ("studies.main.figures.lines", {"kind": "confusion", "k": "b"}, "k: found 'b', allowed: a whole number, best"),
        ("studies.main.figures.lines", {"kind": "heatmap", "axes": ["k", "x"]}, "lines.axes.1: found 'x', allowed: "),
        ("decompositions.map.dimensions", 4, "decompositions.map.dimensions: found 4, allowed: 2, 3"),
        (
            "studies.main.figures.lines",
            {"kind": "heatmap", "axes": ["k", "k"]},
            "lines: axes: found k twice, allowed: two choices",
        ),
        (
            "studies.main.figures.lines",
            {"kind": "sensitivity", "x": "layer", "hue": "layer"},
            "lines: hue: found layer, which is x, allowed: another choice",
        ),
        # out of range
        ("seed", 4294967296, "seed: found 4294967296, allowed: below 4294967296"),
        ("seed", -1, "seed: found -1, allowed: at least 0"),
        ("clusterers.kmeans.n_init", 0, "clusterers.kmeans.n_init: found 0, allowed: at least 1"),
        ("decompositions.map.perplexity", 1, "decompositions.map.perplexity: found 1, allowed: above 1"),
        ("style.dpi", 5000, "style.dpi: found 5000, allowed: at most 1200"),
        ("preprocess.plain.1.resize.size", [0, 9], "preprocess.plain.1.size.0: found 0, allowed: at least 1"),
        # empty
        ("preprocess", {}, "preprocess: found {}, allowed: 1 or more entries"),
        ("backbones", {}, "backbones: found {}, allowed: 1 or more entries"),
        ("backbones.net.layers", [], "backbones.net.layers: found [], allowed: 1 or more entries"),
        ("backbones.net.layers", [[]], "backbones.net: layers: found an empty pass"),
        ("clusterers.kmeans.k", [], "clusterers.kmeans.k: found [], allowed: 1 or more entries"),
        ("studies", {}, "studies: found {}, allowed: 1 or more entries"),
        ("studies.main.vary.whiten", [], "studies.main: vary.whiten: found an empty list; name at least one value"),
        # missing
        ("baseline", ..., "baseline: missing"),
        ("baseline.layer", ..., "baseline.layer: missing"),
        ("backbones.net.model", ..., "backbones.net.model: missing"),
        ("clusterers.kmeans.method", ..., "clusterers.kmeans.method: missing"),
        ("studies.main.figures.lines.kind", ..., "studies.main.figures.lines.kind: missing"),
        ("studies.main.figures.lines.x", ..., "studies.main.figures.lines.x: missing"),
        # twice
        ("clusterers.kmeans.k", [2, 3, 2], "clusterers.kmeans: k: found [2, 3, 2], allowed: each number once"),
        ("studies.main.vary.whiten", [True, True], "studies.main: vary.whiten: a value is named twice in [True, True]"),
        ("backbones.net.layers", [["fire5_avg"], ["fire9_avg", "fire5_avg"]], "fire5_avg is in two passes"),
        # names that are taken, or that cannot be part of a path
        ("studies.all", {}, "studies.all: the name is reserved"),
        ("studies.table", {}, "studies.table: the name is reserved"),
        ("studies.main", {"verdict": {}, "figures": 0}, "studies.main.figures: found 0, allowed: keys with values"),
        ("style.palette", "petrof10", "style.palette: found 'petrof10', allowed: "),
        ("decompositions.none", {"method": "pca"}, "decompositions.none: the name is reserved"),
        ("name", "a/b", "name: found 'a/b', allowed: letters from a to z, digits"),
        ("preprocess.a b", ["grey", "resize"], "preprocess.a b: found 'a b', allowed: letters from a to z"),
        ("studies.a/b", {}, "studies.a/b: found 'a/b', allowed: letters from a to z"),
        ("decompositions.PCA", {"method": "pca"}, "decompositions.PCA: found 'PCA', allowed: small letters"),
        # what does not go together
        ("preprocess.plain.1.resize.fit", "tiles", "squeeze, pad, crop, or intake: {tiles: {size: shortest}}"),
        ("preprocess.plain.1.resize.fit", "zoom", "squeeze"),
        ("intake.tiles", {}, "intake.tiles: found both or none of size and size_um, allowed: one of them"),
        ("intake.tiles", {"size": 64, "stride": 65}, "stride: found 65, allowed: size, 64, or less"),
        ("intake.tiles", {"size": 64, "stride_um": 1}, "stride_um: found beside size, allowed: stride"),
        ("intake.max_pixels", 125_000_001, "max_pixels: found 125000001 without tiles, allowed: at most 125000000"),
        ("intake.tiles", {"size_um": 5}, "tiles.size_um: found intake without scale_bars"),
        ("intake", {"tiles": {"size": 64}, "crops": {"boxes": "a.json"}}, "crops: found beside tiles or pages: all"),
        ("intake.labels", "boxes", "file: missing, allowed: a COCO file"),
        ("preprocess.plain", ["grey"], "preprocess.plain: no step gives all images the same size"),
        ("preprocess.plain", ["grey", "resize", {"rescale_intensity": {"low": 60, "high": 50}}], "below high, 50"),
        ("preprocess.plain", ["grey", {"depth": {"bits": 12}}, "resize"], "depth: found after another step"),
        ("decompositions.map.of", "map", "decompositions.map.of: found 'map', allowed: a pca of decompositions"),
        ("intake.labels", {"rule": "folder", "column": "x"}, "column: found it beside the rule folder, allowed: auto"),
        ("intake.labels", {"rule": "regex"}, "intake.labels: pattern: found None, allowed: a regular expression"),
        ("intake.labels", {"rule": "regex", "pattern": "(a"}, "pattern: found '(a' (missing ), unterminated"),
        ("intake.labels", {"rule": "regex", "pattern": "a"}, "allowed: a regular expression with a group"),
        ("studies.main.figures.lines", {"kind": "embedding", "map": "no"}, "lines.map: found 'no', allowed: pca"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(path, value, message):
    assert message in _mistake(config_with(path, value))


@pytest.mark.parametrize(
    ("path", "value", "near"),
    [
        # a name that does not exist
        ("device", "cdua", "cuda"),
        ("intake.labels", "foldr", "folder"),
        ("intake.duplicates", "kep", "keep"),
        ("preprocess.plain.0", "gray", "grey"),
        ("preprocess.plain.0", {"gray": {}}, "grey"),
        ("decompositions.pca.method", "pcaa", "pca"),
        ("clusterers.kmeans.method", "kmean", "kmeans"),
        ("clusterers.kmeans.init", "kmeans++", "k-means++"),
        ("studies.main.design", "full_product", "product"),
        ("studies.main.figures.lines.kind", "sensitivty", "sensitivity"),
        ("studies.main.figures.lines.x", "layers", "layer"),
        ("studies.main.figures.lines.metrics", ["arii"], "ari"),
        # a key that does not exist, at every level
        ("bakcbones", {}, "backbones"),
        ("intake.exclud", [], "exclude"),
        ("intake.labels.levl", 1, "level"),
        ("preprocess.plain.1.resize.antialiasing", True, "anti_aliasing"),
        ("backbones.net.weight", "x", "weights"),
        ("decompositions.map.perplexty", 5, "perplexity"),
        ("clusterers.kmeans.ninit", 5, "n_init"),
        ("baseline.whitening", True, "whiten"),
        ("studies.main.varies", {}, "vary"),
        ("studies.main.figures.lines.titel", "x", "title"),
        ("style.dpii", 1, "dpi"),
        # an axis that does not exist
        ("studies.main.vary.layers", ["a"], "layer"),
        ("studies.main.baseline", {"clusterers": "a"}, "clusterer"),
        ("studies.main.figures.lines.at", {"layers": "a"}, "layer"),
    ],
)
def test_a_near_miss_says_what_is_near(path, value, near):
    message = _mistake(config_with(path, value))
    assert f"(did you mean {near}?)" in message
    allowed = message.split("allowed: ")[1].split(" (did")[0].split(", ")
    assert near in allowed
    assert len(allowed) >= 2


@pytest.mark.parametrize("layer", ["fire10", "fire9_cls", "features.99"])
def test_a_layer_that_the_backbone_does_not_have(layer):
    message = _mistake(config_with("backbones.net.layers", [["fire9_avg"], [layer]]))
    assert message.startswith("config: backbones.net: layers:")
    assert layer in message


def test_a_model_that_does_not_exist_comes_with_the_nearest():
    message = _mistake(config_with("backbones.net.model", "squeezenet1_2"))
    assert "backbones.net: model: found 'squeezenet1_2'" in message
    assert "squeezenet1_1" in message


def test_a_name_that_would_be_another_ones_file_is_refused():
    clusterers = {"one": {"method": "kmeans"}, "one.classes": {"method": "kmeans"}}
    message = _mistake(config_with("clusterers", clusterers))
    assert "clusterers.one.classes: found 'one.classes', allowed: a name that does not end in .classes" in message


def test_palettes_are_those_of_matplotlib():
    assert list(PALETTES) == sorted(matplotlib.color_sequences)


def test_steps_are_not_configured_by_their_inner_name():
    assert "step" not in _mistake(config_with("preprocess.plain.1.resize", {"sise": 1})).split("allowed: ")[1]
    assert parse(config_with("preprocess.plain.1.resize", {"step": "grey"})).preprocess["plain"].size == (224, 224)


def test_several_mistakes_are_told_together_and_a_shared_one_once():
    both = _mistake(config_with("n_clusters", "x") | {"seed": -1})
    assert both.count("config: ") == 1
    two = _mistake(config_with("style.dpi", 1) | {"seed": -1})
    assert "config: seed: found -1" in two
    assert "config: style.dpi: found 1" in two


def test_found_allowed():
    assert found_allowed("gray", ["grey", "colour"]) == "found 'gray', allowed: grey, colour (did you mean grey?)"
    assert found_allowed("xyz", ["grey", "colour"]) == "found 'xyz', allowed: grey, colour"
    assert found_allowed(99, [2, 3]) == "found 99, allowed: 2, 3"


# ------------------------------------------------------------------------------------------------------ what is right


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("clusterers.kmeans.k", 7, lambda settings: settings.clusterers["kmeans"].k == [7]),
        ("clusterers.kmeans.k", "7", lambda settings: settings.clusterers["kmeans"].k == [7]),
        ("clusterers.kmeans.k", ..., lambda settings: settings.clusterers["kmeans"].k == [8]),
        ("intake.labels", "prefix", lambda settings: settings.intake.labels.rule == "prefix"),
        ("preprocess.plain", ["grey", "resize"], lambda settings: settings.preprocess["plain"].size == (224, 224)),
        ("preprocess.plain", ["centre_crop"], lambda settings: settings.preprocess["plain"].channels == 3),
        ("preprocess.plain", ["resize", "colour", "grey"], lambda settings: settings.preprocess["plain"].channels == 1),
    ],
)  # fmt: skip
def test_short_forms(path, value, read):
    assert read(parse(config_with(path, value)))


def test_a_dump_says_everything_with_sorted_keys():
    short, long = (parse(config_with("clusterers.kmeans", clusterer)) for clusterer in (
        {"method": "kmeans", "k": 2}, {"k": [2], "n_init": 100, "method": "kmeans"}
    ))  # fmt: skip
    dump = short.clusterers["kmeans"].dump()
    assert dump == long.clusterers["kmeans"].dump()
    assert list(dump) == sorted(dump)
    assert dump["n_init"] == 100
    assert json.loads(json.dumps(dump)) == dump
    steps = parse(CONFIG).preprocess["plain"].dump()["steps"]
    assert steps == [{"step": "grey"}, {"step": "resize", "size": [32, 32], "anti_aliasing": True, "fit": "squeeze"}]


@pytest.mark.parametrize(
    ("weights", "is_file"),
    [
        ("a/b.pth", True),
        ("x.safetensors", True),
        ("default", False),
        ("package:net/weights.h5", False),
        ("random", False),
    ],
)
def test_weight_files_are_known_as_files(weights, is_file):
    backbone = parse(config_with("backbones.net.weights", weights)).backbones["net"]
    assert backbone.weight_file == (weights if is_file else None)


# ------------------------------------------------------------------------------------------------------------- files


def _load(tmp_path, config, default=DEFAULT):
    path = tmp_path / "given.yaml"
    path.write_text(yaml.safe_dump(config))
    return load(config, [path], default)


def test_flat_scalars_of_the_command_line_override_the_default(tmp_path):
    settings = load({"data": "pictures", "n_clusters": 7, "weights": "random", "seed": 3}, [], DEFAULT)
    assert (settings.data, settings.seed) == ("pictures", 3)
    default = read_yaml(DEFAULT)
    assert set(settings.studies) == set(default["studies"])
    assert {name for name, variant in settings.clusterers.items() if variant.k == [7]} == {
        name for name, variant in default["clusterers"].items() if "k" not in variant
    }
    assert {name for name, variant in settings.backbones.items() if variant.weights == "random"} == {
        name for name, variant in default["backbones"].items() if "weights" not in variant
    }


def test_a_file_without_studies_changes_the_default_at_any_level(tmp_path):
    settings = _load(tmp_path, {"clusterers": {"kmeans": {"n_init": 5}}, "style": {"dpi": 99}})
    default = parse(read_yaml(DEFAULT))
    assert settings.clusterers["kmeans"].n_init == 5
    assert settings.clusterers["kmeans"].repeats == default.clusterers["kmeans"].repeats
    assert settings.style.dpi == 99
    assert settings.studies == default.studies


def test_a_study_file_stands_alone(tmp_path):
    settings = _load(tmp_path, CONFIG)
    for section in ("studies", "preprocess", "backbones", "clusterers", "decompositions"):
        assert getattr(settings, section).keys() == CONFIG[section].keys()
    without = config_with("clusterers", ...)
    with pytest.raises(
        UserError,
        match=r"^config: clusterers: missing; .* stands alone: copy config/config\.yaml$",
    ):
        _load(tmp_path, without)
    # What it leaves out comes from the models, not from the default's file.
    assert settings.n_clusters == 8
    assert settings.baseline.n_components is None


def test_a_key_that_stands_twice_names_file_key_and_line(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("seed: 1\npreprocess:\n  plain: [grey]\n  plain: [colour]\n")
    with pytest.raises(UserError, match=r"twice\.yaml, line 3: the key 'plain' is there twice"):
        load({}, [path], DEFAULT)


def test_anchors_and_merges_are_no_repetition(tmp_path):
    path = tmp_path / "merged.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert read_yaml(path)["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\n", "line 2: found a bracket of line 1 that is not closed"),
        (b"a: \xff\xfe", ": not YAML"),
        (b"a: !!python/object:os.system {}", "line 1: found the tag 'tag:yaml.org,2002:python/object:os.system'"),
        (b"- a", ": found a list on top, allowed: keys with values"),
        (b"", ": found nothing in the file, allowed: keys with values"),
        (b"[1]: 2", "line 1: found '[1]: 2' with a key that is no text"),
        (b"a: [b, *.txt]", "line 1: found a value in 'a: [b, *.txt]' that begins with a special character"),
        (b"a: %b", "line 1: found a value in 'a: %b' that begins with a special character, allowed: quotes"),
        (b"a: C: b", "line 1: found 'a: C: b' with a second colon, allowed: quotes"),
        (b"a: 'b' c", "line 1: found \"a: 'b' c\" with a text after a closing quotation mark"),
        (b'a: "C:\\d"', "line 1: found a backslash in 'a: \"C:\\\\d\"', allowed: single quotes"),
        (b"a:\tb", "line 1: found a tab in 'a:\\tb', allowed: spaces"),
        (b"a: 1\n  b: 2", "line 2: found 'b: 2' at another indentation"),
        (b"a: 1\n---\nb: 2", "line 2: found a second document (---), allowed: one"),
        (b"a: " + b"[" * 500 + b"]" * 500, ": found brackets within too many others"),
        (b"a: 1\n\tb: 2\n", "line 2: found a tab, allowed: spaces"),
        (b"a:\n  b: 1\n c: 2\n", "line 3: found 'c: 2' at another indentation"),
        (b"a: 1\nb c\nd: 2\n", "line 2: found 'b c' without a colon"),
        (b'a: 1\nb: "c\nd: 2\n', "line 2: found 'b: \"c' with a quotation mark that is not closed"),
        ("a: 1\n".encode("utf-16"), ": found UTF-16, allowed: UTF-8"),
        (b"k: 2:10\n", "line 1: found 2:10, which YAML reads as 130; write 130, or"),
        (b"a: 1\nk: 010\n", "line 2: found 010, which YAML reads as 8; write 8, or"),
        (b"studies:\n  no: {}\n", "line 2: found no, which YAML reads as false; write false, or 'no' in quotes"),
        (b"k: yes\n", "line 1: found yes, which YAML reads as true; write true, or 'yes' in quotes"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, content, message):
    path = tmp_path / "wrong.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert check(str(path)) == str(caught.value)


def test_numbers_and_truths_that_mean_what_they_show(tmp_path):
    path = tmp_path / "right.yaml"
    path.write_text("a: 0\nb: 0.5\nc: -7\nd: 1_000\ne: true\nf: False\ng: '010'\nh: 0x10\n")
    expected = {"a": 0, "b": 0.5, "c": -7, "d": 1000, "e": True, "f": False, "g": "010", "h": 16}
    assert read_yaml(path) == expected


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"gone\.yaml: No such file"):
        read_yaml(tmp_path / "gone.yaml")


def test_rules_need_nothing_heavy():
    code = "import sys, workflow_scripts.grid, workflow_scripts.planning.sizes; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    heavy = {"numpy", "pandas", "h5py", "torch", "skimage", "sklearn", "scipy", "matplotlib", "snakemake"}
    assert not heavy & set(said.split())


# ------------------------------------------------------------------------------------------------------------ schema

CONFIGURATIONS = [DEFAULT, *sorted((ROOT / "config" / "studies").glob("*.yaml"))]


def test_the_committed_schema_is_up_to_date():
    said = subprocess.run(
        [sys.executable, "-m", "workflow_scripts.settings"],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    committed = ROOT / "config" / "config.schema.json"
    up_to_date = committed.is_file() and committed.read_text() == said
    assert up_to_date, "config/config.schema.json is out of date: run `make schema` and commit it"


@pytest.fixture(scope="module")
def validator():
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_the_projects_configurations_are_valid(validator, path):
    content = read_yaml(path)
    parse(content)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("n_clusters", "seven"), ("bakcbones", {}), ("intake.labels", "foldr"), ("preprocess.plain.0", "gray"),
        ("preprocess.plain.1.resize.sise", 3), ("preprocess.plain", []), ("clusterers.kmeans.k", []),
        ("clusterers.kmeans.k", "x"), ("clusterers.kmeans.n_init", 0), ("clusterers.kmeans.method", "kmean"),
        ("studies.main.figures.lines.kind", "line"), ("studies.main.design", "full"), ("studies", {}),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_the_models_refuse(validator, path, value):
    _mistake(config_with(path, value))
    assert not validator.is_valid(config_with(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("clusterers.kmeans.k", 7), ("clusterers.kmeans.k", ...), ("backbones.net.weights", "random"),
        ("intake.labels", "prefix"), ("preprocess.plain", ["grey", "resize"]), ("style", ...), ("decompositions", ...),
    ],
)  # fmt: skip
def test_the_schema_takes_what_the_models_take(validator, path, value):
    parse(config_with(path, value))
    assert list(validator.iter_errors(config_with(path, value))) == []


def test_figures_of_tiles_need_tiles_and_parts_have_no_data_bar():
    with_figure = config_with("studies.main.figures", {"map": {"kind": "overlay"}})
    assert "studies.main.figures.map: found intake without tiles" in _mistake(with_figure)
    cut = config_with("intake", {"tiles": {"size": 64}})
    cut["preprocess"] = {"plain": [{"depth": {"bits": 12}}, "crop_data_bar", *cut["preprocess"]["plain"]]}
    assert "preprocess.plain.crop_data_bar: found with parts of images" in _mistake(cut)
