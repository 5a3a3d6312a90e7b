"""The tests of batches against all ways to draw them, and their false alarms on data without anything new."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from workflow_scripts.models import batch_tests
from workflow_scripts.models.batch_tests import conformal_p_values, novelty_p_value, shift_p_value, smallest_p_value


def _among_all(pooled, n, statistic):
    """The share of all draws of n whose statistic is at least that of the last n."""
    draws = [statistic(pooled, list(draw)) for draw in combinations(range(len(pooled)), n)]
    return np.mean(np.array(draws) >= statistic(pooled, list(range(len(pooled) - n, len(pooled)))))


def _newness(pooled, draw):
    steps = [round(-np.log(np.mean(pooled >= pooled[place])) * batch_tests.PER_UNIT) for place in draw]
    return sum(steps)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [1, 3, 4])
def test_novelty_against_every_draw(n, ties):
    rng = np.random.default_rng(n)
    for shift in (0, 0.5, 3):
        known, batch = rng.normal(size=8), rng.normal(size=n) + shift
        if ties:
            known, batch = known.round(), batch.round()
        assert novelty_p_value(known, batch) == pytest.approx(_among_all(np.concatenate([known, batch]), n, _newness))


def test_a_shift_is_that_of_mann_and_whitney(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(batch_tests, "STEPS", 2 * 19)  # as many as ranks in units of a half: none is rounded
    for shift in (-2, 0, 0.3, 2):
        known, batch = rng.normal(size=14), rng.normal(size=5) + shift
        assert shift_p_value(known, batch) == pytest.approx(mannwhitneyu(known, batch, method="exact").pvalue)


def test_many_images_and_a_clear_shift():
    known, batch = np.arange(400.0), np.arange(40.0) + 2000
    assert 0 < novelty_p_value(known, batch) < 1e-40
    assert 0 < shift_p_value(known, batch) < 1e-40
    assert novelty_p_value(known, known[:40]) > 0.5


def test_one_image_has_its_conformal_p_value():
    known = np.random.default_rng(0).normal(size=99)
    for new in (-3.0, 0.0, 1.0, 9.0):
        (expected,) = conformal_p_values(known, np.array([new]))
        assert expected == (1 + (known >= new).sum()) / 100
        assert novelty_p_value(known, np.array([new])) == pytest.approx(expected, abs=0.01)


def test_equal_values_are_no_alarm():
    assert novelty_p_value(np.ones(50), np.ones(10)) == 1
    assert shift_p_value(np.ones(50), np.ones(10)) == 1


@pytest.mark.parametrize("p_value", [novelty_p_value, shift_p_value])
def test_at_most_the_stated_share_of_false_alarms(p_value):
    rng = np.random.default_rng(1)
    found = np.array([p_value(draw[:60], draw[60:]) for draw in rng.exponential(size=(20_000, 70))])
    for rate in (0.01, 0.05):
        alarms, error = np.mean(found <= rate), np.sqrt(rate * (1 - rate) / len(found))
        assert rate - 6 * error < alarms < rate + 4 * error


def test_the_smallest_p_value_is_that_of_a_batch_above_all_known_numbers():
    known, batch = np.arange(9.0), np.arange(9.0, 12.0)
    assert shift_p_value(known, batch) == pytest.approx(smallest_p_value(9, 3))
    assert novelty_p_value(known, batch) == pytest.approx(smallest_p_value(9, 3) / 2)
