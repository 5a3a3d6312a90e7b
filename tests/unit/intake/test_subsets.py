"""Subsets: their images, and the stores of their features."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.grid.checks import check
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake.subsets import members, select
from workflow_scripts.io import store
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.settings import parse
from workflow_scripts.settings.studies import Subset

IDS = np.array([f"id{i}" for i in range(6)])
MANIFEST = pd.DataFrame({"image_id": IDS, "label": ["a", "a", "b", "b", "c", ""], "scale_um": [1, 2, 5, "", 1.5, 2]})


def chosen(clusters=None, **subset):
    wanted = Subset(**subset).dump()
    return list(members(MANIFEST, wanted, "some", clusters)["row"])


def test_texts_are_of_a_list_and_numbers_between_two():
    assert chosen(label=["a", "c"]) == [0, 1, 4]
    assert chosen(scale_um=[1, 2]) == [0, 1, 4, 5]
    assert chosen(label=["a", "c"], scale_um=[1.5, 9]) == [1, 4]


def test_clusters_are_those_of_the_best_repeat(tmp_path):
    path = str(tmp_path / "clusters.h5")
    labels = np.array([[0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2]])
    runs = {3: Runs.single(labels, inertia=np.array([2.0, 1.0])), 5: Runs.single(labels[:1])}
    write_runs(path, runs.items(), IDS, store.provenance("", "", {}))
    assert chosen(path, in_clusters={"clusters": [0, 2]}) == [0, 2, 3, 5]
    assert chosen(path, in_clusters={"clusters": [1], "k": 5}) == [2, 3]
    with pytest.raises(UserError, match=r"subsets.some.in_clusters.k: found 4, allowed: 3, 5"):
        chosen(path, in_clusters={"clusters": [1], "k": 4})
    with pytest.raises(UserError, match=r"subsets.some.in_clusters.clusters: found 3, allowed: 0, 1, 2"):
        chosen(path, in_clusters={"clusters": [1, 3]})


def test_an_empty_subset_and_a_missing_column_are_told():
    with pytest.raises(UserError, match=r"subsets.some: no image fits label \['z'\]"):
        chosen(label=["z"])
    with pytest.raises(UserError, match=r"subsets.some.nm_per_pixel: the manifest has no such column"):
        chosen(nm_per_pixel=[1, 2])


def test_the_store_of_a_subset_holds_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("workflow_scripts.intake.subsets.ROWS", 2)
    whole, part, table = (str(tmp_path / name) for name in ("all.h5", "part.h5", "part.csv"))
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    with store.writing(whole, store.provenance("", "digest", {"layer": "fc1"})) as file:
        file["image_id"], file["features"], file["trained_on"] = IDS.astype("S"), features, np.arange(6) > 2
    members(MANIFEST, Subset(label=["b", "c"]).dump(), "some", None).to_csv(table, index=False)
    select(whole, table, part, "code")
    with store.reading(part, store.manifest_digest(IDS[2:5])) as file:
        assert (file["features"][:] == features[2:5]).all()
        assert list(file["trained_on"][:]) == [False, True, True]
        assert list(store.image_ids(file)) == list(IDS[2:5])


def settings(backbones=(), **subsets):
    layers = {"b": "fire9_avg", **dict(backbones)}
    return parse(
        {
            "preprocess": {"p": [{"resize": {"size": [64, 64]}}]},
            "backbones": {name: {"model": "squeezenet1_1", "layers": [[layer]]} for name, layer in layers.items()},
            "clusterers": {"c": {"method": "kmeans"}},
            "baseline": {"preprocess": "p", "backbone": "b", "layer": "fire9_avg", "clusterer": "c"},
            "subsets": subsets,
            "studies": {"s": {"vary": {"subset": list(subsets)}}},
        }
    )


def test_a_subset_of_a_subset_needs_the_cells_behind_it():
    behind = {"in_clusters": {"at": {"subset": "one"}, "clusters": [0]}}
    grid = Grid(settings(one={"in_clusters": {"clusters": [0]}}, two=behind))
    check(grid)
    assert {cell.subset for cell in grid.all_cells} == {"all", "one", "two"}


def test_a_subset_of_itself_is_told():
    behind = {"in_clusters": {"at": {"subset": "two"}, "clusters": [0]}}
    with pytest.raises(UserError, match=r"config: subsets.two: the subset is defined by itself"):
        check(Grid(settings(one={"label": ["a"]}, two=behind)))


def test_a_cell_behind_a_subset_has_to_make_sense():
    config = settings(
        one={"in_clusters": {"at": {"backbone": "other"}, "clusters": [0]}}, backbones={"other": "fire5_avg"}
    )
    with pytest.raises(UserError, match="config: subsets: in_clusters: at: other has no layer fire9_avg"):
        check(Grid(config))


def test_an_empty_list_of_labels_is_told():
    with pytest.raises(UserError, match=r"config: subsets.one.label: found \[\], allowed: 1 or more entries"):
        settings(one={"label": []})
