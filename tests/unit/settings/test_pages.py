"""The keys `audit` and `gallery` of a study: the cells they show, mistakes, and what depends on their templates."""

import copy

import pytest
import yaml

from workflow_scripts import provenance
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.settings import parse

CONFIG = yaml.safe_load("""
preprocess: {plain: [grey, resize], clahe: [grey, clahe, resize]}
backbones: {small: {model: squeezenet1_1, layers: [[fire5_avg], [fire9_avg]]}}
clusterers: {one: {method: kmeans, k: 3}, many: {method: kmeans, k: [2, 3, 4]}}
baseline: {preprocess: clahe, backbone: small, layer: fire9_avg, n_components: 20, whiten: true, clusterer: one}
""")


def grid(study):
    return Grid(parse(copy.deepcopy(CONFIG) | {"studies": {"main": study}}))


def test_an_audit_shows_one_cell_and_a_gallery_all_of_the_study():
    study = {
        "vary": {"clusterer": ["one", "many"], "layer": ["fire5_avg"]},
        "audit": {"at": {"clusterer": "many"}, "k": 4},
        "gallery": {"at": {"layer": "fire9_avg"}},
    }
    pages = grid(study).pages["main"]
    assert [cell.clusterer for cell in pages["audit"]] == ["many"]
    assert [(cell.layer, cell.clusterer) for cell in pages["gallery"]] == [("fire9_avg", "one"), ("fire9_avg", "many")]
    assert grid({}).pages["main"] == {}


def test_a_cell_that_only_a_page_shows_is_made():
    expanded = grid({"audit": {"at": {"layer": "fire5_avg"}}})
    assert {cell.layer for cell in expanded.all_cells} == {"fire9_avg", "fire5_avg"}


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (
            {"audit": {"images": "plane"}},
            "audit.images: found 'plane', allowed: plain, clahe (did you mean plain?)",
        ),
        ({"audit": {"k": 4}}, "k: found 4, allowed: 3, the numbers of clusterers.one.k"),
        ({"gallery": {"k": [3, 5]}}, "k: found 5, allowed: 3, the numbers of clusterers.one.k"),
        ({"audit": {"at": {"layer": "fire6"}}}, "at.layer: found 'fire6', allowed: fire5_avg, fire9_avg"),
        ({"audit": {"at": {"colour": "red"}}}, "at: unknown axis: found 'colour', allowed: preprocess"),
        (
            {"explorer": {"maps": [{"decomposition": "none"}]}},
            "explorer.maps: decomposition: found 'none', allowed: pca",
        ),
        ({"explorer": {"maps": [{"colour": "red"}]}}, "maps.0: unknown axis: found 'colour', allowed: preprocess"),
        ({"audit": {"neighbors": 5}}, "unknown key: found 'neighbors', allowed: at, images, k, neighbours, shown"),
    ],
)
def test_mistakes_are_told_in_one_line(page, message):
    with pytest.raises(UserError) as caught:
        check(grid(page))
    assert message in str(caught.value)


def test_prune_keeps_the_pages_and_the_images_that_only_they_show():
    named = Layout("d").named(grid({"audit": {"images": "plain"}, "gallery": {}}))
    assert {f"results/d/{path}" for path in ("audit/main.csv", "gallery/main.html", "preprocess/plain.h5")} <= named


def test_a_template_counts_with_the_code_of_its_page(monkeypatch, tmp_path):
    before = provenance.code_digest("jobs.audit")
    digest_of = provenance.file_digest
    monkeypatch.setattr(provenance, "file_digest", lambda path: f"{digest_of(path)}{path.name == 'page.html'}")
    provenance._compiled.cache_clear()
    after = provenance.code_digest("jobs.audit")
    provenance._compiled.cache_clear()
    assert before != after


def test_an_explorer_shows_all_cells_and_its_maps_are_decomposed_but_not_clustered():
    expanded = grid(
        {"vary": {"layer": ["fire5_avg"]}, "explorer": {"maps": [{"preprocess": "plain"}, {"layer": "fire5_avg"}]}}
    )
    assert [cell.layer for cell in expanded.pages["main"]["explorer"]] == ["fire9_avg", "fire5_avg"]
    assert [(cell.preprocess, cell.layer) for cell in expanded.maps["main"]] == [
        ("plain", "fire9_avg"),
        ("clahe", "fire5_avg"),
    ]
    assert {cell.preprocess for cell in expanded.all_cells} == {"clahe"}
    assert "results/d/decomposed/plain/small/fire9_avg/pca.h5" in Layout("d").named(expanded)
