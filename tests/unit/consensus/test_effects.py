"""Effects of choices on partitions, against what was put in and against the analysis of a number."""

import numpy as np
import pytest

from tests.unit.consensus.partitions import noisy_copies, product_of
from workflow_scripts.consensus.agreement import agreement_matrix
from workflow_scripts.consensus.effects import partition_effects
from workflow_scripts.metrics.effects import variance_shares

CHOICES = product_of(layer=["a", "b", "c"], whiten=[False, True], n_components=[5, 10, 20])


def test_of_distances_between_numbers_are_those_of_their_variance() -> None:
    """If 1 - agreement were the squared distance of one number per cell, the shares are those of that number."""
    numbers = np.random.default_rng(0).normal(size=18)
    agreement = 1 - np.square(numbers[:, None] - numbers)
    found = partition_effects(agreement, CHOICES, n_permutations=1).set_index("term")["share"]
    expected = variance_shares(CHOICES.assign(value=numbers, repeat=0), list(CHOICES), "value").set_index("term")[
        "share"
    ]
    for term, share in expected.items():
        assert found[term] == pytest.approx(share)


def test_the_choice_that_decides_comes_first_and_a_label_without_effect_is_chance() -> None:
    truth = np.repeat(np.arange(4), 50)
    of_layer = {name: noisy_copies(truth, [0.5], 4, seed)[0] for seed, name in enumerate("abc")}
    rows = np.stack([noisy_copies(of_layer[layer], [0.1], 4, seed)[0] for seed, layer in enumerate(CHOICES["layer"])])
    effects = partition_effects(agreement_matrix(rows), CHOICES, n_permutations=199)
    assert effects["term"][0] == "layer"
    assert effects["share"][0] > 0.5
    assert effects["p"][0] == pytest.approx(1 / 200)
    assert effects["added"][0] > effects["chance_high"][0]
    others = effects.set_index("term").loc[["whiten", "n_components"]]
    assert (others["p"] > 0.01).all()
    assert (others["share"] < 0.2).all()


def test_false_alarms_have_their_rate() -> None:
    """Cells that differ by chance alone: p is below .1 in a tenth of the cases."""
    truth = np.repeat(np.arange(3), 20)
    alarms = [
        partition_effects(agreement_matrix(noisy_copies(truth, [0.4] * 18, 3, seed)), CHOICES, n_permutations=19)["p"][
            :3
        ]
        for seed in range(40)
    ]
    assert np.mean(np.concatenate(alarms) <= 0.1) < 0.17


def test_one_choice_at_a_time_is_analysed_too() -> None:
    rows = noisy_copies(np.repeat(np.arange(4), 50), [0.1, 0.1, 0.1, 0.9], 4)
    one_at_a_time = CHOICES.iloc[[0, 1, 3, 6]].reset_index(drop=True)
    effects = partition_effects(agreement_matrix(rows), one_at_a_time, n_permutations=9)
    assert effects["share"][:3].between(0, 1).all()
    assert effects["added"][:3].notna().all()


def test_an_axis_of_one_level_is_no_choice() -> None:
    rows = noisy_copies(np.repeat(np.arange(4), 50), [0.1] * 18, 4)
    effects = partition_effects(agreement_matrix(rows), CHOICES.assign(backbone="one"), n_permutations=1)
    assert not effects["term"].str.contains("backbone").any()
    assert len(effects) == 6


def test_with_two_levels_of_each_of_three_choices_no_choice_can_be_significant() -> None:
    """Of the 16 arrangements of a choice 2 are the observed one, by other names: p is 1/8 or more."""
    choices = product_of(preprocess=["a", "b"], layer=["c", "d"], whiten=[False, True])
    truth = np.repeat(np.arange(4), 50)
    parts = {layer: noisy_copies(truth, [0.5], 4, seed)[0] for seed, layer in enumerate("cd")}
    effects = partition_effects(agreement_matrix(np.stack([parts[layer] for layer in choices["layer"]])), choices)
    assert effects["share"][0] == pytest.approx(1)
    assert (effects["least_p"][:3] == 1 / 8).all()
    assert (effects["p"][:3] >= 1 / 8).all()
