"""The lines that a dry run prints."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid, Skipped
from workflow_scripts.planning.plan import (
    REASONS_SHOWN,
    check_place,
    left_out,
    restricted,
    too_many_clusters,
    without_model,
)
from workflow_scripts.planning.sizes import Sizes
from workflow_scripts.planning.snakemake_internals import Job
from workflow_scripts.settings import parse
from workflow_scripts.settings.backbones.descriptors import Pixels
from workflow_scripts.settings.backbones.network import Network

CONFIG = """
preprocess: {plain: [grey, resize]}
backbones: {net: {model: squeezenet1_1, layers: [[fire9_avg]]}, mine: {file: mine.npz}}
decompositions: {pca: {method: pca}, map: {method: tsne}}
clusterers: {kmeans: {method: kmeans}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, clusterer: kmeans}
studies:
  main: {vary: {decomposition: [pca]}}
  curved: {baseline: {decomposition: map}}
  brought: {baseline: {backbone: mine, layer: features}}
"""


def test_combinations_left_out_are_counted_by_study_and_reason():
    skipped = [Skipped("layers", (), reason) for reason in ("a has no layer x", "a has no layer x", "a has no layer y")]
    assert list(left_out([*skipped, Skipped("other", (), "a has no layer x")])) == [
        "  study layers: 2 combinations left out: a has no layer x",
        "  study layers: 1 combination left out: a has no layer y",
        "  study other: 1 combination left out: a has no layer x",
    ]


def test_many_reasons_end_in_one_line_with_the_count_of_the_rest():
    skipped = [Skipped("layers", (), f"a has no layer {number}") for number in range(REASONS_SHOWN + 3)]
    lines = list(left_out([*skipped, skipped[-1]]))
    assert len(lines) == REASONS_SHOWN + 1
    assert lines[-1] == "  study layers: 4 combinations left out for 3 more reasons of this kind"


def test_weights_that_may_not_be_used_for_everything_are_named():
    def network(model, weights="default"):
        return Network(model=model, weights=weights, layers=[["logits"]])

    backbones = {
        "vit": network("vit_h_14"),
        "dino": network("timm:vit_small_patch16_dinov3"),
        "own": network("vit_h_14", "mine.pth"),
        "control": network("timm:vit_small_patch16_dinov3", "random"),
        "free": network("timm:vit_small_patch14_dinov2"),
        "unused": network("timm:vit_small_patch16_dinov3"),
        "pixels": Pixels(descriptor="pixels"),
    }
    assert list(restricted(backbones, backbones.keys() - {"unused"})) == [
        "  licence of the weights of vit: cc-by-nc-4.0, which restricts their use; read it",
        "  licence of the weights of dino: dinov3-license, which restricts their use; read it",
    ]


def test_a_run_for_models_names_the_studies_without_one():
    def lines(target, config):
        run = SimpleNamespace(is_for=lambda *rules: target in rules)
        return list(without_model(run, Grid(parse(config))))

    config = yaml.safe_load(CONFIG)
    for target in ("models", "predict", "monitor"):
        (line,) = lines(target, config)
        assert line.startswith(
            "Studies without a model, left out: curved (decomposition map), brought (backbone mine); a model "
        )
    assert not lines("all", config)
    assert not lines("models", {**config, "studies": {"main": config["studies"]["main"]}})


def test_more_clusters_than_images_are_named_if_the_number_of_images_is_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for number in range(7):
        (tmp_path / "images" / f"{number}.png").write_bytes(b"1")
    config = yaml.safe_load(CONFIG) | {"data": "images"}
    found = "clusterers.kmeans.k: 8 is more than the 7 images, so these jobs will fail (studies: "
    for k, intake, refused in (([2, 8], {}, True), ([7], {}, False), ([8], {"tiles": {"size": 64}}, False)):
        settings = parse(config | {"clusterers": {"kmeans": {"method": "kmeans", "k": k}}, "intake": intake})
        layout = Layout("images")
        grid = Grid(settings)
        outputs = (layout.of(layout.clusters, grid.all_cells[0]), layout.methods)
        jobs = [Job("any", {"clusterer": "kmeans"}, (output,), "", 1, 0, 0) for output in outputs]
        lines = list(too_many_clusters(jobs, Sizes(settings, layout, grid)))
        assert [line.startswith(found) for line in lines] == [True] * refused


@pytest.mark.parametrize(("intake", "old"), [({}, "images"), ({"tiles": {"size": 64}}, "regions")])
def test_an_old_table_of_images_counts_only_if_no_job_writes_it_again(tmp_path, monkeypatch, intake, old):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for number in range(9):
        (tmp_path / "images" / f"{number}.png").write_bytes(b"1")
    config = {"data": "images", "clusterers": {"kmeans": {"method": "kmeans", "k": [8]}}, "intake": intake}
    layout, grid = Layout("images"), Grid(settings := parse(yaml.safe_load(CONFIG) | config))
    table = Path(getattr(layout, old))
    table.parent.mkdir(parents=True)
    table.write_text("image_id\na\nb\n")
    sizes = Sizes(settings, layout, grid)
    clusters, written = (
        Job("any", {"clusterer": "kmeans"}, (output,), "", 1, 0, 0)
        for output in (layout.of(layout.clusters, grid.all_cells[0]), str(table))
    )
    (line,) = too_many_clusters([clusters], sizes)
    assert "8 is more than the 2 images" in line
    assert not list(too_many_clusters([clusters, written], sizes))


def test_a_file_in_the_place_of_the_results_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_place("results/images")
    (tmp_path / "results").write_text("mine")
    with pytest.raises(UserError, match=r"^results: found a file or a dead link, allowed: a folder; move it away"):
        check_place("results/images")
    (tmp_path / "results").unlink()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "images").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"^results/images: found a file or a dead link"):
        check_place("results/images")
