"""Stability under resampling: 1 for groups that any sample shows, about 0 without groups; whole groups are drawn."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from workflow_scripts.consensus.resampling import SHARE, stability_under_resampling


def kmeans(points: np.ndarray, seed: int, k: int = 3) -> np.ndarray:
    return KMeans(k, n_init=3, random_state=seed).fit_predict(points)


@pytest.fixture
def blobs() -> np.ndarray:
    """Three groups of 20 points, far apart."""
    return np.repeat([[0.0, 0], [9, 0], [0, 9]], 20, axis=0) + np.random.default_rng(0).normal(0, 0.1, (60, 2))


def test_groups_that_every_sample_shows_are_stable(blobs: np.ndarray) -> None:
    assert stability_under_resampling(blobs, np.repeat([2, 0, 1], 20), kmeans, n_resamples=3) == 1


def test_a_partition_that_has_nothing_to_do_with_the_points_is_not_stable(blobs: np.ndarray) -> None:
    partition = np.random.default_rng(1).permutation(np.repeat([2, 0, 1], 20))
    assert abs(stability_under_resampling(blobs, partition, kmeans, n_resamples=10)) < 0.1


def test_of_two_groups_one_is_left_out(blobs: np.ndarray) -> None:
    seen: list[int] = []

    def noted(some: np.ndarray, seed: int) -> np.ndarray:
        seen.append(len(some))
        return np.zeros(len(some), dtype=int)

    groups = np.repeat(["a", "b"], [20, 40])
    stability_under_resampling(blobs, np.repeat([2, 0, 1], 20), noted, n_resamples=4, groups=groups)
    assert {*seen} <= {20, 40}


def test_a_sample_has_most_of_the_images_and_whole_groups(blobs: np.ndarray) -> None:
    groups = np.repeat([f"specimen {number}" for number in range(10)], 6)
    points = np.arange(60.0)[:, None]
    seen: list[np.ndarray] = []

    def noted(some: np.ndarray, seed: int) -> np.ndarray:
        seen.append(some[:, 0].astype(int))
        return np.zeros(len(some), dtype=int)

    stability_under_resampling(points, np.arange(60) % 3, noted, n_resamples=4, groups=groups)
    assert len({tuple(rows) for rows in seen}) > 1
    for rows in seen:
        assert len(rows) == SHARE * 60
        assert (np.bincount(rows // 6, minlength=10) % 6 == 0).all()
