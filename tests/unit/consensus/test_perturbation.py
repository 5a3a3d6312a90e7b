"""The share of images that change their group."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.consensus.perturbation import changed_groups


def test_shares_are_counted_overall_and_by_class() -> None:
    groups = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    moved = np.array([0, 0, 1, 1, 1, 1, 0, 2])
    labels = ["a", "a", "a", "b", "b", "b", "", ""]
    perturbed = pd.DataFrame({"perturbation": ["flip", "blur"], "strength": [np.nan, 2.0], "groups": [groups, moved]})
    table = changed_groups(groups, perturbed, labels)
    assert table["label"].fillna("all").tolist() == ["all", "a", "b"] * 2
    assert table["n"].tolist() == [8, 3, 3] * 2
    np.testing.assert_allclose(table["changed"], [0, 0, 0, 2 / 8, 1 / 3, 0])
    assert (table["low"] <= table["changed"]).all()
    assert (table["high"] >= table["changed"]).all()
    assert table["high"][3] == pytest.approx(0.5907, abs=1e-4)  # Wilson's interval of 2 of 8


def test_without_labels_there_is_a_row_for_each_perturbation() -> None:
    groups = np.zeros(4, int)
    perturbed = pd.DataFrame({"perturbation": ["flip"], "strength": [np.nan], "groups": [groups]})
    assert len(changed_groups(groups, perturbed)) == 1
