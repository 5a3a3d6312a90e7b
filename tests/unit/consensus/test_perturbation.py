"""The share of images that change their group."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.consensus.perturbation import changed_groups

GROUPS = [0, 0, 0, 1, 1, 1, 2, 2]
MOVED = [0, 0, 1, 1, 1, 1, 0, 2]


def perturbed(labels: list[str]) -> pd.DataFrame:
    of_image = {"label": labels, "group": GROUPS}
    flip = pd.DataFrame({"perturbation": "flip", "strength": np.nan, **of_image, "group_perturbed": GROUPS})
    blur = pd.DataFrame({"perturbation": "blur", "strength": 2.0, **of_image, "group_perturbed": MOVED})
    return pd.concat([flip, blur])


def test_shares_are_counted_overall_and_by_class() -> None:
    table = changed_groups(perturbed(["a", "a", "a", "b", "b", "b", "", ""]))
    assert table["perturbation"].tolist() == ["flip"] * 3 + ["blur"] * 3
    assert table["label"].fillna("all").tolist() == ["all", "a", "b"] * 2
    assert table["n"].tolist() == [8, 3, 3] * 2
    np.testing.assert_allclose(table["changed"], [0, 0, 0, 2 / 8, 1 / 3, 0])
    assert (table["low"] <= table["changed"]).all()
    assert (table["high"] >= table["changed"]).all()
    assert table["high"][3] == pytest.approx(0.5907, abs=1e-4)  # Wilson's interval of 2 of 8


def test_without_labels_there_is_a_row_for_each_perturbation() -> None:
    assert changed_groups(perturbed([""] * 8))["changed"].tolist() == [0, 0.25]
