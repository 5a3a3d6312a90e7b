"""The inputs and params of rules, for wildcards as Snakemake gives them."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.rules import parsed
from tests.workflow import ROOT
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.inputs import Inputs
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings import parse
from workflow_scripts.settings.published import Fact

CONFIG = yaml.safe_load("""
name: d
preprocess: {plain: [grey, resize], small: [grey, resize: {size: [32, 48]}]}
backbones:
  net: {model: squeezenet1_1, layers: [[fire5_avg], [fire9_avg]]}
  tuned: {model: squeezenet1_1, weights: w.pth, layers: [[fire9_avg]], finetune: {preprocess: small}}
decompositions: {pca: {method: pca}, map: {method: tsne}, codes: {method: autoencoder, device: cuda}}
clusterers: {kmeans: {method: kmeans}, ward: {method: linkage}}
cross_validations: {folds: {folds: 3}}
subsets: {part: {label: [a]}, cluster: {in_clusters: {clusters: [0]}}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, n_components: 5, whiten: true, clusterer: kmeans}
studies:
  main:
    vary: {subset: [all, part, cluster], decomposition: [none]}
    figures:
      map: {kind: embedding, map: map}
      all: {kind: best_of_n}
      toys: {kind: toy_panel}
      part: {kind: samples, at: {subset: part}}
      labels: {kind: label_sets, sets: {second: second.csv, first: FOLDER}}
    audit: {}
    gallery: {images: small}
  folded: {cross_validation: folds, figures: {folds: {kind: folds}}}
  mapped: {baseline: {decomposition: map}}
""")
PUBLISHED = {"what": "w", "published": 1, "place": "p", "column": "c", "layer": "l"}
FACTS = [Fact(table=table, **PUBLISHED) for table in ("main.classes", "main/map", "main/other", "other")]


class Wildcards(SimpleNamespace):
    """Wildcards with attributes and items, as those of Snakemake."""

    def keys(self):
        return vars(self).keys()

    def __getitem__(self, name):
        return getattr(self, name)


OF_CELL = {"preprocess": "plain", "backbone": "net", "layer": "fire9_avg", "reducer": "pca5w", "clusterer": "kmeans"}


def _of_cell(**changes):
    return Wildcards(**OF_CELL | changes)


def _inputs(**changes):
    settings = parse(CONFIG | changes)
    return Inputs(settings, Grid(settings), Layout("d"), FACTS)


@pytest.fixture(scope="module")
def inputs():
    return _inputs()


def test_points_are_a_decomposition_or_the_features_themselves(inputs):
    assert inputs.clustering.points(_of_cell()) == "results/d/decomposed/plain/net/fire9_avg/pca.h5"
    assert inputs.clustering.points(_of_cell(reducer="none")) == "results/d/features/plain/net/fire9_avg.h5"


def test_a_consensus_is_read_by_the_clusterer_that_takes_it_for_its_clusters(inputs):
    assert inputs.clustering.consensus_read(_of_cell()) == []
    agreed = {**CONFIG["clusterers"], "agreed": {"method": "consensus", "study": "folded"}}
    inputs = _inputs(clusterers=agreed)
    assert inputs.clustering.consensus_read(_of_cell(clusterer="agreed")) == "results/d/consensus/folded.h5"
    # No cell of the study takes the consensus, so that the other study is no part of it.
    assert not any("folded" in path for path in inputs.targets.of_study("main")(Wildcards()))


def test_a_map_is_made_of_its_decomposition_and_that_of_the_features(inputs):
    place = {name: OF_CELL[name] for name in ("preprocess", "backbone", "layer")}
    of_map = inputs.clustering.decomposed_from(Wildcards(**place, decomposition="map"))
    assert of_map == "results/d/decomposed/plain/net/fire9_avg/pca.h5"
    of_features = inputs.clustering.decomposed_from(Wildcards(**place, decomposition="pca"))
    assert of_features == "results/d/features/plain/net/fire9_avg.h5"


def test_facts_that_are_regressed_out_are_read_beside_the_features(tmp_path):
    table = tmp_path / "facts.csv"
    flat = {"method": "pca", "regress_out": {"facts": ["operator"], "table": str(table)}}
    inputs = _inputs(decompositions={**CONFIG["decompositions"], "flat": flat})
    place = {"preprocess": "plain", "backbone": "net", "layer": "fire9_avg@part"}
    assert inputs.clustering.regressed_on(Wildcards(**place, decomposition="pca")) == {}
    with pytest.raises(SystemExit, match=r"decompositions\.flat\.regress_out\.table: found no file"):
        inputs.clustering.regressed_on(Wildcards(**place, decomposition="flat"))
    table.touch()
    assert inputs.clustering.regressed_on(Wildcards(**place, decomposition="flat")) == {
        "manifest": "results/d/subsets/part.csv",
        "images": "results/d/preprocess/plain.h5",
        "table": str(table),
    }


def test_rows_of_a_subset_have_its_manifest(inputs):
    assert inputs.clustering.manifest_of_rows(_of_cell()) == "results/d/manifest.csv"
    assert inputs.clustering.manifest_of_rows(_of_cell(layer="fire9_avg@part")) == "results/d/subsets/part.csv"
    assert inputs.clustering.clusters_of_subset(Wildcards(subset="part")) == []
    clusters = inputs.clustering.clusters_of_subset(Wildcards(subset="cluster"))
    assert clusters == "results/d/clusters/plain/net/fire9_avg/pca5w/kmeans.h5"


def test_rows_of_tables_name_the_choices_and_null_where_one_does_not_apply(inputs):
    known = {"dataset": "d", "preprocess": "plain", "backbone": "net", "layer": "fire9_avg", "clusterer": "kmeans"}
    found = inputs.clustering.cell_columns(_of_cell(layer="fire9_avg@part"))
    assert found == known | {"subset": "part", "reducer": "pca5w", "n_components": 5, "whiten": True}
    found = inputs.clustering.cell_columns(_of_cell(reducer="none"))
    assert found == known | {"subset": "all", "reducer": "none", "n_components": None, "whiten": None}


def test_a_studys_scores_are_those_of_its_cells_and_of_their_folds(inputs):
    scores = inputs.clustering.scores_of_study(Wildcards(study="folded"))
    assert scores == [
        "results/d/scores/plain/net/fire9_avg/pca5w/kmeans.parquet",
        "results/d/validated/plain/net/fire9_avg/pca5w/kmeans/folds/scores.parquet",
    ]
    assert len(inputs.clustering.class_scores_of_study(Wildcards(study="main"))) == 4


def test_a_figures_table_reads_what_the_kind_says_of_each_cell(inputs):
    sources = inputs.figures.table_sources(Wildcards(study="main", figure="map"))
    place = "plain/net/fire9_avg"
    assert sources == {
        "manifest": ["results/d/manifest.csv"],
        "map": [f"results/d/decomposed/{place}/map.h5"],
        "points": [f"results/d/decomposed/{place}/pca.h5"],
        "clusters": [f"results/d/clusters/{place}/pca5w/kmeans.h5"],
        "scores": [f"results/d/scores/{place}/pca5w/kmeans.parquet"],
    }
    assert len(inputs.figures.table_sources(Wildcards(study="main", figure="all"))["scores"]) == 4
    folds = inputs.figures.table_sources(Wildcards(study="folded", figure="folds"))
    assert folds == {"validated": ["results/d/validated/plain/net/fire9_avg/pca5w/kmeans/folds/scores.parquet"]}


def test_a_table_of_facts_that_is_not_there_ends_the_run(tmp_path):
    figures = {"n": {"kind": "nuisances", "facts": str(tmp_path / "no.csv")}}
    inputs = _inputs(studies={"main": {"vary": {"whiten": [True, False]}, "figures": figures}})
    with pytest.raises(SystemExit, match=r"config: studies\.main\.figures\.n\.facts: found no file .*no\.csv"):
        inputs.figures.table_sources(Wildcards(study="main", figure="n"))


def test_sets_of_labels_are_read_in_the_order_of_their_names_and_folders_are_listed(inputs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    of_labels = Wildcards(study="main", figure="labels")
    with pytest.raises(SystemExit, match=r"figures: labels: sets: second: found nothing at second\.csv"):
        inputs.figures.table_settings(of_labels)
    Path("FOLDER").mkdir()
    Path("second.csv").touch()
    with pytest.raises(SystemExit, match=r"config: figures: labels: sets: first: no file in FOLDER"):
        inputs.figures.table_settings(of_labels)
    Path("FOLDER", "a.png").touch()
    assert inputs.figures.table_sources(of_labels)["sets"] == ["FOLDER", "second.csv"]
    before = inputs.figures.table_settings(of_labels)
    assert list(before["sets"]) == ["first", "second"]
    Path("FOLDER", "b.png").touch()
    after = inputs.figures.table_settings(of_labels)
    assert before["listings"].keys() == after["listings"].keys() == {"first"}
    assert before["listings"] != after["listings"]


def test_a_figure_of_more_than_one_subset_has_the_manifest_of_all_and_counts_each(inputs):
    every, part = Wildcards(study="main", figure="all"), Wildcards(study="main", figure="part")
    manifests = {"results/d/manifest.csv", "results/d/subsets/part.csv", "results/d/subsets/cluster.csv"}
    assert inputs.figures.manifest_shown(every) == "results/d/manifest.csv"
    assert set(inputs.figures.subsets_shown(every)) == manifests
    assert inputs.figures.manifest_shown(part) == "results/d/subsets/part.csv"
    assert inputs.figures.subsets_shown(part) == ["results/d/subsets/part.csv"]


def test_only_figures_that_show_images_read_them_and_only_those_that_run_clusterers_get_these(inputs):
    assert inputs.figures.images_shown(Wildcards(study="main", figure="part")) == ["results/d/preprocess/plain.h5"]
    assert inputs.figures.images_shown(Wildcards(study="main", figure="all")) == []
    assert inputs.figures.table_settings(Wildcards(study="main", figure="toys"))["clusterers"].keys() == {"kmeans"}
    assert "clusterers" not in inputs.figures.table_settings(Wildcards(study="main", figure="all"))


def test_pages_read_their_cells_and_the_images_that_they_name(inputs):
    gallery, audit = (inputs.pages.sources(kind)(Wildcards(study="main")) for kind in ("gallery", "audit"))
    assert gallery["images"] == "results/d/preprocess/small.h5"
    assert len(gallery["clusters"]) == len(inputs.pages.params("gallery")["cells"](Wildcards(study="main"))) == 4
    assert audit["images"] == "results/d/preprocess/plain.h5"


def test_an_explorer_reads_the_ranking_of_the_cells_if_the_study_has_one():
    vary = {"whiten": [True, False], "layer": ["fire5_avg", "fire9_avg"]}
    studies = {
        "ranked": {"vary": vary, "verdict": {"at": {"layer": "fire5_avg"}}, "explorer": {}},
        "plain": {"vary": vary, "explorer": {}},
    }
    inputs = _inputs(studies=studies)
    ranked, plain = (Wildcards(study=study) for study in studies)
    assert inputs.pages.explorer_sources(ranked)["trust"] == ["results/d/tables/ranked/trust.parquet"]
    assert inputs.pages.explorer_sources(plain)["trust"] == []
    opening = inputs.pages.opening_of_explorer(ranked)
    assert (opening["baseline"]["layer"], opening["baseline"]["whiten"]) == ("fire9_avg", True)
    assert opening["ranked"] == inputs.figures.table_cells(Wildcards(study="ranked", figure="trust"))
    assert inputs.pages.opening_of_explorer(plain)["ranked"] == []


def test_a_study_of_a_selection_repeats_the_cells_for_its_images_alone():
    """The explorer's lines for the next run: the study's settings, and the subset in its baseline."""

    def cells(study):
        inputs = _inputs(studies={"main": study}, subsets={"odd": {"file": "picked.csv"}})
        main = Wildcards(study="main")
        return inputs.pages.study_of_explorer(main), inputs.pages.params("explorer")["cells"](main)

    choices = {"vary": {"whiten": [True, False], "n_components": [5, 10]}, "design": "product", "explorer": {"k": [3]}}
    settings, every = cells({**choices, "vary": {**choices["vary"], "subset": ["all", "odd"]}})
    assert settings == choices
    _, repeated = cells({**settings, "baseline": {"subset": "odd"}})
    assert repeated == [cell for cell in every if cell["subset"] == "odd"]
    assert len(repeated) == 4


def test_a_folder_that_holds_the_results_is_refused_unless_they_are_excluded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1.png").touch()
    (tmp_path / "results" / "d").mkdir(parents=True)
    (tmp_path / "results" / "d" / "1.png").touch()
    for folder, instead in ((".", r", or this one with intake: \{exclude: \[results\]\}"), ("results/d", "")):
        said = f"data: found '{folder}', which would make images of the figures in results/d, allowed: another folder"
        with pytest.raises(SystemExit, match=f"{said}{instead}$"):
            _inputs(data=folder).intake.listing(None)
    assert _inputs(data=".", intake={"exclude": ["results"]}).intake.listing(None)


def test_corrections_are_one_table_or_several_which_are_no_images(tmp_path):
    (tmp_path / "1.png").touch()
    tables = [str(tmp_path / name) for name in ("first.csv", "second.csv")]
    listing = _inputs(data=str(tmp_path)).intake.listing(None)
    for table in tables:
        Path(table).write_text("path,label\n1.png,a\n")
    intakes = ({"labels": {"corrections": files}} for files in (tables[0], tables))
    one, both = (_inputs(data=str(tmp_path), intake=intake) for intake in intakes)
    assert one.intake.label_corrections(None) == tables[:1]
    assert both.intake.label_corrections(None) == tables
    assert both.intake.listing(None) == listing != one.intake.listing(None)
    state = both.state_of(both.intake.label_corrections)
    before = state(None)
    Path(tables[1]).write_text("path,label\n")
    assert state(None) != before


def test_a_gallery_and_an_explorer_read_the_scores_of_imagenets_classes_once_where_a_pass_makes_them():
    layers = [["fire5_avg"], ["fire9_avg", "logits"]]
    backbones = {**CONFIG["backbones"], "net": {"model": "squeezenet1_1", "layers": layers}}
    studies = {"main": {**CONFIG["studies"]["main"], "explorer": {}}}
    inputs, study = _inputs(backbones=backbones, studies=studies), Wildcards(study="main")
    scores = "results/d/features/plain/net/logits.h5"
    assert inputs.pages.gallery_sources(study)["class_scores"] == [scores]
    assert inputs.pages.class_scores_seen("gallery")(study) == [scores] * 4
    assert inputs.pages.explorer_sources(study)["class_scores"] == [scores]
    without = _inputs(studies=studies).pages
    assert without.gallery_sources(study)["class_scores"] == without.explorer_sources(study)["class_scores"] == []


def test_joined_features_bring_the_settings_weights_and_class_scores_of_their_parts():
    backbones = {
        "lbp": {"descriptor": "lbp"},
        "net": {"model": "squeezenet1_1", "layers": [["fire9_avg", "logits"]]},
        "other": {"model": "resnet18", "weights": "random", "layers": [["avgpool"]]},
        "both": {"join": {"lbp": "features", "net": "fire9_avg", "other": "avgpool"}},
    }
    baseline = {**CONFIG["baseline"], "backbone": "both", "layer": "features"}
    inputs, study = (
        _inputs(backbones=backbones, baseline=baseline, studies={"main": {"gallery": {}}}),
        Wildcards(study="main"),
    )
    names = ("lbp/features", "net/fire9_avg", "other/avgpool")
    assert inputs.features.part_files("both", "features") == [
        f"results/d/features/{{preprocess}}/{name}.h5" for name in names
    ]
    assert inputs.features.part_files("net", "logits") == []
    parts = inputs.models.applied_settings(study)["backbone"]["join"]
    assert [(name, part["layer"]) for name, part in parts.items()] == [tuple(name.split("/")) for name in names]
    assert (parts["net"]["model"], parts["other"]["weights"]) == ("squeezenet1_1", "random")
    weights = ["results/d/weights/net.json", "results/d/weights/other.json"]
    assert inputs.models.card_sources(study)["weights"] == inputs.methods.sources(None)["weights"] == weights
    assert inputs.pages.gallery_sources(study)["class_scores"] == ["results/d/features/plain/net/logits.h5"]


def test_a_verdict_of_several_subsets_ends_before_the_first_job():
    vary = {"subset": ["all", "part"], "whiten": [True, False]}
    study = {"vary": vary, "design": "product", "verdict": {}, "explorer": {}}
    message = r"studies\.main: found cells of several subsets, allowed: one: .*verdict: {at: {subset: NAME}}"
    with pytest.raises(UserError, match=message):
        check(Grid(parse(CONFIG | {"studies": {"main": study}})))
    inputs = _inputs(studies={"main": study | {"verdict": {"at": {"subset": "all"}}}})
    assert len(inputs.pages.explorer_sources(Wildcards(study="main"))["clusters"]) == 4
    assert len(inputs.pages.opening_of_explorer(Wildcards(study="main"))["ranked"]) == 2


def test_a_fine_tuned_network_has_weights_of_its_own(inputs):
    assert inputs.features.weights_of("net") == "results/d/weights/net.json"
    assert inputs.features.frozen_network("tuned")["weights"] == "results/d/finetuned/tuned.safetensors"
    assert inputs.features.frozen_network("net")["weights"] == "default"
    assert inputs.features.images_to_learn_from(Wildcards(backbone="tuned")) == "results/d/preprocess/small.h5"


def test_a_missing_file_of_the_user_ends_the_run_with_one_line(inputs, capsys):
    with pytest.raises(SystemExit, match=r"^Error: config: backbones\.tuned\.weights: found no file w\.pth$"):
        inputs.features.weight_file(Wildcards(backbone="tuned"))
    assert inputs.features.weight_file(Wildcards(backbone="net")) == []
    with pytest.raises(SystemExit, match=r"^Error: config: new_images: found nothing, allowed: a folder of images"):
        inputs.new_images.predictions(None)


def test_the_parts_of_a_new_file_are_one_group_unless_a_rule_says_otherwise():
    tiles = {"tiles": {"size": 64}}
    assert _inputs().new_images.group_rule is None
    assert _inputs(intake=tiles).new_images.group_rule == {"rule": "file"}
    assert _inputs(intake={**tiles, "groups": "folder"}).new_images.group_rule["rule"] == "folder"
    assert _inputs(intake=tiles).new_images.table.endswith("regions.csv")


def test_braces_in_the_data_folder_matter_if_a_table_of_labels_is_in_it(tmp_path):
    """The images are no files of Snakemake, which would take `{steel}` for a wildcard; the table is one."""
    folder = tmp_path / "my {steel} images"
    folder.mkdir()
    intake = _inputs(data=str(folder)).intake
    assert intake.images_folder() == str(folder)
    assert intake.label_table(None) == []
    (folder / "labels.csv").write_text("path,label\n")
    with pytest.raises(SystemExit, match=r"config: data: found .*labels.csv', allowed: a path without {steel}, a wild"):
        intake.label_table(None)


def test_a_file_of_the_user_that_is_replaced_by_an_older_one_is_seen(tmp_path):
    weights, labels = tmp_path / "w.pth", tmp_path / "labels.csv"
    weights.write_bytes(b"new")
    labels.write_text("path,label\n")
    net = {"model": "squeezenet1_1", "weights": str(weights), "layers": [["fire9_avg"]]}
    inputs = _inputs(
        backbones={**CONFIG["backbones"], "net": net}, intake={"labels": {"rule": "csv", "file": str(labels)}}
    )
    of_weights, of_labels = inputs.state_of(inputs.features.weight_file), inputs.state_of(inputs.intake.label_table)
    net, before = Wildcards(backbone="net"), of_labels(None)
    new = of_weights(net)
    os.utime(weights, (1, 1))  # the same size with an older time
    assert of_weights(net) != new
    assert of_labels(None) == before
    assert inputs.state_of()(None) == inputs.state_of(inputs.intake.excluded_images)(None)  # nothing is brought


def test_labels_of_a_table_that_is_not_there_end_the_dry_run(tmp_path):
    inputs = _inputs(data=str(tmp_path), intake={"labels": {"rule": "csv"}}).intake
    with pytest.raises(SystemExit, match=r"config: intake.*: found none, and no"):
        inputs.label_table(None)
    (tmp_path / "labels.csv").touch()
    assert inputs.label_table(None) == str(tmp_path / "labels.csv")


def test_every_rule_that_reads_a_file_of_the_user_sees_that_it_is_replaced():
    seeing = {rule.name for rule in parsed() if "state" in rule.params.keys()}  # noqa: SIM118
    assert seeing == {"intake", "scale_bars", "scales_page", "label", "subset", "fetch_weights", "decompose"}


def test_the_shards_of_a_pass_are_temporary_and_joined_by_a_rule_like_that_without_shards(tmp_path):
    small = (ROOT / "tests" / "small.yaml").read_text()
    layers = "layers: [[fire5_avg], [fire9_avg, fire8_avg], [fire5_avg+fire9_avg]]"
    rules = {}
    for shards in (1, 2):
        path = tmp_path / f"{shards}.yaml"
        path.write_text(small.replace("layers: [[fire5_avg], [fire9_avg]]", f"shards: {shards}\n    {layers}"))
        rules[shards] = {rule.name: rule for rule in parsed(path)}
    assert rules[2].keys() - rules[1].keys() == {"shards_squeezenet_0", "shards_squeezenet_1"}
    whole, computing, joining = (
        rules[shards][name]
        for shards, name in ((1, "features_squeezenet_1"), (2, "shards_squeezenet_1"), (2, "features_squeezenet_1"))
    )
    place = "results/small/shards/{preprocess}/squeezenet"
    parts = [f"{place}/{layer}/{number}-of-2.h5" for number in (1, 2) for layer in ("fire9_avg", "fire8_avg")]
    assert list(joining.input.shards) == parts
    assert len(computing.output) == 2
    assert all("/shards/" in output and "temp" in output.flags for output in computing.output)
    assert list(joining.output) == list(whole.output)

    def params(rule):
        return {name: value(None) if callable(value) else value for name, value in rule.params.items()}

    assert params(joining) == params(computing) == params(whole)
    assert (computing.resources["gpu"], joining.resources.get("gpu")) == (1, None)


def test_gpus_are_for_what_is_told_to_take_one(inputs):
    assert [inputs.clustering.decomposition_gpus(Wildcards(decomposition=name)) for name in ("pca", "codes")] == [0, 1]
    assert inputs.clustering.clusterer_gpus(_of_cell()) == 0


def test_exported_are_the_features_of_all_images_of_each_layer_once():
    inputs = _inputs(export_as="csv")
    assert inputs.features.exported(None) == ["results/d/exported/plain/net/fire9_avg.csv"]


def test_models_are_those_of_studies_with_a_place_for_new_images(inputs):
    assert inputs.models.paths == [f"results/d/models/{study}/model.json" for study in ("main", "folded")]
    sources = inputs.models.sources(Wildcards(study="main"))
    assert sources["network"] == sources["features"] == "results/d/features/plain/net/fire9_avg.h5"
    settings = inputs.models.applied_settings(Wildcards(study="main"))
    assert settings["decomposition"]["method"] == "pca"
    assert settings["backbone"]["licence"] is None


def test_the_code_that_places_new_images_counts_in_models():
    inputs = _inputs(studies={"main": {}, "coded": {"baseline": {"decomposition": "codes", "n_components": None}}})
    code = inputs.models.code("model", inputs.models.of_study)
    assert code(Wildcards(study="main")) == code_digest("jobs.model", "reduce.pca")
    assert code(Wildcards(study="coded")) == code_digest("jobs.model", "reduce.autoencoder")
    of_all = inputs.models.code("predict", inputs.models.of_all)
    assert of_all(None) == code_digest("jobs.predict", "reduce.pca", "reduce.autoencoder")


def test_a_run_whose_studies_have_no_model_says_what_has_no_place_for_new_images(tmp_path):
    refused = {
        "decomposition map": {"main": {"baseline": {"decomposition": "map"}}},
        "decomposition without": {"main": {"baseline": {"decomposition": "without"}}},
        "backbone mine": {"main": {"baseline": {"backbone": "mine", "layer": "features"}}},
    }
    refused["backbone mine, decomposition map"] = {
        "one": refused["backbone mine"]["main"],
        "two": refused["decomposition map"]["main"],
    }
    others = {"without": {"method": "pca", "regress_out": ["brightness"]}}
    changes = {
        "backbones": {**CONFIG["backbones"], "mine": {"file": str(tmp_path / "mine.npz")}},
        "decompositions": {**CONFIG["decompositions"], **others},
        "new_images": str(tmp_path),
    }
    for found, studies in refused.items():
        inputs = _inputs(studies=studies, **changes)
        for ask in (inputs.models.with_cards, inputs.new_images.predictions, inputs.new_images.monitors):
            with pytest.raises(SystemExit) as caught:
                ask(None)
            message = f"Error: config: studies: found none with a model ({found}), allowed: what can be applied"
            assert str(caught.value).startswith(message)


def test_published_tables_are_those_that_the_configuration_makes(inputs):
    made = [f"results/d/tables/{name}.parquet" for name in ("main.classes", "main/map")]
    assert inputs.figures.published_tables == made
    compared = _inputs(reproduction={"published": "cohn"})
    assert len(compared.figures.reproduction_settings["facts"]) == len(FACTS)
    assert "results/d/figures/reproduction.png" in compared.targets.everything(None)
    assert "results/d/figures/reproduction.png" not in compared.targets.of_study("main")(None)


def test_a_study_is_also_what_its_figures_are_made_of(inputs):
    files = set(inputs.targets.of_study("main")(None))
    assert files <= set(inputs.targets.everything(None))
    assert {"results/d/tables/main.parquet", "results/d/audit/main.csv", "results/d/gallery/main.html"} <= files
    assert {"results/d/figures/main/map.svg", "results/d/figures/main/map.png"} <= files
    assert "results/d/features/plain/net/fire9_avg.h5" in files
    assert any(path.startswith("results/d/decomposed/plain/net/fire9_avg/") for path in files)
    # What reads the tables of other studies would have these studies computed.
    assert not any("/models/" in path or "reproduction" in path or "/methods/" in path for path in files)
    assert "results/d/methods/methods.md" in inputs.targets.everything(None)


def test_shards_are_no_targets(inputs):
    split = _inputs(backbones={"net": CONFIG["backbones"]["net"] | {"shards": 2}})
    assert split.targets.layout.temporary(split.targets.grid)
    assert split.targets.everything(None) == inputs.targets.everything(None)


def test_a_study_is_also_those_that_its_cells_read_and_those_that_these_read():
    """Cells that only a figure shows count, and so do the cells of the studies that are read."""
    agreed = {name: {"method": "consensus", "study": name} for name in ("near", "far")}
    shown = {"kind": "confusion", "at": {"clusterer": "near"}}
    studies = {
        "main": CONFIG["studies"]["main"] | {"figures": {"shown": shown}},
        "near": {"vary": {"clusterer": ["kmeans", "far"]}, "figures": {}},
        "far": {"vary": {"preprocess": ["plain", "small"]}, "figures": {}},
        "other": {"vary": {"preprocess": ["plain", "small"]}, "figures": {}},
    }
    inputs = _inputs(clusterers=CONFIG["clusterers"] | agreed, studies=studies)
    files = inputs.targets.of_study("main")(None)
    assert {"results/d/consensus/near.h5", "results/d/consensus/far.h5"} <= set(files)
    assert not any("other" in path for path in files)


def test_the_model_whose_layers_are_listed_is_a_backbones_or_one_by_name(inputs):
    assert inputs.targets.listed_model(None) == "squeezenet1_1"
    assert inputs.targets.listed_size(None) == 224
    assert _inputs(backbone="vgg16").targets.listed_model(None) == "vgg16"
