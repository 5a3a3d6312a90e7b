"""Agreement of partitions against scikit-learn and against counted pairs."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.consensus import agreement
from workflow_scripts.consensus.agreement import agreement_matrix, agreement_with, stability


@pytest.fixture
def partitions() -> np.ndarray:
    """Random and related partitions of 60 images with noise, gaps between labels, one cluster, and all alone."""
    rng = np.random.default_rng(0)
    rows = [rng.integers(-1, k, 60) for k in (1, 2, 3, 7, 7)]
    rows += [rows[3] * 10, np.where(rng.random(60) < 0.2, 5, rows[3]), np.zeros(60, int), np.arange(60)]
    return np.stack(rows)


def alone(partition: np.ndarray) -> np.ndarray:
    """The partition with a label of its own for each noise image."""
    return np.where(partition < 0, 1000 + np.arange(len(partition)), partition)


def test_is_that_of_scikit_learn_with_noise_images_alone(partitions: np.ndarray) -> None:
    expected = [[adjusted_rand_score(alone(a), alone(b)) for b in partitions] for a in partitions]
    np.testing.assert_allclose(agreement_matrix(partitions), expected, atol=1e-12)
    np.testing.assert_allclose(agreement_with(partitions[:5], partitions[4:]), np.array(expected)[4:, :5], atol=1e-12)


def test_blocks_change_nothing(partitions: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = agreement_matrix(partitions)
    monkeypatch.setattr(agreement, "_BLOCK", 4000)
    np.testing.assert_array_equal(agreement_matrix(partitions), whole)


def test_many_clusters_are_counted_by_the_pairs_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    many = rng.integers(-1, 400, (3, 1000))
    expected = agreement_matrix(many)
    counts = rng.integers(0, 3, 1000)
    counted = agreement_matrix(many, counts)
    monkeypatch.setattr(agreement, "_BLOCK", 1000)
    np.testing.assert_allclose(agreement_matrix(many), expected, atol=1e-14)
    np.testing.assert_allclose(agreement_matrix(many, counts), counted, atol=1e-14)


def test_stability_is_the_mean_of_the_pairs(partitions: np.ndarray) -> None:
    scores = [adjusted_rand_score(alone(a), alone(b)) for a, b in combinations(partitions[:4], 2)]
    assert stability(partitions[:4]) == pytest.approx(np.mean(scores))
    assert np.isnan(stability(partitions[:1]))


def test_counted_images_pair_with_other_images_only() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 3, (2, 15))
    counts = rng.integers(0, 4, 15)
    pairs = [(i, j, counts[i] * counts[j]) for i, j in combinations(range(15), 2)]
    same = np.array([(first[i] == first[j], second[i] == second[j]) for i, j, _ in pairs])
    weights = np.array([weight for *_, weight in pairs], dtype=float)
    together, in_first, in_second = (weights @ mask for mask in (same.all(axis=1), same[:, 0], same[:, 1]))
    expected = in_first * in_second / weights.sum()
    index = (together - expected) / ((in_first + in_second) / 2 - expected)
    assert agreement_matrix(np.stack([first, second]), counts)[0, 1] == pytest.approx(index, abs=1e-12)


def test_labels_that_are_not_integers_are_an_error() -> None:
    with pytest.raises(ValueError, match="integers of shape"):
        agreement_matrix(np.zeros((2, 5)))
