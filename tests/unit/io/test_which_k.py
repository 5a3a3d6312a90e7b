"""The choice of a k, and the reader of a cell that uses it, against answers computed by hand."""

import numpy as np
import pytest
from figure_artefacts import CELL, write_clusters, write_manifest, write_scores, write_store

from workflow_scripts.errors import UserError
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.which_k import choose_k


def test_the_wanted_k_the_smallest_or_the_clusterers_own():
    assert choose_k(5, [7, 5, 3]) == 5
    assert choose_k(None, [7, 5, 3]) == 3
    assert choose_k(None, [None]) is None
    assert choose_k(5, [None]) is None, "a clusterer that finds k has no other"
    with pytest.raises(UserError, match=r"config: subsets\.a\.k: found 4, allowed: 3, 7"):
        choose_k(4, [7, 3], "subsets.a.k")


def test_a_cells_clusterings_are_the_best_of_the_wanted_ks(tmp_path):
    partitions = {str(k): ([[0, 1, 1, 1], [0, 0, 1, 1]], [2.0, 1.0]) for k in (2, 3, 4)}
    cell = OneCell(CELL, {"clusters": write_clusters(tmp_path / "clusters.h5", partitions)})
    assert [found.k for found in cell.clusterings(None)] == [2, 3, 4]
    assert [found.k for found in cell.clusterings([4, 2])] == [2, 4]
    assert cell.clusterings([4])[0].labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(UserError, match="found 9, allowed: 2, 3, 4"):
        cell.clusterings([9])
    own = OneCell(CELL, {"clusters": write_clusters(tmp_path / "own.h5", {"auto": ([[0, -1, 1, 1]], [np.nan])})})
    assert [(found.k, found.labels.tolist()) for found in own.clusterings([2])] == [(None, [0, -1, 1, 1])]


def test_a_k_that_a_metric_prefers_is_read_from_the_scores(tmp_path):
    rows = [{"k": k, "repeat": r, "ari": ari, "inertia": 1} for k, ari in ((2, 0.1), (3, 0.8)) for r in (0, 1)]
    partitions = {str(k): ([[0, 1, k - 1, 1]], [1.0]) for k in (2, 3)}
    files = {
        "scores": write_scores(tmp_path / "scores.parquet", rows),
        "clusters": write_clusters(tmp_path / "clusters.h5", partitions),
    }
    found = OneCell(CELL, files).clustering({"k": "best", "by": "ari"})
    assert (found.k, found.labels.tolist()) == (3, [0, 1, 2, 1])


def test_labels_that_the_network_has_seen_do_not_count(tmp_path):
    points = write_store(tmp_path / "p.h5", features=np.eye(3), trained_on=np.array([True, False, False]))
    cell = OneCell(CELL, {"points": points, "manifest": write_manifest(tmp_path, ["a", "b", ""])})
    assert cell.labels().tolist() == ["", "b", ""]
    (tmp_path / "other").mkdir()
    other = OneCell(CELL, {"points": points, "manifest": write_manifest(tmp_path / "other", ["a", "b"])})
    with pytest.raises(UserError, match="other images than those that the results were made from"):
        other.labels()
