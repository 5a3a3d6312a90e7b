"""Permutations within strata."""

from itertools import permutations

import numpy as np
import pytest

from workflow_scripts.consensus.permutation import least_p, members_of, p_value, shuffled_within


def test_values_stay_in_their_stratum_and_every_order_comes_up() -> None:
    strata = np.array([2, 0, 2, 0, 2, 1])
    values = np.arange(6)
    members = members_of(strata)
    rng = np.random.default_rng(0)
    drawn = np.array([shuffled_within(members, values, rng) for _ in range(600)])
    assert (strata[drawn] == strata).all()
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(orders) == 12  # 3! x 2! x 1!
    assert counts.min() > 25


def test_p_counts_the_observed_one_and_ties() -> None:
    assert p_value(2.0, np.array([1.0, 2.0, 3.0])) == 0.75
    assert p_value(9.0, np.zeros(99)) == 0.01


@pytest.mark.parametrize("strata", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1], [0] * 6, [0, 1, 2, 3, 4, 4]])
@pytest.mark.parametrize("levels", [[0, 1, 0, 1, 0, 1], [0, 1, 2, 0, 1, 2], [0, 0, 0, 0, 1, 2], [-1, -1, 0, 1, 0, 1]])
def test_the_least_p_is_the_share_of_arrangements_that_only_rename_the_levels(strata, levels) -> None:
    def renamed(row: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(list(dict.fromkeys(row)).index(level) for level in row)

    def sizes(row: tuple[int, ...]) -> list[list[int]]:
        return [sorted(level for level, stratum in zip(row, strata, strict=True) if stratum == s) for s in set(strata)]

    arrangements = [row for row in set(permutations(levels)) if sizes(row) == sizes(tuple(levels))]
    alike = sum(renamed(row) == renamed(tuple(levels)) for row in arrangements)
    assert least_p(members_of(np.array(strata)), np.array(levels)) == pytest.approx(alike / len(arrangements))
