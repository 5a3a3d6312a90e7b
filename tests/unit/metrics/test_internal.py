"""Silhouettes, Calinski-Harabasz and Davies-Bouldin against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from workflow_scripts.metrics import compactness, internal, silhouettes


def expected(X: np.ndarray, labels: np.ndarray) -> float:
    clustered = labels >= 0
    n_clusters = len(set(labels[clustered]))
    if n_clusters < 2:
        return np.nan
    if n_clusters == clustered.sum():  # every point by itself, which scikit-learn refuses
        return 0.0
    return silhouette_score(X[clustered], labels[clustered])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 6), st.integers(0, 8))
def test_silhouettes_are_scikit_learns(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 100
    labels = rng.integers(-1, k + 1, (5, n))
    found = silhouettes(X, labels)
    np.testing.assert_allclose(found.value, [expected(X, row) for row in labels], atol=1e-9)
    assert np.isnan([found.low, found.high]).all()


def test_identical_points_score_zero() -> None:
    assert silhouettes(np.ones((4, 2)), [[0, 0, 1, 1]]).value.tolist() == [0]


def test_distances_in_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(600, 3)), rng.integers(-1, 4, (2, 600))
    monkeypatch.setattr(internal, "_BLOCK_BYTES", 1 << 20)
    np.testing.assert_allclose(silhouettes(X, labels).value, [expected(X, row) for row in labels], atol=1e-12)


def test_above_max_points_a_sample_estimates_it() -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice([-1, 0, 0, 0, 1, 2], size=4000)
    X = rng.normal(size=(4000, 2)) + 3 * labels[:, None]
    sampled = silhouettes(X, [labels], max_points=1500)
    assert sampled == silhouettes(X, [labels], max_points=1500)
    assert sampled != silhouettes(X, [labels], max_points=1500, seed=1)
    assert sampled.value[0] == pytest.approx(expected(X, labels), abs=0.02)


@pytest.mark.parametrize("cluster", [-1, 0], ids=["all noise", "one cluster"])
def test_a_sample_of_fewer_than_two_clusters_has_no_silhouette(cluster: int) -> None:
    found = silhouettes(np.eye(30), np.full((1, 30), cluster), max_points=10)
    assert np.isnan([*found]).all()


def test_the_interval_of_a_sample_holds_the_value_of_all_points_95_times_in_100() -> None:
    X, labels = make_blobs(3000, n_features=3, centers=5, cluster_std=3.0, random_state=2)
    true = expected(X, labels)
    found = [silhouettes(X, [labels], max_points=300, seed=seed) for seed in range(200)]
    held = np.mean([result.low[0] <= true <= result.high[0] for result in found])
    assert 0.9 <= held <= 0.99  # binomial: 0.95 +- 3 standard errors of 200 draws
    width = np.mean([result.high[0] - result.low[0] for result in found])
    assert width == pytest.approx(2 * 1.96 * np.std([result.value[0] for result in found]), rel=0.2)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.integers(1, 6), st.integers(1, 8))
def test_compactness_is_scikit_learns(seed: int, n: int, d: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    labels = rng.integers(-1, k + 1, (4, n))
    found = pd.DataFrame(compactness(X + 100, labels))
    for row, result in zip(labels, found.to_dict("records"), strict=True):
        clustered = row >= 0
        if 2 <= len(set(row[clustered])) < clustered.sum():
            assert result["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(X[clustered], row[clustered]))
            assert result["davies_bouldin"] == pytest.approx(davies_bouldin_score(X[clustered], row[clustered]))
        else:
            assert np.isnan(list(result.values())).all()


@pytest.mark.parametrize("X", [np.ones((4, 2)), np.repeat(np.eye(2), 2, axis=0)], ids=["one place", "two places"])
def test_compactness_of_coinciding_points_is_scikit_learns(X: np.ndarray) -> None:
    labels = [0, 0, 1, 1]
    assert [value for (value,) in compactness(X, [labels]).values()] == [
        calinski_harabasz_score(X, labels),
        davies_bouldin_score(X, labels),
    ]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 300))
def test_sample_holds_each_cluster_in_proportion(seed: int, n_points: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 0, 0, 0, 1, 1, 5], size=200)
    sample = internal.stratified_sample(labels, n_points, rng)
    n_clustered = np.count_nonzero(labels >= 0)
    assert len(set(sample)) == len(sample) == min(n_points, n_clustered)
    for cluster in (0, 1, 5):
        share = np.count_nonzero(labels == cluster) * len(sample) / n_clustered
        assert abs(np.count_nonzero(labels[sample] == cluster) - share) < 1 + 1e-9
    assert (labels[sample] >= 0).all()
