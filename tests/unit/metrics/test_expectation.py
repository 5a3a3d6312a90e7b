"""best_of_n against enumeration of all draws, and its band against a bootstrap by simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_scripts.metrics import best_of_n


def expected_by_enumeration(inertia: np.ndarray, score: np.ndarray, n: int) -> float:
    """Mean over every set of n restarts; of those that tie for the lowest inertia any may be kept."""
    best = []
    for drawn in combinations(range(len(inertia)), n):
        lowest = min(inertia[list(drawn)])
        best.append(np.mean([score[i] for i in drawn if inertia[i] == lowest]))
    return float(np.mean(best))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), min_size=1, max_size=9))
def test_expectation_is_the_mean_over_all_draws(restarts: list[tuple[int, float]]) -> None:
    inertia, score = map(np.array, zip(*restarts, strict=True))
    curve = best_of_n(inertia, score, n_bootstrap=2)
    assert curve["n"].tolist() == list(range(1, len(restarts) + 1))
    enumerated = [expected_by_enumeration(inertia, score, n) for n in curve["n"]]
    np.testing.assert_allclose(curve["expected"], enumerated, atol=1e-12)


def test_many_restarts_against_simulated_draws() -> None:
    rng = np.random.default_rng(0)
    inertia = rng.random(2000)
    score = 1 - inertia + 0.2 * rng.normal(size=2000)
    curve = best_of_n(inertia, score, n_bootstrap=2).set_index("n")["expected"]
    assert curve[1] == pytest.approx(score.mean(), abs=1e-12)
    assert curve[2000] == score[inertia.argmin()]
    for n in (2, 30, 300, 1500):
        draws = [rng.choice(2000, n, replace=False) for _ in range(2000)]
        simulated = np.array([score[drawn[inertia[drawn].argmin()]] for drawn in draws])
        assert curve[n] == pytest.approx(simulated.mean(), abs=5 * simulated.std() / np.sqrt(2000) + 1e-12)


def test_band_is_the_percentile_bootstrap() -> None:
    """The band of n = 1 is that of a mean; of n = R, of the score at the lowest inertia of a resample."""
    rng = np.random.default_rng(1)
    inertia, score = rng.random(400), rng.random(400)
    curve = best_of_n(inertia, score, n_bootstrap=4000, seed=3)
    standard_error = score.std() / np.sqrt(400)
    np.testing.assert_allclose(
        curve.loc[0, ["low", "high"]].astype(float), score.mean() + np.array([-1.96, 1.96]) * standard_error, atol=0.003
    )
    resamples = rng.integers(400, size=(4000, 400))
    best = score[resamples[np.arange(4000), inertia[resamples].argmin(axis=1)]]
    np.testing.assert_allclose(
        curve.loc[399, ["low", "high"]].astype(float), np.quantile(best, [0.025, 0.975]), atol=0.05
    )
    narrower = best_of_n(inertia, score, n_bootstrap=4000, seed=3, confidence=0.5)
    assert (narrower["high"] - narrower["low"] <= curve["high"] - curve["low"]).all()
    assert (narrower["expected"] == curve["expected"]).all()


@pytest.mark.parametrize(
    ("inertia", "score", "message"),
    [([1.0], [1.0, 2.0], "expected the same"), ([], [], "R >= 1"), ([1.0, 2.0], [np.nan, 0.5], "finite")],
)
def test_wrong_input_is_refused(inertia: list[float], score: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        best_of_n(inertia, score)
