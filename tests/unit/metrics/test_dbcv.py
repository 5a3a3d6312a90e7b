"""DBCV against hdbscan's where that does not overflow, and by its invariance to scale where it does."""

import numpy as np
import pytest
from hdbscan.validity import validity_index
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs, make_moons

from workflow_scripts.clusterers.spanning_tree import spanning_tree
from workflow_scripts.metrics.dbcv import dbcv, validities


def without_small_clusters(labels: np.ndarray) -> np.ndarray:
    """Clusters of fewer than three, of which hdbscan's index is not defined, become noise."""
    values, counts = np.unique(labels, return_counts=True)
    noise = np.isin(labels, values[counts < 3]) | (labels < 0)
    named = np.full(len(labels), -1)
    named[~noise] = np.unique(labels[~noise], return_inverse=True)[1]
    return named


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(20, 80), st.integers(1, 12), st.integers(2, 5))
def test_dbcv_is_hdbscans(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 3 * rng.integers(0, 3, (n, 1))
    labels = without_small_clusters(rng.integers(-1, k, n))
    if labels.max() < 1:
        assert np.isnan(dbcv(X, [labels]).value).all()
        return
    found = dbcv(X, [labels])
    expected, by_cluster = validity_index(X, labels, per_cluster_scores=True)
    assert found.value[0] == pytest.approx(expected, abs=1e-9)
    assert np.isnan([found.low, found.high]).all()
    np.testing.assert_allclose(validities(X, labels), by_cluster, atol=1e-9)


@pytest.mark.parametrize("kept", [5000, 10])
def test_on_moons_the_moons_are_better_than_halves(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow_scripts.metrics.dbcv.KEPT_POINTS", kept)
    monkeypatch.setattr("workflow_scripts.metrics.dbcv.CHUNK_CELLS", 1000)
    X, moon = make_moons(300, noise=0.05, random_state=0)
    halves = (X[:, 0] > 0.5).astype(int)
    of_moons, of_halves = dbcv(X, [moon, halves]).value
    assert of_moons == pytest.approx(validity_index(X, moon))
    assert of_halves == pytest.approx(validity_index(X, halves))
    assert of_moons > 0.5 > 0 > of_halves


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_it_does_not_overflow_in_high_dimension(scale: float) -> None:
    X, labels = make_blobs(120, 200, centers=3, cluster_std=2.0, random_state=0)
    (plain,) = dbcv(X, [labels]).value
    assert plain == pytest.approx(validity_index(X / 30, labels))  # distances near 1: their power stays finite
    assert dbcv(scale * X, [labels]).value[0] == pytest.approx(plain)
    with np.errstate(all="ignore"):
        assert validity_index(scale * X, labels) != pytest.approx(plain, abs=1e-3)


def test_noise_counts_in_the_total_only() -> None:
    X, labels = make_blobs(90, 4, centers=3, random_state=1)
    far = np.full((30, 4), 50.0) + np.arange(30)[:, None]
    (alone,), (among,) = (
        dbcv(X, [labels]).value,
        dbcv(np.vstack([X, far]), [np.concatenate([labels, np.full(30, -1)])]).value,
    )
    assert among == pytest.approx(alone * 90 / 120)


def test_clusters_that_have_no_density() -> None:
    X = np.array([[0.0], [0.0], [0.0], [1.0], [5.0], [5.5], [6.0]])
    np.testing.assert_array_equal(validities(X, np.array([0, 0, 0, 1, 2, 2, 2]))[:2], [1, 0])  # one place; one point
    assert np.isnan(dbcv(X, [np.zeros(7, dtype=int), np.full(7, -1)]).value).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_the_tree_is_as_short_as_scipys(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    distance, core = cdist(*(rng.normal(size=(n, 3)),) * 2), rng.random(n)
    reachability = np.maximum(np.maximum(distance, core), core[:, None])
    edges, lengths = spanning_tree(lambda rows, columns: distance[rows[:, None], columns], np.arange(n), core)
    assert lengths.sum() == pytest.approx(minimum_spanning_tree(np.triu(reachability, 1)).sum())
    np.testing.assert_array_equal(lengths, reachability[edges[:, 0], edges[:, 1]])
    assert sorted(edges[:, 1]) == list(range(1, n))  # each point but the first is reached once


def test_above_max_points_samples_estimate_it_with_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow_scripts.metrics.dbcv.POINTS_OF_SAMPLE", 250)
    X, labels = make_blobs(2000, 3, centers=[[0] * 3, [12] * 3, [24] * 3], random_state=0)
    labels[::10] = -1
    true = dbcv(X, [labels]).value[0]
    sampled = dbcv(X, [labels], max_points=1999)
    assert sampled == dbcv(X, [labels], max_points=1999)
    assert sampled.low[0] < sampled.value[0] < sampled.high[0]
    assert sampled.value[0] == pytest.approx(true, abs=0.1)
    assert sampled != dbcv(X, [labels], max_points=1999, seed=1)
