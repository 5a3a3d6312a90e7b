"""Levels of choices, and when null is one of them."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.consensus.partitions import noisy_copies, product_of
from workflow_scripts.consensus.agreement import agreement_matrix
from workflow_scripts.consensus.consensus import consensus, what_flips
from workflow_scripts.consensus.effects import partition_effects
from workflow_scripts.consensus.levels import levels_of

TRUTH = np.repeat(np.arange(4), 30)


def test_null_is_a_level_beside_a_number_of_the_same_decomposition():
    levels = levels_of(pd.DataFrame({"layer": list("aabb"), "n_components": [None, 50, None, 50]}, dtype=object))
    assert levels["n_components"][0].tolist() == [0, 1, 0, 1]
    assert levels["n_components"][1] == [None, 50]
    assert levels["layer"][1] == ["a", "b"]


@pytest.mark.parametrize("numbers", [[50], [10, 50]])
def test_null_of_a_cell_without_decomposition_is_no_level(numbers):
    choices = pd.DataFrame(
        {"decomposition": [*["pca"] * len(numbers), "none"], "n_components": [*numbers, None]}, dtype=object
    )
    codes, names = levels_of(choices)["n_components"]
    assert codes.tolist() == [*range(len(numbers)), -1]
    assert names == numbers


@pytest.mark.parametrize("numbers", [[None, 50], [None, 10, 50]])
def test_all_components_matter_as_any_number_does(numbers):
    choices = product_of(layer=["a", "b"], n_components=[*range(len(numbers))])
    rows = [noisy_copies(TRUTH, [0.02 if n else 0.4], 4, seed)[0] for seed, n in enumerate(choices["n_components"])]
    partitions = np.stack(rows)
    with_null = choices.assign(n_components=[numbers[n] for n in choices["n_components"]]).astype(object)
    agreement, result = agreement_matrix(partitions), consensus(partitions, 4)
    pd.testing.assert_frame_equal(
        partition_effects(agreement, with_null, n_permutations=19),
        partition_effects(agreement, choices, n_permutations=19),
    )
    flips, expected = what_flips(result, partitions, with_null), what_flips(result, partitions, choices)
    columns = ["choice", "explained", "vote", "flips"]
    pd.testing.assert_frame_equal(flips[columns], expected[columns])
    moved = expected["choice"] == "n_components"
    assert moved.any()
    assert flips["level"][moved].tolist() == [numbers[n] for n in expected["level"][moved]]


def test_effects_of_cells_to_which_a_choice_does_not_apply():
    rows = [(kind, n, step) for kind, n in (("none", None), ("pca", 10), ("pca", 50)) for step in ("clahe", "plain")]
    choices = pd.DataFrame(rows, columns=["decomposition", "n_components", "preprocess"], dtype=object)
    agreement = agreement_matrix(noisy_copies(TRUTH, [0.2] * len(rows), 4))
    effects = partition_effects(agreement, choices, n_permutations=9).set_index("term")
    least = {"decomposition": 1 / 15, "n_components": 1 / 2, "preprocess": 1 / 4}
    assert effects["least_p"].dropna().to_dict() == pytest.approx(least)
