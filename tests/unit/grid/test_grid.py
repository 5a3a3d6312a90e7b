"""Expansion of studies into cells, against itertools; names, paths, and combinations left out with their reasons."""

import copy
from collections import Counter
from itertools import product

import pytest
import yaml

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid, figure_cells
from workflow_scripts.grid.paths import dataset_name
from workflow_scripts.settings import parse

CONFIG = yaml.safe_load("""
preprocess: {plain: [grey, resize], clahe: [grey, clahe, resize]}
backbones:
  small: {model: squeezenet1_1, layers: [[fire5_avg], [fire9_avg]]}
  large: {model: vgg16, layers: [[fc1, fc2]]}
decompositions: {pca: {method: pca}, pca_few: {method: pca, max_components: 9}, map: {method: tsne, of: pca}}
clusterers:
  one: {method: kmeans, k: 3}
  many: {method: kmeans, k: [2, 3, 4]}
baseline:
  {preprocess: plain, backbone: small, layer: fire9_avg, n_components: 20, whiten: true, clusterer: one}
studies: {main: {}}
""")
BASELINE = Cell("plain", "small", "fire9_avg", "all", "pca", 20, True, "one")


def _grid(study, **changes):
    config = copy.deepcopy(CONFIG) | changes
    return Grid(parse(config | {"studies": {"main": study}}))


def _cells(study, **changes):
    return _grid(study, **changes).cells["main"]


def _with(**changes):
    return Cell(**(vars(BASELINE) | changes))


def _mistake(study, **changes):
    with pytest.raises(UserError) as caught:
        check(_grid(study, **changes))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _figure(figure):
    return {"figures": {"it": figure}}


# -------------------------------------------------------------------------------------------------------- expansion


def test_without_axes_a_study_is_its_baseline():
    assert _cells({}) == _cells({"design": "product"}) == [BASELINE]


def test_one_at_a_time_is_the_baseline_and_each_value_alone():
    vary = {"whiten": [True, False], "preprocess": ["clahe"], "n_components": [5, None]}
    assert _cells({"vary": vary}) == [
        BASELINE,
        _with(preprocess="clahe"),
        _with(n_components=5),
        _with(n_components=None),
        _with(whiten=False),
    ]


def test_a_product_is_every_combination():
    vary = {"whiten": [True, False], "layer": ["fire9_avg", "fire5_avg"], "n_components": [5, 2, None]}
    found = _cells({"vary": vary, "design": "product"})
    expected = [_with(layer=a, n_components=b, whiten=c) for a, b, c in product(*(vary[axis] for axis in sorted(vary)))]
    assert found == expected
    assert len(set(found)) == 12


def test_the_order_is_that_of_the_stages_whatever_the_file_says():
    vary = {"clusterer": ["many"], "n_components": [5], "preprocess": ["clahe"], "layer": ["fire5_avg"]}
    changed = [
        next(axis for axis in AXES if getattr(cell, axis) != getattr(BASELINE, axis))
        for cell in _cells({"vary": vary})[1:]
    ]
    assert changed == ["preprocess", "layer", "n_components", "clusterer"]


def test_a_studys_baseline_goes_before_the_configurations_and_axes_before_both():
    cells = _cells({"baseline": {"preprocess": "clahe", "n_components": 7}, "vary": {"n_components": [9]}})
    assert cells == [_with(preprocess="clahe", n_components=7), _with(preprocess="clahe", n_components=9)]


def test_further_cells_come_last():
    study = {"vary": {"whiten": [False]}, "cells": [{"n_components": 3, "whiten": False}, {"clusterer": "many"}]}
    assert _cells(study)[2:] == [_with(n_components=3, whiten=False), _with(clusterer="many")]


def test_cells_that_are_the_same_come_once():
    assert _cells({"vary": {"whiten": [False, True]}, "cells": [{"whiten": False}, {}]}) == [
        BASELINE,
        _with(whiten=False),
    ]
    grid = _grid({"vary": {"n_components": [20, "20", 20.0]}})
    assert grid.cells["main"] == [BASELINE]
    assert not grid.skipped


def test_whole_numbers_stay_whole_beside_nulls():
    for cell in _cells({"vary": {"n_components": [5, None]}}):
        assert cell.n_components is None or type(cell.n_components) is int


@pytest.mark.parametrize("decomposition", ["none", "map"])
def test_what_has_no_components_is_used_as_it_is_and_said_so(decomposition):
    study = {"vary": {"decomposition": ["pca", decomposition], "n_components": [5, 10], "whiten": [True, False]}}
    grid = _grid(study | {"design": "product"})
    as_it_is = _with(decomposition=decomposition, n_components=None, whiten=False)
    cells = grid.cells["main"]
    assert Counter(cell.decomposition for cell in cells) == {"pca": 4, decomposition: 1}
    assert as_it_is in cells
    reasons = {skipped.reason for skipped in grid.skipped}
    assert reasons == {f"{decomposition} is used as it is: no n_components, no whitening"}
    assert all(dict(skipped.choices)["decomposition"] == decomposition for skipped in grid.skipped)


def test_a_layer_of_another_backbone_is_left_out_with_the_reason():
    vary = {"backbone": ["small", "large"], "layer": ["fire9_avg", "fc1", "fc2"]}
    grid = _grid({"vary": vary, "design": "product"})
    assert {(cell.backbone, cell.layer) for cell in grid.cells["main"]} == {
        ("small", "fire9_avg"), ("large", "fc1"), ("large", "fc2")
    }  # fmt: skip
    assert {
        (dict(skipped.choices)["backbone"], dict(skipped.choices)["layer"], skipped.reason) for skipped in grid.skipped
    } == {
        ("small", "fc1", "small has no layer fc1"),
        ("small", "fc2", "small has no layer fc2"),
        ("large", "fire9_avg", "large has no layer fire9_avg"),
    }
    assert {skipped.study for skipped in grid.skipped} == {"main"}


def test_cells_of_several_studies_come_once_and_each_study_keeps_its_own():
    studies = {
        "a": {"vary": {"n_components": [5, 10]}},
        "b": {"vary": {"n_components": [10, 15]}, "baseline": {"clusterer": "many"}},
        "c": {},
    }
    grid = Grid(parse(CONFIG | {"studies": studies}))
    assert {name: len(cells) for name, cells in grid.cells.items()} == {"a": 3, "b": 3, "c": 1}
    assert len(grid.all_cells) == len(set(grid.all_cells)) == 6
    assert grid.studies_with("many") == ["b"]
    assert grid.studies_with("one") == ["a", "c"]


# ---------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ({"vary": {"layer": ["fire9"]}}, "studies.main.vary.layer: found 'fire9', allowed: fire5_avg, fire9_avg"),
        ({"vary": {"preprocess": ["clahee"]}}, "studies.main.vary.preprocess: found 'clahee', allowed: plain, clahe"),
        ({"vary": {"n_components": [2.5]}}, "studies.main.vary.n_components: found 2.5, allowed: a whole number"),
        ({"vary": {"n_components": [0]}}, "studies.main.vary.n_components: found 0, allowed: at least 1"),
        ({"vary": {"whiten": ["perhaps"]}}, "studies.main.vary.whiten: found 'perhaps', allowed: true or false"),
        ({"baseline": {"backbone": "tiny"}}, "studies.main.baseline.backbone: found 'tiny', allowed: small, large"),
        ({"baseline": {"layer": None}}, "studies.main.baseline.layer: found nothing, allowed: a text"),
        ({"cells": [{}, {"clusterer": "on"}]}, "studies.main.cells.1.clusterer: found 'on', allowed: one, many"),
        ({"baseline": {"layer": "fc1"}}, "studies.main: its baseline makes no sense: small has no layer fc1"),
        (
            {"vary": {"backbone": ["large"], "layer": ["fire9_avg"]}, "design": "product"},
            "studies.main: no combination makes sense: large has no layer fire9_avg",
        ),
        (_figure({"kind": "confusion", "at": {"layer": "no"}}), "studies.main: at.layer: found 'no', allowed: fire5"),
        (_figure({"kind": "confusion", "at": {"layer": "fc1"}}), "studies.main: small has no layer fc1 (figure it)"),
        (_figure({"kind": "confusion", "k": 4}), "found 4, allowed: 3, the numbers of clusterers.one.k (figure it)"),
        (
            _figure({"kind": "sensitivity", "x": "layer", "at": {"n_components": 21}}),
            "studies.main: it has no cell at {'n_components': 21} for this kind of figure (figure it)",
        ),
        (
            _figure({"kind": "explained_variance"}) | {"baseline": {"decomposition": "none"}},
            "studies.main: it has no cell at {} for this kind of figure (figure it)",
        ),
    ],
)  # fmt: skip
def test_a_choice_that_does_not_exist_names_the_key_that_holds_it(study, message):
    mistake = _mistake(study)
    assert mistake.startswith("config: studies.main")
    assert message in mistake


def test_the_configurations_own_baseline_is_named_where_it_is_wrong():
    baseline = CONFIG["baseline"] | {"clusterer": "ones"}
    assert _mistake({}, baseline=baseline).startswith(
        "config: baseline.clusterer: found 'ones', allowed: one, many (did you mean one?)"
    )


def test_two_reductions_under_one_generated_name():
    decompositions = {"pca": {"method": "pca"}, "pcaw": {"method": "pca"}}
    study = {"vary": {"decomposition": ["pca", "pcaw"], "whiten": [True, False]}, "design": "product"}
    baseline = CONFIG["baseline"] | {"n_components": None}
    message = _mistake(study, decompositions=decompositions, baseline=baseline)
    assert message == "config: decompositions: pcaw would stand for two reductions; rename one"


# -------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("decomposition", "n_components", "whiten", "name"),
    [
        ("pca", 50, True, "pca50w"),
        ("pca", 50, False, "pca50"),
        ("pca", None, True, "pcaw"),
        ("pca", None, False, "pca"),
        ("pca_few", 5, True, "pca_few5w"),
        ("map", 50, True, "map"),
        ("none", 50, True, "none"),
    ],
)
def test_reducers_have_generated_names(decomposition, n_components, whiten, name):
    choices = {"decomposition": decomposition, "n_components": n_components, "whiten": whiten}
    grid = _grid({"baseline": choices})
    assert [cell.reducer for cell in grid.all_cells] == [name]
    assert list(grid.reducers) == [name]


def test_reducers_of_cells_that_only_a_figure_shows_are_known():
    grid = _grid(_figure({"kind": "confusion", "at": {"n_components": 33}}))
    assert set(grid.reducers) == {"pca20w", "pca33w"}
    assert grid.reducers["pca33w"].n_components == 33
    assert len(grid.cells["main"]) == 1


@pytest.mark.parametrize(
    ("data", "name"),
    [("embedded", "embedded"), ("/a/steel", "steel-"), ("/a/My {steel} pictures", "My_steel_pictures-")],
)
def test_the_data_sets_name(data, name):
    found = dataset_name(parse(CONFIG | {"data": data}))
    assert found.startswith(name)
    assert "/" not in found
    assert dataset_name(parse(CONFIG | {"data": data, "name": "mine.v2"})) == "mine.v2"


def test_folders_of_one_name_are_two_data_sets_and_one_folder_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [
        dataset_name(parse(CONFIG | {"data": data}))
        for data in ("a/steel", "b/steel", "a/steel/", f"{tmp_path}/a/steel")
    ]
    assert names[0] != names[1]
    assert names[0] == names[2] == names[3]


# -------------------------------------------------------------------------------------------------------------- paths


def test_paths_hold_the_names():
    layout = Layout("steel.v2")
    assert layout.of(layout.clusters, BASELINE) == "results/steel.v2/clusters/plain/small/fire9_avg/pca20w/one.h5"
    assert layout.of(layout.decomposed, BASELINE, decomposition="map") == (
        "results/steel.v2/decomposed/plain/small/fire9_avg/map.h5"
    )
    assert layout.points(BASELINE) == "results/steel.v2/decomposed/plain/small/fire9_avg/pca.h5"
    assert layout.points(_with(decomposition="none")) == "results/steel.v2/features/plain/small/fire9_avg.h5"
    assert layout.log(layout.preprocessed) == "results/steel.v2/logs/preprocess/{preprocess}.log"
    assert layout.benchmark(layout.preprocessed) == "results/steel.v2/benchmarks/preprocess/{preprocess}.tsv"


def test_other_cells_have_other_paths():
    cells = _cells({"vary": {"preprocess": ["plain", "clahe"], "layer": ["fire5_avg", "fire9_avg"],
        "decomposition": ["pca", "pca_few", "map", "none"], "n_components": [1, 10, None], "whiten": [True, False],
        "clusterer": ["one", "many"]}, "design": "product"})  # fmt: skip
    layout = Layout("d")
    for pattern in (layout.clusters, layout.scores):
        assert len({layout.of(pattern, cell) for cell in cells}) == len(cells) == 2 * 2 * (2 * 6 + 2) * 2


# ------------------------------------------------------------------------------------------------------------ figures

STUDY = {
    "vary": {
        "preprocess": ["plain", "clahe"], "layer": ["fire5_avg", "fire9_avg"], "n_components": [5, 20],
        "decomposition": ["pca", "none"],
    },
    "design": "product",
}  # fmt: skip


def _shown(figure, study=STUDY):
    grid = _grid(study | _figure(figure))
    cells = figure_cells(grid, "main", grid.settings.studies["main"].figures["it"])
    assert grid.figures == {"main": {"it": cells}}
    return cells


@pytest.mark.parametrize("kind", ["samples", "embedding", "confusion"])
def test_figures_of_one_cell_show_the_baseline_with_the_choices_of_at(kind):
    assert _shown({"kind": kind, "map": "map"} if kind == "embedding" else {"kind": kind}) == [BASELINE]
    at = {"preprocess": "clahe", "n_components": 99}
    figure = {"kind": kind, "at": at} | ({"map": "map"} if kind == "embedding" else {})
    assert _shown(figure) == [_with(**at)]


def test_figures_of_many_show_the_studys_cells_that_have_the_choices_of_at():
    every = _shown({"kind": "sensitivity", "x": "layer"})
    assert len(every) == 2 * 2 * (2 + 1)
    at = {"layer": "fire5_avg", "n_components": 5}
    assert _shown({"kind": "sensitivity", "x": "preprocess", "at": at}) == [
        cell for cell in every if cell.layer == "fire5_avg" and cell.n_components == 5
    ]
    assert _shown({"kind": "restarts", "at": {"whiten": False}}) == [
        cell for cell in every if cell.decomposition == "none"
    ]


def test_figures_leave_out_what_would_show_the_same_again():
    assert [cell.preprocess for cell in _shown({"kind": "preprocessing"})] == ["plain", "clahe"]
    variances = _shown({"kind": "explained_variance"})
    assert [(cell.preprocess, cell.layer, cell.decomposition) for cell in variances] == [
        (preprocess, layer, "pca") for preprocess in ("plain", "clahe") for layer in ("fire5_avg", "fire9_avg")
    ]


def test_a_figures_k_may_be_any_of_its_clusterer():
    study = {"baseline": {"clusterer": "many"}}
    assert _shown({"kind": "confusion", "k": 4}, study) == [_with(clusterer="many")]
    assert _shown({"kind": "confusion"}, study) == [_with(clusterer="many")]


def test_a_backbone_without_weights_is_left_out_and_the_rest_stays():
    config = copy.deepcopy(CONFIG)
    config["backbones"]["large"]["weights"] = "none"
    study = {
        "vary": {"backbone": ["small", "large"], "layer": ["fire9_avg", "fc1"]},
        "design": "product",
        "figures": {
            "small": {"kind": "confusion"},
            "large": {"kind": "confusion", "at": {"backbone": "large", "layer": "fc1"}},
        },
    }
    grid = Grid(parse(config | {"studies": {"main": study}}))
    check(grid)
    assert grid.cells["main"] == [BASELINE]
    assert list(grid.figures["main"]) == ["small"]
    assert any("large has no weights" in skipped.reason for skipped in grid.skipped)


# ------------------------------------------------------------------------------------------------------------- models


def test_a_model_is_made_of_the_baseline_or_of_the_first_cell_where_that_is_not_run():
    assert _grid({"vary": {"preprocess": ["clahe"]}}).modelled("main") == BASELINE
    assert _grid({"vary": {"n_components": [5, 9]}, "design": "product"}).modelled("main") == _with(n_components=5)


def test_a_model_needs_a_place_for_new_images():
    as_they_are = _grid({"baseline": {"decomposition": "none"}}).modelled("main")
    assert as_they_are == _with(decomposition="none", n_components=None, whiten=False)
    codes = {**CONFIG["decompositions"], "codes": {"method": "autoencoder"}}
    encoded = _grid({"baseline": {"decomposition": "codes"}}, decompositions=codes).modelled("main")
    assert encoded == _with(decomposition="codes", n_components=None, whiten=False)
    assert _grid({"baseline": {"decomposition": "map"}}).modelled("main") is None


# ---------------------------------------------------------------------------------------------------------- consensus

AGREED = {"clusterers": {**CONFIG["clusterers"], "agreed": {"method": "consensus", "study": "main"}}}


def test_a_consensus_is_a_cell_like_others_that_has_no_part_in_itself():
    study = {
        "vary": {"n_components": [5, 9]},
        "design": "product",
        "cells": [{"clusterer": "agreed"}],
        "verdict": {},
        "figures": {
            "scores": {"kind": "clusterer_scores"},
            "own": {"kind": "confusion", "at": {"clusterer": "agreed"}},
        },
    }
    grid = _grid(study, **AGREED)
    check(grid)
    voting = [_with(n_components=5), _with(n_components=9)]
    consensus = _with(clusterer="agreed")
    assert grid.cells["main"] == [*voting, consensus]
    assert grid.agreeing("main") == grid.pages["main"]["verdict"] == grid.figures["main"]["trust"] == voting
    assert grid.figures["main"]["scores"] == [*voting, consensus]
    assert grid.figures["main"]["own"] == [consensus]
    del study["verdict"]
    assert _grid(study, **AGREED).agreeing("main") == voting


def test_cells_are_compared_at_a_k_that_their_clusterers_have():
    clusterers = {**CONFIG["clusterers"], "few": {"method": "kmeans", "k": [11, 12]}, "own": {"method": "dbscan"}}
    study = {"vary": {"clusterer": ["few", "own"]}, "figures": {"map": {"kind": "choice_map"}}}
    grid = _grid(study, clusterers=clusterers)
    few, own = _with(clusterer="few"), _with(clusterer="own")
    assert grid.compared("main", None) == grid.cells["main"]
    assert grid.compared("main", 11) == [few, own]


def test_a_consensus_may_be_the_baseline_of_which_a_model_is_made():
    grid = _grid({"baseline": {"clusterer": "agreed"}}, **AGREED)
    assert grid.modelled("main") == _with(clusterer="agreed")


@pytest.mark.parametrize(
    ("study", "changes", "message"),
    [
        ({"baseline": {"clusterer": "agreed"}}, {}, "agreed.study: main has no cell with clusters of its own"),
        (
            {"cells": [{"clusterer": "agreed", "subset": "part"}]},
            {"subsets": {"part": {"label": ["a"]}}},
            "agreed: found a cell of subset part, allowed: all, the images of the study main",
        ),
        (
            {"cells": [{"clusterer": "agreed"}], "cross_validation": "folds"},
            {"cross_validations": {"folds": {}}},
            "cross_validation: clusterer: found 'agreed', allowed: one that clusters the points",
        ),
    ],
)
def test_a_consensus_without_votes_of_other_images_or_in_folds_is_a_mistake(study, changes, message):
    assert message in _mistake(study, **AGREED, **changes)


def test_a_consensus_of_no_study_is_a_mistake():
    clusterers = {**CONFIG["clusterers"], "agreed": {"method": "consensus", "study": "other"}}
    with pytest.raises(UserError, match=r"clusterers\.agreed\.study: found 'other', allowed: main"):
        _grid({}, clusterers=clusterers)


# ------------------------------------------------------------------------------------------------------ perturbations


PRODUCT = {"design": "product", "figures": {"shares": {"kind": "effects"}}}


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (
            {"vary": {"whiten": [True, False], "n_components": [5, 9]}, "design": "one_at_a_time"},
            "found 4 cells, allowed: all combinations of n_components, whiten (design: product), with the same k and",
        ),
        ({"vary": {"clusterer": ["one", "many"]}}, "allowed: all combinations of clusterer, k (design: product)"),
        ({"vary": {"n_components": [5, None]}}, "combinations of n_components without null (design: product)"),
    ],
)
def test_shares_of_the_variance_need_all_combinations(study, message):
    assert message in _mistake(PRODUCT | study)


def test_components_that_a_decomposition_does_not_have_are_no_choice():
    grid = _grid(PRODUCT | {"baseline": {"whiten": False}, "vary": {"decomposition": ["pca", "none"]}})
    check(grid)
    assert [cell.n_components for cell in grid.figures["main"]["shares"]] == [20, None]


def test_a_consensus_is_in_no_product():
    clusterers = CONFIG["clusterers"] | {"agreed": {"method": "consensus", "study": "main"}}
    grid = _grid(
        PRODUCT | {"vary": {"whiten": [True, False]}, "cells": [{"clusterer": "agreed"}]}, clusterers=clusterers
    )
    check(grid)
    assert grid.figures["main"]["shares"] == grid.cells["main"][:2]


def test_perturbed_images_need_a_place_too():
    figures = {"turned": {"kind": "perturbations", "at": {"decomposition": "map"}}}
    with pytest.raises(UserError, match=r"studies.main: found small, fire9_avg and map, allowed: .* \(figure turned\)"):
        check(_grid({"figures": figures}))


def test_the_trusted_cell_is_looked_for_among_those_that_place_new_images():
    study = {
        "vary": {"n_components": [5, 9], "decomposition": ["pca", "map"]},
        "design": "product",
        "figures": {
            "one": {"kind": "perturbations"},
            "trusted": {"kind": "perturbations", "cell": "trusted"},
            "few": {"kind": "perturbations", "cell": "trusted", "at": {"n_components": 9}},
        },
    }
    grid = _grid(study)
    check(grid)
    maps = [_with(decomposition="map", n_components=None, whiten=False)]
    expected = {
        "one": ([_with()], []),
        "trusted": ([_with(n_components=5), _with(n_components=9)], maps),
        "few": ([_with(n_components=9)], []),
    }
    for name, figure in grid.settings.studies["main"].figures.items():
        shown = grid.figures["main"][name][0]
        perturbable, only_compared = expected[name]
        assert grid.perturbable("main", figure, shown) == perturbable
        assert set(grid.rivals("main", figure, shown)) == {*perturbable, *only_compared}


def test_what_was_regressed_out_of_new_images_is_not_known():
    flat = {**CONFIG["decompositions"], "flat": {"method": "pca", "regress_out": ["brightness"]}}
    assert _grid({"baseline": {"decomposition": "flat"}}, decompositions=flat).modelled("main") is None
    study = {"baseline": {"decomposition": "flat"}, "cross_validation": "folds"}
    with pytest.raises(UserError, match="cross_validation: decomposition: found 'flat'"):
        check(_grid(study, decompositions=flat, cross_validations={"folds": {}}))


# --------------------------------------------------------------------------------------------------- joined features

JOINED = {
    **CONFIG["backbones"],
    "lbp": {"descriptor": "lbp"},
    "both": {"join": {"small": "fire9_avg", "lbp": "features"}},
}


def test_joined_features_need_those_of_their_parts_and_of_the_same_passes():
    grid = _grid(
        {"vary": {"backbone": ["both"]}, "baseline": {"layer": "features"}, "design": "product"}, backbones=JOINED
    )
    assert grid.backbones == ["both", "small", "lbp"]
    named = Layout("d").named(grid)
    made = {path for path in named if path.startswith("results/d/features/")}
    names = ("both/features", "small/fire9_avg", "lbp/features")
    assert made == {f"results/d/features/plain/{name}.h5" for name in names}
    assert {path for path in named if "/weights/" in path} == {"results/d/weights/small.json"}
    assert not [path for path in named if "/decomposed/" in path and "both" not in path]


def test_joined_features_of_a_network_without_weights_are_left_out():
    given = {**JOINED, "small": {**JOINED["small"], "weights": "none"}}
    study = {"vary": {"backbone": ["both", "lbp"]}, "baseline": {"layer": "features"}, "design": "product"}
    grid = _grid(study, backbones=given)
    assert [cell.backbone for cell in grid.cells["main"]] == ["lbp"]
    assert "small has no weights" in grid.skipped[0].reason


@pytest.mark.parametrize(
    ("spaces", "changes", "message"),
    [
        ([512, 54], {"decomposition": "none"}, None),
        (
            [512, 50],
            {"decomposition": "none"},
            "found 562 columns, allowed: 566, the number of columns of features of both",
        ),
        ([512, 54], {}, "found 566 columns, allowed: at most 20, the number of columns of pca20w"),
        ([12, 8], {}, None),
        (
            [12, 8],
            {"decomposition": "none", "backbone": "flat", "layer": "fire9"},
            None,
        ),  # known at the size of images only
    ],
)
def test_spaces_of_a_wrong_width_are_a_mistake(spaces, changes, message):
    clusterers = {"two": {"method": "turtle", "k": 3, "spaces": spaces}}
    backbones = {**JOINED, "flat": {"model": "squeezenet1_1", "layers": [["fire9"]]}}
    study = {"baseline": {"backbone": "both", "layer": "features", "clusterer": "two", **changes}}
    if message is None:
        check(_grid(study, backbones=backbones, clusterers=clusterers))
    else:
        assert f"clusterers.two.spaces: {message}" in _mistake(study, backbones=backbones, clusterers=clusterers)
