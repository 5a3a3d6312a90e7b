"""Which cells to trust: chance, unanimity and copies."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.consensus.partitions import CHOICES, MOVED, TRUTH, noisy_copies
from workflow_scripts.consensus.agreement import agreement_matrix
from workflow_scripts.consensus.trust import MAX_SAMPLE, ONE_OPINION, Trust, cell_weights, most_trusted, opinions, trust


def test_cells_near_what_all_share_rank_first(trusted: Trust) -> None:
    assert trusted.verdict == "agree"
    assert trusted.table["rank"][[0, 1, 2, 3, 7]].tolist() == [1, 2, 3, 4, 8]
    assert (trusted.table["rank_low"] <= trusted.table["rank"]).all()
    assert (trusted.table["rank_high"] >= trusted.table["rank"]).all()
    assert trusted.best == most_trusted(trusted.agreement, range(8)) == 0
    assert most_trusted(np.ones((1, 1)), [0]) == 0


def test_a_cell_that_may_not_be_chosen_still_counts_for_the_others() -> None:
    agreement = np.eye(4)
    agreement[0, [1, 2, 3]] = 0.6, 0.1, 0.1  # without the first cell, the third agrees most
    agreement[2, [1, 3]] = 0.2, 0.2
    assert most_trusted(np.maximum(agreement, agreement.T), [1, 2, 3]) == 0


def test_agreement_of_foreign_cells_is_a_mean_of_the_matrix(trusted: Trust) -> None:
    assert trusted.n_opinions == 8
    others = [row for row in range(8) if row != 2]
    assert trusted.table["agreement"][2] == pytest.approx(trusted.agreement[2, others].mean(), abs=1e-12)
    assert trusted.table["foreign"][2] == pytest.approx(trusted.agreement[2, others].mean(), abs=1e-12)
    same = trust(noisy_copies(TRUTH, MOVED, 5), CHOICES.assign(layer="a"), n_samples=2)
    assert same.table["foreign"][2] == pytest.approx(trusted.agreement[2, 4:].mean(), abs=1e-12)


@pytest.mark.parametrize("k", [2, 5, 20])
def test_random_partitions_give_trust_none(k: int) -> None:
    rng = np.random.default_rng(k)
    verdicts = [trust(rng.integers(0, k, (8, 200)), CHOICES, n_samples=50).verdict for _ in range(10)]
    assert verdicts.count("nothing") >= 9


def test_a_faint_agreement_is_weak() -> None:
    assert trust(noisy_copies(TRUTH, [0.7] * 8, 5), CHOICES).verdict == "weak"


def test_identical_cells_agree_by_1() -> None:
    same = trust(np.stack([TRUTH] * 8), CHOICES, n_samples=10)
    assert (same.table["agreement"] == 1).all()
    assert same.verdict == "agree"
    assert same.n_opinions == 1
    assert (same.table["rank"] == 1).all()


def test_twenty_copies_of_a_cell_change_nothing(partitions: np.ndarray, trusted: Trust) -> None:
    copies = np.concatenate([partitions, np.repeat(partitions[[6]], 20, axis=0)])
    choices = pd.concat([CHOICES, CHOICES.iloc[[6] * 20]])
    with_copies = trust(copies, choices, n_samples=10)
    table = with_copies.table.iloc[:8]
    np.testing.assert_allclose(table["agreement"], trusted.table["agreement"], atol=1e-12)
    assert with_copies.n_opinions == trusted.n_opinions
    votes = with_copies.table["vote"].to_numpy()
    np.testing.assert_allclose(np.append(votes[:6], [votes[6] + votes[8:].sum(), votes[7]]), trusted.table["vote"])
    weights = cell_weights(with_copies)
    np.testing.assert_allclose(weights[6] + weights[8:].sum(), cell_weights(trusted)[6])


def test_twenty_near_copies_share_one_vote(partitions: np.ndarray, trusted: Trust) -> None:
    near = np.repeat(partitions[[6]], 20, axis=0)
    near[np.arange(20), np.arange(20) * 7] = near[0, 0]
    with_near = trust(np.concatenate([partitions, near]), pd.concat([CHOICES, CHOICES.iloc[[6] * 20]]), n_samples=10)
    assert with_near.n_opinions == 8
    np.testing.assert_allclose(with_near.table["agreement"][:8], trusted.table["agreement"], atol=0.005)
    plain = agreement_matrix(np.concatenate([partitions, near]))
    assert abs(plain[7].mean() - trusted.agreement[7].mean()) > 0.02  # what the copies do to a plain mean


def test_members_of_an_opinion_agree(partitions: np.ndarray) -> None:
    rows = np.concatenate([noisy_copies(TRUTH, [0.01, 0.02, 0.03, 0.05], 5, seed) for seed in range(3)])
    agreement = agreement_matrix(rows)
    opinion = opinions(agreement)
    assert 1 < opinion.max() + 1 < len(rows)
    assert (agreement[opinion[:, None] == opinion] >= ONE_OPINION).all()


def test_ranks_of_more_images_than_are_drawn_are_surer() -> None:
    close = [0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.37]

    def width(per_group: int) -> float:
        table = trust(noisy_copies(np.repeat(np.arange(5), per_group), close, 5), CHOICES).table
        return float((table["rank_high"] - table["rank_low"]).mean())

    assert width(MAX_SAMPLE * 8) < width(MAX_SAMPLE // 5)


def test_one_cell_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 or more"):
        trust(TRUTH[None], CHOICES.iloc[:1])


def test_the_bootstrap_draws_groups() -> None:
    """Every image ten times over in one group says as much as once; as independent images it would say more."""
    close = [0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.37]
    once = noisy_copies(np.repeat(np.arange(5), 18), close, 5)
    ten_times, groups = np.repeat(once, 10, axis=1), np.repeat(np.arange(90).astype(str), 10)

    def width(partitions: np.ndarray, groups: np.ndarray | None = None) -> float:
        table = trust(partitions, CHOICES, n_samples=200, groups=groups).table
        return float((table["rank_high"] - table["rank_low"]).mean())

    assert width(ten_times, groups) == pytest.approx(width(once), rel=0.2)
    assert width(ten_times) < 0.8 * width(once)
