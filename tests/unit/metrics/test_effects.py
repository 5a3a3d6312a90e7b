"""Shares of the variance of a full product, against models whose shares are known."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.metrics.effects import variance_shares


def design(response, levels, repeats=1):
    """A row per cell and repeat of `response(*levels, repeat)`."""
    factors = [f"x{i}" for i in range(len(levels))]
    rows = [(*cell, r, response(*cell, r)) for *cell, r in product(*levels, range(repeats))]
    return pd.DataFrame(rows, columns=[*factors, "repeat", "y"]), factors


def test_an_additive_response_has_the_shares_of_its_parts():
    table, factors = design(lambda a, b, r: 2 * a + b, [(0, 1), (0, 1, 2)])
    shares = variance_shares(table, factors, "y").set_index("term")
    # Variances of 2a over {0, 1} and of b over {0, 1, 2}: 1 and 2/3.
    assert shares["share"].to_dict() == pytest.approx({"x0": 3 / 5, "x1": 2 / 5, "x0 × x1": 0}, abs=1e-12)
    assert shares["span"].to_dict() == {"x0": 2, "x1": 2, "x0 × x1": 4}


def test_a_pure_interaction_has_no_main_effects():
    table, factors = design(lambda a, b, r: a * b, [(-1, 1), (-1, 1)])
    shares = variance_shares(table, factors, "y").set_index("term")["share"]
    assert shares.to_dict() == pytest.approx({"x0": 0, "x1": 0, "x0 × x1": 1})


def test_shares_are_the_sums_of_squares_of_a_linear_model():
    rng = np.random.default_rng(1)
    table, factors = design(lambda *_: rng.normal(), [range(2), range(3), range(4)])
    found = variance_shares(table, factors, "y").set_index("term")["share"]
    y = table["y"].to_numpy()
    total = np.square(y - y.mean()).sum()

    def residual(*terms):
        columns = [
            pd.get_dummies(table[list(term)].astype(str).agg("|".join, axis=1)).to_numpy(float) for term in terms
        ]
        X = np.column_stack([np.ones(len(y)), *columns])
        return np.square(y - X @ np.linalg.lstsq(X, y, rcond=None)[0]).sum()

    assert found["x1"] == pytest.approx(1 - residual(("x1",)) / total)
    both = (residual(("x0",), ("x2",)) - residual(("x0",), ("x2",), ("x0", "x2"))) / total
    assert found["x0 × x2"] == pytest.approx(both)


def test_each_repeat_is_a_design_of_its_own():
    table, factors = design(lambda a, b, r: a if r == 0 else b, [(0, 1), (0, 1)], repeats=2)
    shares = variance_shares(table, factors, "y").set_index(["repeat", "term"])["share"]
    assert shares[0, "x0"] == shares[1, "x1"] == 1
    assert shares[0, "x1"] == shares[1, "x0"] == 0


def test_a_constant_response_has_no_shares():
    table, factors = design(lambda a, b, r: 1.0, [(0, 1), (0, 1)])
    assert variance_shares(table, factors, "y")["share"].isna().all()


@pytest.mark.parametrize("broken", [lambda t: t.iloc[1:], lambda t: pd.concat([t, t.iloc[:1]])])
def test_no_full_product_is_an_error(broken):
    table, factors = design(lambda a, b, r: a + b, [(0, 1), (0, 1)])
    with pytest.raises(ValueError, match="expected one value for each cell"):
        variance_shares(broken(table), factors, "y")
