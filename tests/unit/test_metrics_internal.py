"""Silhouettes against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from workflow_scripts.metrics import internal, silhouettes


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
    np.testing.assert_allclose(silhouettes(X, labels), [expected(X, row) for row in labels], atol=1e-9)


def test_identical_points_score_zero() -> None:
    assert silhouettes(np.ones((4, 2)), [[0, 0, 1, 1]]).tolist() == [0]


def test_distances_in_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(600, 3)), rng.integers(-1, 4, (2, 600))
    monkeypatch.setattr(internal, "_CHUNK_MIB", 1)
    np.testing.assert_allclose(silhouettes(X, labels), [expected(X, row) for row in labels], atol=1e-12)


def test_above_max_points_a_sample_estimates_it() -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice([-1, 0, 0, 0, 1, 2], size=4000)
    X = rng.normal(size=(4000, 2)) + 3 * labels[:, None]
    (sampled,) = silhouettes(X, [labels], max_points=1500)
    assert sampled == silhouettes(X, [labels], max_points=1500)[0]
    assert sampled != silhouettes(X, [labels], max_points=1500, seed=1)[0]
    assert sampled == pytest.approx(expected(X, labels), abs=0.02)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 300))
def test_sample_holds_each_cluster_in_proportion(seed: int, n_points: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([-1, 0, 0, 0, 0, 1, 1, 5], size=200)
    sample = internal._stratified_sample(labels, n_points, rng)
    n_clustered = np.count_nonzero(labels >= 0)
    assert len(set(sample)) == len(sample) == min(n_points, n_clustered)
    for cluster in (0, 1, 5):
        share = np.count_nonzero(labels == cluster) * len(sample) / n_clustered
        assert abs(np.count_nonzero(labels[sample] == cluster) - share) < 1 + 1e-9
    assert (labels[sample] >= 0).all()
