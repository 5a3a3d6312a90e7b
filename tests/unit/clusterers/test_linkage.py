"""Linkages against scipy's heights, scikit-learn's clusters, and centroid linkage worked out step by step."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from workflow_scripts import all_pairs
from workflow_scripts.all_pairs import FROM_POINTS
from workflow_scripts.clusterers import linkage, memory
from workflow_scripts.clusterers.linkage import cut, from_matrix, tree
from workflow_scripts.errors import UserError
from workflow_scripts.settings.clusterers.given_k import Linkage

LINKAGES = ("single", "complete", "average", "centroid", "ward")
POINTS = np.random.default_rng(7).normal(size=(150, 5)) * [3, 2, 1, 1, 1]
INVERTING = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.88], [4.0, 0.0], [4.1, 2.0], [-3.0, 0.1]])
"""The third point is nearer to the middle of the first two than these are to each other."""


@pytest.mark.parametrize("made", [tree, from_matrix])
@pytest.mark.parametrize("method", LINKAGES)
def test_heights_and_sizes_are_scipys(method, made):
    expected = scipy_linkage(POINTS, method)
    found = made(POINTS, method)
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-10)
    assert (found[:, 3] == expected[:, 3]).all()


@pytest.mark.parametrize("method", FROM_POINTS)
def test_without_the_matrix_the_tree_is_the_same(method, monkeypatch):
    many_dimensions = np.random.default_rng(1).normal(size=(80, 60))
    for points in (POINTS, many_dimensions):
        monkeypatch.setattr(all_pairs, "MAX_MATRIX", 10)
        without = tree(points, method)
        monkeypatch.undo()
        with_matrix = from_matrix(points, method)
        np.testing.assert_allclose(without[:, 2:], with_matrix[:, 2:], rtol=1e-10)
        for k in (2, 5, 40, 79):
            assert adjusted_rand_score(cut(without, k), cut(with_matrix, k)) == 1


@pytest.mark.parametrize("method", ["single", "complete", "average", "ward"])
def test_clusters_are_scikit_learns(method):
    merges = tree(POINTS, method)
    for k in (1, 2, 3, 7, 50, 149, 150):
        expected = AgglomerativeClustering(k, linkage=method).fit_predict(POINTS)
        assert adjusted_rand_score(cut(merges, k), expected) == 1


def _nearest_centres(points, k):
    """The two clusters of nearest means are one, until there are k."""
    clusters = [[i] for i in range(len(points))]
    while len(clusters) > k:
        means = np.stack([points[members].mean(axis=0) for members in clusters])
        between = np.linalg.norm(means[:, None] - means, axis=2)
        np.fill_diagonal(between, np.inf)
        i, j = sorted(np.unravel_index(between.argmin(), between.shape))
        clusters[i] += clusters.pop(j)
    labels = np.empty(len(points), dtype=int)
    for number, members in enumerate(clusters):
        labels[members] = number
    return labels


@pytest.mark.parametrize("points", [INVERTING, POINTS[:40]])
def test_centroid_linkage_has_k_clusters_although_it_inverts(points):
    merges = tree(points, "centroid")
    assert (np.diff(merges[:, 2]) < 0).any()
    for k in range(1, len(points) + 1):
        labels = cut(merges, k)
        assert np.unique(labels).tolist() == list(range(k))
        assert adjusted_rand_score(labels, _nearest_centres(points, k)) == 1


@pytest.mark.parametrize("method", LINKAGES)
def test_each_k_splits_one_cluster_of_the_k_before(method):
    merges = tree(POINTS, method)
    for k in range(1, 60):
        pairs = np.unique(np.stack([cut(merges, k), cut(merges, k + 1)]), axis=1)
        assert pairs.shape[1] == k + 1


def test_equal_points_merge_first():
    points = np.repeat(POINTS[:5], 4, axis=0)
    for method in LINKAGES:
        assert adjusted_rand_score(cut(tree(points, method), 5), np.repeat(range(5), 4)) == 1


@pytest.mark.parametrize("method", LINKAGES)
def test_every_k_comes_in_one_run_of_small_labels(method):
    settings = Linkage(k="2-150", linkage=method).dump()
    calls = []
    found = dict(linkage.cluster(POINTS, settings, 3, 1, lambda done, total: calls.append((done, total))))
    assert list(found) == list(range(2, 151))
    assert calls == [(done, 149) for done in range(1, 150)]
    for k, runs in found.items():
        assert runs.labels.shape == (1, 150)
        assert runs.labels.dtype == np.uint8
        assert np.unique(runs.labels).tolist() == list(range(k))
        assert np.isnan(runs.inertia).all()


def test_a_matrix_that_does_not_fit_is_refused_with_its_bytes(monkeypatch):
    there = 2 * pdist(POINTS).nbytes
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": there}.get)
    tree(POINTS, "complete")
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": there - 1}.get)
    with pytest.raises(UserError, match=r"complete linkage of 150 images needs 178,800 bytes .*allowed: fewer images"):
        tree(POINTS, "complete")
    assert len(tree(POINTS, "ward")) == 149
