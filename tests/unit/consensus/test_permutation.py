"""Permutations within strata."""

import numpy as np

from workflow_scripts.consensus.permutation import members_of, p_value, shuffled_within


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
