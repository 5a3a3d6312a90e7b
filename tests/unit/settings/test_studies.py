"""The files in config/studies: they are valid, and they leave out combinations for the right reasons."""

from functools import cache

import pytest
from figure_artefacts import artefacts, tabulate

from tests.workflow import ROOT
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.metrics.table import CLASS_COLUMNS, COLUMNS
from workflow_scripts.settings import parse
from workflow_scripts.settings.published import read_facts
from workflow_scripts.settings.reading import read_yaml

STUDIES = ROOT / "config" / "studies"
OF_COHN = ("standard", "predictive", "equalisation", "layers", "components", "restarts", "clusters")


def grid_of(name, **changes):
    return Grid(parse({**read_yaml(STUDIES / f"{name}.yaml"), **changes}))


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_file_is_whole(path):
    check(Grid(parse(read_yaml(path))))


@pytest.mark.parametrize("name", ["cohn", "cohn-squeezenet"])
def test_the_seven_studies_of_cohn_are_there_and_keep_duplicates(name):
    grid = grid_of(name)
    assert tuple(grid.settings.studies) == OF_COHN
    assert grid.settings.intake.duplicates == "keep"
    standard = grid.cells["standard"]
    assert [(cell.reducer, cell.preprocess) for cell in standard] == [("pca50w", "clahe")]
    kmeans = grid.settings.clusterers["kmeans"]
    assert (kmeans.k, kmeans.n_init, kmeans.repeats, kmeans.init) == ([7], 500, 10, "k-means++")


@pytest.mark.parametrize("name", ["cohn", "audit", "sem", "gallery"])
def test_a_study_has_every_table_that_a_published_number_is_compared_with(name):
    grid = grid_of(name)
    for fact in read_facts(ROOT / f"config/published/{grid.settings.reproduction.published}.yaml"):
        study, _, figure = fact.table.partition("/")
        assert study.removesuffix(".classes") in grid.figures, fact.table
        assert not figure or figure in grid.figures[study], fact.table


@pytest.fixture(scope="module")
def columns_of(tmp_path_factory):
    """Return a function that gives the columns of the table of a kind of figure."""
    made = artefacts(tmp_path_factory.mktemp("artefacts"), 4)
    return cache(lambda kind: set(tabulate(kind, *made[kind])))


@pytest.mark.parametrize("name", ["cohn", "audit", "sem", "gallery"])
def test_a_published_number_names_columns_that_its_table_has(name, columns_of):
    studies = grid_of(name).settings.studies
    for fact in read_facts(ROOT / f"config/published/{name}.yaml"):
        study, _, figure = fact.table.partition("/")
        scores = CLASS_COLUMNS if study.endswith(".classes") else COLUMNS
        columns = columns_of(studies[study].figures[figure].kind) if figure else set(scores)
        assert {fact.column, *fact.rows} <= columns, fact


def test_the_convolutions_join_when_they_have_weights():
    without, given = grid_of("cohn-squeezenet"), grid_of("cohn-squeezenet", weights="vgg16.h5")
    added = set(given.cells["layers"]) - set(without.cells["layers"])
    of_both = {(layer, reducer) for layer in ("block5_pool", "block5_conv3") for reducer in ("pca110", "tsne_wide")}
    assert {(cell.layer, cell.reducer) for cell in added} == of_both | {("block5_pool", "pca110w")}
    assert all(cell.backbone != "vgg16" for cell in without.all_cells)
    assert set(given.figures["layers"]) > set(without.figures["layers"])
    _ = without.cells, without.figures
    reasons = {skipped.reason.partition(";")[0] for skipped in without.skipped if skipped.study == "layers"}
    assert reasons == {"vgg16 has no weights"}


def test_the_factorial_is_a_full_product_of_over_a_million_runs():
    grid = grid_of("cohn-factorial")
    cells = grid.cells["factorial"]
    clusterer = grid.settings.clusterers["kmeans"]
    axes = ("preprocess", "layer", "n_components", "whiten")
    sizes = [len({getattr(cell, axis) for cell in cells}) for axis in axes]
    assert len(cells) == sizes[0] * sizes[1] * sizes[2] * sizes[3]
    assert min(sizes) > 1
    assert len(cells) * len(clusterer.k) * clusterer.repeats * clusterer.n_init > 1_000_000


def test_cross_validation_needs_a_place_for_new_images():
    config = read_yaml(STUDIES / "cohn-squeezenet.yaml")
    config["studies"] = {"maps": {"baseline": {"decomposition": "tsne"}, "cross_validation": "folds"}}
    with pytest.raises(
        UserError, match=r"studies\.maps: cross_validation: decomposition: found 'tsne', allowed: a pca"
    ):
        check(Grid(parse(config)))


def test_only_studies_that_ask_for_it_are_cross_validated():
    grid, layout = grid_of("cohn-squeezenet"), Layout("steel")
    files = {
        study: layout.validated_of(layout.validated, cells, grid.settings.studies[study].cross_validation)
        for study, cells in grid.cells.items()
    }
    assert [study for study, paths in files.items() if paths] == ["predictive"]
    assert files["predictive"] == [
        f"results/steel/validated/clahe/squeezenet/fire9_avg/pca{n}w/kmeans/folds/scores.parquet" for n in (50, 35)
    ]
