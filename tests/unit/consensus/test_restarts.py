"""Restarts: their optima, how many are enough, and how stable images and clusters are."""

from itertools import combinations

import numpy as np
import pytest
from skimage.data import gravel

from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.consensus.restarts import enough_restarts, restart_stability

BEST = np.array([0, 0, 0, 1, 1, 1])
OTHER = np.array([0, 0, 1, 1, 2, 2])


def test_relabelled_restarts_are_one_optimum() -> None:
    rows = np.stack([OTHER, BEST, 1 - BEST, OTHER[::-1].max() - OTHER, BEST])
    found = restart_stability(rows, np.array([3.0, 1.0, 1.0, 3.0, 1.0]))
    assert found.optima["restarts"].tolist() == [3, 2]
    assert found.optima["inertia"].tolist() == [1.0, 3.0]
    assert found.optima["ari"][0] == 1
    assert found.new_optimum == 0


def test_chance_of_the_best_of_n_is_that_of_all_draws() -> None:
    inertia = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0])
    rows = np.stack([BEST, BEST, OTHER, OTHER, OTHER, np.zeros(6, int)])
    curve = restart_stability(rows, inertia).curve
    for n, chance in zip(curve["n"], curve["best"], strict=True):
        draws = list(combinations(range(6), n))
        assert chance == pytest.approx(np.mean([min(inertia[list(draw)]) == 1 for draw in draws]))
    assert (curve["best_low"] <= curve["best"]).all()


@pytest.mark.parametrize(("hits", "share"), [(3, 0.3), (60, 0.3), (5, 0.05)])
def test_enough_is_enough_in_95_of_100_cases(hits: int, share: float) -> None:
    """Draw from a known share: so many restarts as are called enough reach it as often as promised."""
    rng = np.random.default_rng(0)
    n_restarts = round(hits / share)
    reached = []
    for _ in range(400):
        enough = enough_restarts(max(1, rng.binomial(n_restarts, share)), n_restarts)
        reached.append(1.0 if enough is None else 1 - (1 - share) ** enough)
    assert np.mean(np.array(reached) >= 0.95 - 1e-9) >= 0.93


def test_an_optimum_reached_always_needs_one_restart_and_one_reached_once_too_many() -> None:
    assert enough_restarts(100, 100) == 1
    assert enough_restarts(1, 500) is None


def test_images_and_clusters_that_restarts_leave_alone_are_stable() -> None:
    rows = np.stack([np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 2, 1, 2]), np.array([4, 4, 4, 1, 1, 2, 2])])
    found = restart_stability(rows, np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(found.image, [1, 1, 1, 2 / 3, 2 / 3, 2 / 3, 2 / 3])  # half of 1/3 and 1
    np.testing.assert_allclose(found.cluster, [1, 2 / 3, 2 / 3])


def test_patches_of_gravel_need_more_restarts_for_more_clusters() -> None:
    patches = gravel()[:256, :256].reshape(32, 8, 32, 8).swapaxes(1, 2).reshape(1024, 64).astype(float)
    found = {}
    for k in (2, 12):
        runs = run_restarts(patches, k, 60, 0)
        found[k] = restart_stability(runs.labels, runs.inertia)
    assert found[2].enough is not None
    assert found[2].enough < (found[12].enough or np.inf)
    assert found[2].image.mean() > found[12].image.mean()
