"""The tree of nested clusters: nodes, parents, typical images and places, against trees drawn by hand."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import write_clusters, write_manifest, write_store
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.errors import UserError
from workflow_scripts.figures import tree

LABELS = ["a", "a", "b", "b", "b", ""]
POINTS = np.array([0.0, 1.0, 10.0, 11.0, 12.0, 20.0])[:, None]
BY_K = {"2": [0, 0, 0, 0, 0, 1], "3": [0, 0, 2, 2, 2, 1], "4": [0, 3, 2, 2, 2, 1]}
CELL = {"n_components": None, "whiten": False, "clusterer": "ward"}


def table(tmp_path, by_k, leaves=4, images=(), **columns):
    manifest = write_manifest(tmp_path, LABELS)
    pd.read_csv(manifest, keep_default_na=False).assign(**columns).to_csv(manifest, index=False)
    inputs = {
        "manifest": [manifest],
        "points": [write_store(tmp_path / "points.h5", scores=POINTS, image_id=np.arange(6).astype("S"))],
        "clusters": [write_clusters(tmp_path / "c.h5", {k: ([partition], [1.0]) for k, partition in by_k.items()})],
    }
    return tree.tabulate({"leaves": leaves, "images": images}, [CELL], inputs)


def test_nodes_have_the_parents_of_the_tree(tmp_path):
    nodes = table(tmp_path, BY_K)
    assert list(nodes["size"]) == [6, 5, 1, 2, 3, 1, 1]
    assert list(nodes["parent"][1:]) == [0, 0, 1, 1, 3, 3]
    assert list(nodes["first_k"]) == [1, 2, 2, 3, 3, 4, 4]
    assert list(nodes["last_k"]) == [1, 2, 4, 3, 4, 4, 4]


def test_nodes_tell_their_typical_image_and_class(tmp_path):
    nodes = table(tmp_path, BY_K).set_index(["first_k", "size"])
    assert nodes.loc[(3, 3), "row"] == 3
    assert nodes.loc[(2, 5), "label"] == "b"
    assert nodes.loc[(2, 5), "share"] == pytest.approx(3 / 5)
    assert np.isnan(nodes.loc[(2, 1), "share"])


def test_parents_stand_midway_of_their_children_and_leaves_side_by_side(tmp_path):
    nodes = table(tmp_path, BY_K)
    parents = set(nodes["parent"].dropna())
    assert sorted(nodes.loc[~nodes["node"].isin(parents), "x"]) == [0, 1, 2, 3]
    for parent in parents:
        assert nodes["x"][parent] == nodes.loc[nodes["parent"] == parent, "x"].mean()


def test_no_more_leaves_than_asked_for(tmp_path):
    nodes = table(tmp_path, BY_K, leaves=3)
    assert nodes["first_k"].max() == 3
    with pytest.raises(UserError, match="has no k from 2 to 2"):
        table(tmp_path, {"3": BY_K["3"]}, leaves=2)


def test_clusters_that_are_not_nested_are_refused(tmp_path):
    with pytest.raises(UserError, match="k = 3 do not refine"):
        table(tmp_path, {"2": [0, 0, 0, 1, 1, 1], "3": [0, 0, 1, 1, 2, 2]})


def test_leaves_are_compared_with_the_finest_labels(tmp_path):
    leaves = BY_K["4"]
    coarse, fine = table(tmp_path, BY_K), table(tmp_path, BY_K, sublabel=["x", "w", "v", "v", "v", "u"])
    assert set(coarse["against"]) == {"label"}
    assert coarse["ari"][0] == pytest.approx(adjusted_rand_score(LABELS[:5], leaves[:5]))
    assert set(fine["against"]) == {"sublabel"}
    assert (fine["ari"] == 1).all()


def test_leaves_of_one_class_are_compared_with_nothing(tmp_path):
    assert table(tmp_path, BY_K, sublabel=["a", "a", "a", "a", "", ""])["ari"].isna().all()
