"""The consensus of cells: small and large, its doubts, and what flips an image."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import average, fcluster
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from tests.unit.consensus.partitions import noisy_copies, product_of
from workflow_scripts.consensus import consensus as module
from workflow_scripts.consensus.consensus import NO_GROUP, consensus, what_flips

TRUTH = np.repeat([0, 1, 2], [30, 50, 40])
WEIGHTS = np.array([0.4, 0.1, 0.3, 0.2, 0.0])


@pytest.fixture(scope="module")
def partitions() -> np.ndarray:
    """Five cells with some noise."""
    rows = noisy_copies(TRUTH, [0.1, 0.2, 0.3, 0.3, 0.9], 3)
    rows[1, ::11] = -1
    return rows


def co_association(partitions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """By its definition, pair by pair."""
    n = partitions.shape[1]
    return np.array(
        [
            [weights @ ((partitions[:, i] == partitions[:, j]) & (partitions[:, i] >= 0)) for j in range(n)]
            for i in range(n)
        ]
    )


def test_is_average_linkage_of_the_weighted_co_association(partitions: np.ndarray) -> None:
    result = consensus(partitions, 3, WEIGHTS)
    together = co_association(partitions, WEIGHTS)
    np.fill_diagonal(together, 1)
    expected = fcluster(average(squareform(1 - together, checks=False)), 3, "maxclust")
    assert adjusted_rand_score(expected, result.group) == 1
    assert (np.diff(np.bincount(result.group)) <= 0).all()
    for image in range(0, 120, 7):
        others = np.arange(120) != image
        means = [together[image, others & (result.group == group)].mean() for group in range(3)]
        own = result.group[image]
        assert result.agreement[image] == pytest.approx(means[own])
        means[own] = -1
        assert result.second[image] == np.argmax(means)
        assert result.second_agreement[image] == pytest.approx(max(means))


def test_of_cells_that_differ_is_nearer_to_the_truth_than_the_best_of_them() -> None:
    rows = noisy_copies(TRUTH, [0.3] * 9, 3)
    best = max(adjusted_rand_score(TRUTH, row) for row in rows)
    assert adjusted_rand_score(TRUTH, consensus(rows, 3).group) > best + 0.1


def test_identical_cells_give_agreement_1_and_no_second_group() -> None:
    rows = np.stack([TRUTH, 2 - TRUTH, TRUTH])
    result = consensus(rows)
    np.testing.assert_allclose(result.agreement, 1, rtol=1e-14)
    assert (result.second == NO_GROUP).all()
    assert (result.k, result.chosen_k) == (3, "of the cells")
    assert adjusted_rand_score(TRUTH, result.group) == 1


def test_an_image_that_is_always_alone_is_sure_of_it() -> None:
    rows = np.stack([np.append(TRUTH, 3)] * 4)
    result = consensus(rows, 4)
    assert result.agreement[-1] == 1
    assert np.bincount(result.group).min() == 1


def test_half_way_images_have_the_lowest_margin() -> None:
    rows = noisy_copies(TRUTH, [0.1] * 12, 3)
    half = np.arange(0, 12)
    for cell, row in enumerate(rows):
        row[half] = row[np.flatnonzero(1 - cell % 2 == TRUTH)[20]]
    result = consensus(rows, 3)
    assert set(np.argsort(result.margin)[:12]) == set(half)


def test_cells_of_different_k_give_the_k_that_lives_longest() -> None:
    finer = np.where(TRUTH == 1, 3 + np.arange(120) % 2, TRUTH)
    coarser = np.where(TRUTH == 2, 0, TRUTH)
    result = consensus(np.stack([TRUTH, TRUTH, TRUTH, TRUTH, finer, coarser]))
    assert (result.k, result.chosen_k) == (3, "lifetime")
    assert adjusted_rand_score(TRUTH, result.group) == 1


@pytest.mark.parametrize("rows", [[[0, 0], [0, 1]], [[0, 1], [1, 0]], [[-1, -1], [-1, -1]], [[0, 0], [0, 0]]])
def test_two_images(rows: list[list[int]]) -> None:
    result = consensus(np.array(rows))
    assert result.k == np.max(rows) + 1 or result.k == 1
    assert ((result.agreement >= 0) & (result.agreement <= 1)).all()


def test_of_many_images_is_that_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = noisy_copies(np.repeat(TRUTH, 10), [0.2] * 8, 3)
    whole = consensus(rows, 3)
    monkeypatch.setattr(module, "MAX_LINKED", 300)
    drawn = consensus(rows, 3)
    assert adjusted_rand_score(whole.group, drawn.group) > 0.98
    np.testing.assert_allclose(
        drawn.agreement[whole.group == drawn.group], whole.agreement[whole.group == drawn.group], atol=0.01
    )
    again = consensus(rows, 3)
    np.testing.assert_array_equal(again.group, drawn.group)


def test_many_groups_of_many_images_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).integers(0, 500, (2, 40_000))
    monkeypatch.setattr(module, "MAX_LINKED", 500)
    at_once = consensus(rows, 400)
    monkeypatch.setattr(module, "AT_ONCE", 2**19)
    tracemalloc.start()
    in_blocks = consensus(rows, 400)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # all pairs of an image and a group would take 128 MB
    for name in ("group", "agreement", "second", "second_agreement"):
        np.testing.assert_array_equal(getattr(in_blocks, name), getattr(at_once, name))


def test_copies_with_their_share_of_the_weight_change_nothing(partitions: np.ndarray) -> None:
    rows = np.concatenate([partitions, partitions[[0]]])
    weights = np.append(WEIGHTS, WEIGHTS[0] / 2)
    weights[0] /= 2
    np.testing.assert_array_equal(consensus(rows, 3, weights).group, consensus(partitions, 3, WEIGHTS).group)


class TestWhatFlips:
    """The choice that moves an image."""

    choices = product_of(layer=["low", "high"], whiten=[False, True], n_components=[5, 10])

    def test_names_the_choice_and_its_level(self) -> None:
        rows = np.stack([TRUTH] * 8)
        rows[np.ix_(self.choices["layer"] == "low", range(5))] = 1
        rows[np.ix_(self.choices["n_components"] == 10, range(30, 33))] = 2
        result = consensus(rows, 3, np.where(self.choices["layer"] == "high", 2.0, 1.0))
        flips = what_flips(result, rows, self.choices, np.where(self.choices["layer"] == "high", 2.0, 1.0))
        assert (flips["choice"][:5] == "layer").all()
        assert (flips["level"][:5] == "low").all()
        assert flips["flips"][:5].all()
        assert (flips["choice"][30:33] == "n_components").all()
        assert (flips["explained"][30:33] > 0.9).all()
        assert not flips["flips"][40:].any()

    def test_nothing_flips_what_all_agree_on(self) -> None:
        rows = np.stack([TRUTH] * 8)
        flips = what_flips(consensus(rows), rows, self.choices)
        assert flips["choice"].isna().all()
        assert flips["level"].isna().all()
        assert not flips["flips"].any()

    def test_an_axis_of_one_level_explains_nothing(self) -> None:
        rows = noisy_copies(TRUTH, [0.2] * 8, 3)
        flips = what_flips(consensus(rows), rows, self.choices.assign(backbone="one"))
        assert isinstance(flips, pd.DataFrame)
        assert "backbone" not in set(flips["choice"])
