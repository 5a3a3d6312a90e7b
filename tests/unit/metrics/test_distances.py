"""Correlations of distances with labels, against scipy and a bootstrap written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr

from workflow_scripts.metrics.distances import (
    balanced_sample,
    discrete_correlations,
    draws_within_classes,
    weighted_correlations,
)

LABELS = np.array(["a"] * 12 + ["b"] * 9 + ["c"] * 15)


def clouds(spread: float) -> np.ndarray:
    """Distances of points of three classes whose centres lie apart, (36, 36)."""
    rng = np.random.default_rng(0)
    centres = {"a": 0.0, "b": 1.0, "c": 2.0}
    return squareform(pdist(np.array([centres[c] for c in LABELS])[:, None] + spread * rng.normal(size=(36, 2))))


def test_the_correlation_is_pearsons_over_pairs() -> None:
    D = clouds(0.5)
    pairs = np.triu_indices(36, 1)
    expected = pearsonr(D[pairs], (LABELS[:, None] != LABELS)[pairs].astype(float)).statistic
    assert discrete_correlations([D], LABELS)["correlation"].item() == pytest.approx(expected, rel=1e-12)


def test_the_discrete_distance_itself_correlates_by_one_and_its_kronecker_delta_by_minus_one() -> None:
    discrete = (LABELS[:, None] != LABELS).astype(float)
    table = discrete_correlations([discrete, 1 - discrete - np.eye(36)], LABELS)
    assert_allclose(table[["correlation", "low", "high"]], [[1, 1, 1], [-1, -1, -1]], rtol=1e-9)


def test_a_draw_is_the_correlation_of_the_drawn_images_without_pairs_of_one() -> None:
    D = clouds(0.5)
    draw = draws_within_classes(np.unique(LABELS, return_inverse=True)[1], 3, np.random.default_rng(1))
    assert_allclose([draw[:, c == LABELS].sum(axis=1) for c in "abc"], [[12] * 3, [9] * 3, [15] * 3])
    across = (LABELS[:, None] != LABELS).astype(float)
    for row, found in zip(draw, weighted_correlations(D, across, draw), strict=True):
        drawn = np.repeat(np.arange(36), row.astype(int))
        i, j = (drawn[indices] for indices in np.triu_indices(36, 1))
        apart = i != j
        assert found == pytest.approx(pearsonr(D[i, j][apart], across[i, j][apart]).statistic, rel=1e-9)


def test_the_gain_is_relative_to_the_first_and_its_interval_paired() -> None:
    table = discrete_correlations([clouds(0.6), clouds(0.6) * 7, clouds(0.3)], LABELS)
    assert_allclose(table.loc[1, ["gain", "gain_low", "gain_high"]].astype(float), 0, atol=1e-9)  # another unit
    r = table["correlation"]
    assert table.loc[2, "gain"] == pytest.approx(r[2] / r[0] - 1)
    assert 0 < table.loc[2, "gain_low"] < table.loc[2, "gain"] < table.loc[2, "gain_high"]
    assert (table["low"] < r).all()
    assert (r < table["high"]).all()


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Classes that overlap, drawn anew 100 times; the truth from a sample of 3000."""
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat([0, 1], n // 2)
        return squareform(pdist(labels[:, None] + rng.normal(size=(n, 3)))), labels

    truth = discrete_correlations([(big := drawn(3000))[0]], big[1], n_bootstrap=1)["correlation"].item()
    tables = [discrete_correlations([D], labels, 200, 0.9) for D, labels in (drawn(60) for _ in range(100))]
    covered = np.mean([t["low"].item() <= truth <= t["high"].item() for t in tables])
    assert 0.8 <= covered <= 0.97


def test_a_sample_has_as_many_of_each_class_sorted() -> None:
    labels = [None, "b", "a", "b", "c", *(["a"] * 20), *(["b"] * 20), None]
    rows = balanced_sample(labels, 30)
    assert [labels[row] for row in rows] == ["a"] * 10 + ["b"] * 10 + ["c"]
    assert len(set(rows)) == 21
    assert balanced_sample(labels, 30).tolist() == rows.tolist()
    assert balanced_sample(labels, 30, seed=1).tolist() != rows.tolist()
    assert balanced_sample([None, None], 30).size == 0
