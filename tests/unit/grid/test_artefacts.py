"""The registry of artefacts: each is declared once, all files that a configuration names, and the page of results."""

import re
from pathlib import Path

import yaml

from tests.rules import parsed
from workflow_scripts.grid.__main__ import page
from workflow_scripts.grid.artefacts import ARTEFACTS, PRUNED_FOLDERS, Layout
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.expand import Grid
from workflow_scripts.grid.paths import beside
from workflow_scripts.settings import parse

ROOT = Path(__file__).parent.parent.parent.parent
CONFIG = """
intake: {scale_bars: true}
preprocess: {plain: [grey, resize], learned: [grey, resize], shown: [grey, resize], unused: [grey, resize]}
backbones:
  net:
    {model: squeezenet1_1, shards: 2, layers: [[fire5_avg, fire9_avg], [fire8_avg]], finetune: {preprocess: learned}}
  unused: {model: squeezenet1_1, layers: [[fire9_avg]]}
decompositions: {pca: {method: pca}, source: {method: pca}, map: {method: tsne, of: source}, unused: {method: pca}}
clusterers: {kmeans: {method: kmeans}, unused: {method: kmeans}}
cross_validations: {folds: {}, unused: {}}
subsets: {part: {label: [a]}, unused: {label: [b]}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, n_components: 5, clusterer: kmeans}
studies:
  main:
    vary: {subset: [all, part]}
    cross_validation: folds
    figures: {map: {kind: embedding, map: map}, turned: {kind: perturbations}}
    audit: {images: shown}
    labelling: {}
    gallery: {}
    explorer: {at: {subset: all}}
    verdict: {at: {subset: all}}
reproduction: {published: cohn}
"""


def _named(**changes):
    return Layout("d").named(Grid(parse(yaml.safe_load(CONFIG) | changes)))


def test_a_configuration_that_uses_every_kind_names_a_file_of_every_kind_and_nothing_unused():
    named = _named()
    for name, artefact in ARTEFACTS.items():
        pattern = re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(f"results/d/{artefact.stem}"))
        for ending in artefact.endings:
            matching = [path for path in named if re.fullmatch(pattern + re.escape(ending), path)]
            assert bool(matching) == artefact.is_pruned, name
    assert not [path for path in named if "unused" in path]


def test_what_a_configuration_names_lies_where_prune_looks():
    assert {path.split("/")[2] for path in _named()} == set(PRUNED_FOLDERS)


def test_images_that_only_a_network_learns_from_and_those_that_only_a_page_shows_are_named():
    stacks = {path for path in _named() if "/preprocess/" in path}
    assert stacks == {f"results/d/preprocess/{name}.h5" for name in ("plain", "learned", "shown")}


def test_maps_are_named_with_what_they_are_made_of():
    decomposed = {path.rpartition("/")[2] for path in _named() if "/decomposed/" in path}
    assert decomposed == {"pca.h5", "map.h5", "source.h5"}


def test_a_consensus_that_is_the_clusters_of_a_cell_is_named():
    config = yaml.safe_load(CONFIG)
    clusterers = {**config["clusterers"], "agreed": {"method": "consensus", "study": "plain"}}
    studies = {"plain": {}, "agreed": {"baseline": {"clusterer": "agreed"}}}
    assert "results/d/consensus/plain.h5" in _named(clusterers=clusterers, studies=studies)


def test_the_agreement_of_cells_is_named_once_for_each_k_of_figures_and_consensus():
    figures = {
        "map": {"kind": "choice_map"},
        "trust": {"kind": "trust", "k": 3},
        "effects": {"kind": "partition_effects"},
    }
    named = _named(clusterers={"kmeans": {"method": "kmeans", "k": [2, 3]}}, studies={"main": {"figures": figures}})
    agreements = {path for path in named if "/agreement/" in path}
    assert agreements == {f"results/d/agreement/main/{k}.h5" for k in ("smallest", "3")}
    with_verdict = _named(
        clusterers={"kmeans": {"method": "kmeans", "k": [2, 3]}}, studies={"main": {"verdict": {"k": 2}}}
    )
    assert "results/d/agreement/main/2.h5" in with_verdict


def test_no_two_artefacts_are_the_same_file():
    files = [artefact.stem + ending for artefact in ARTEFACTS.values() for ending in artefact.endings]
    assert len(set(files)) == len(files)


def test_an_artefact_depends_on_the_axes_of_its_path():
    before_clusterer = tuple(axis for axis in AXES if axis != "clusterer")
    assert ARTEFACTS["clusters"].axes == tuple(AXES)
    assert ARTEFACTS["preprocessed"].axes == ("preprocess",)
    assert ARTEFACTS["features"].axes == ARTEFACTS["subset_features"].axes == before_clusterer[:4]
    assert ARTEFACTS["decomposed"].axes == before_clusterer[:5]
    assert ARTEFACTS["study_table"].axes == ()


def test_the_endings_of_an_artefact_stand_beside_each_other():
    assert beside(Layout("a.b").study_table, ".classes.csv") == "results/a.b/tables/{study}.classes.csv"
    assert beside("results/d/figures/main/v1.2.svg", ".png") == "results/d/figures/main/v1.2.png"


def _path(output: str) -> str:
    """Return the pattern of an output without the wildcards' constraints."""
    return re.sub(r"\{(\w+),[^}]*\}", r"{\1}", str(output))


def _made() -> dict[str, set[str]]:
    """Return for each artefact the names of the rules that write it, from the rules parsed by Snakemake."""
    made: dict[str, set[str]] = {}
    for rule in parsed():
        for output in rule.output:
            made.setdefault(str(Layout("small").artefact_of(_path(output))), set()).add(rule.name)
    return made


def test_every_file_that_a_rule_writes_is_declared_as_made_by_it():
    """The names of rules for the passes of backbones begin with the name that the artefact declares."""
    expected = {"figure_table": {"figure_table", "computed_table"}}
    for artefact, rules in _made().items():
        maker = ARTEFACTS[artefact].made_by
        assert rules == expected.get(artefact, {maker}) or all(name.startswith(f"{maker}_") for name in rules)


def test_every_artefact_is_written_by_a_rule():
    """Exceptions are the files of stopped jobs, artefacts that only some configurations have, and the report."""
    rare = {
        "label_matches",
        "monitor",
        "predictions",
        "regions",
        "regions_set_aside",
        "report",
        "report_files",
        "ro_crate",
        "shards",
    }
    missing = ARTEFACTS.keys() - _made().keys() - rare
    of_new_images = ("new_images/", "predictions/")
    assert all(
        ARTEFACTS[name].endings == (".facts",) or ARTEFACTS[name].stem.startswith(of_new_images) for name in missing
    )


def test_what_the_report_shows_is_what_rules_mark_for_it():
    marked = {_path(output) for rule in parsed() for output in rule.output if "report" in output.flags}
    artefacts = ARTEFACTS.values()
    assert marked == {f"results/small/{each.stem}{ending}" for each in artefacts for ending in each.reported}


def test_the_page_on_the_results_is_the_registrys():
    assert (ROOT / "results" / "README.md").read_text() == page()
