"""DBSCAN's radius: the curve, its knee, and whether there is a density gap, on shapes and on deep features."""

import logging

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.clusterers import dbscan
from workflow_scripts.clusterers.k_distance import SURE, find_knee, k_distances
from workflow_scripts.settings.clusterers.finding_k import Dbscan

RNG = np.random.default_rng(0)
SHAPES = {
    "moons": make_moons(1500, noise=0.05, random_state=0),
    "circles": make_circles(1500, factor=0.5, noise=0.05, random_state=0),
    "blobs": make_blobs(800, centers=3, random_state=8),
    "blobs in 50 dimensions": make_blobs(800, 50, centers=6, random_state=8),
}
NO_GAP = {
    "uniform": RNG.random((800, 2)),
    "one normal": RNG.normal(size=(800, 50)),
    "densities that differ": make_blobs(800, cluster_std=[1.0, 2.5, 0.5], random_state=170)[0],
}


def auto(points: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    ((_, runs),) = dbscan.cluster(points, Dbscan().dump(), 0, 1, lambda *_: None)
    return runs.labels[0], dict(runs.diagnostics)


def test_the_curve_is_of_neighbour_number_min_samples_less_one():
    points = RNG.normal(size=(60, 3))
    others = np.sort(cdist(points, points), axis=1)  # each point itself comes first
    np.testing.assert_allclose(k_distances(points, 5), others[:, 4])
    radius = np.median(others[:, 4])
    core = DBSCAN(eps=radius, min_samples=5).fit(points).core_sample_indices_
    np.testing.assert_array_equal(core, np.flatnonzero(k_distances(points, 5) <= radius))


def test_the_knee_of_a_curve_that_has_one():
    clump = RNG.normal(scale=0.01, size=(90, 2))
    far = 100 * np.arange(1, 11)[:, None] * [1, 1] + clump[:10]
    knee = find_knee(np.vstack([clump, far]), 5)
    assert knee.place == 89
    assert knee.curve[knee.place] == knee.eps < 0.1
    assert 0.8 < knee.height <= 1
    assert not knee.is_gap  # one clump, and nothing else to cut it from


@pytest.mark.parametrize("shape", SHAPES)
def test_dbscan_finds_shapes_by_itself(shape, caplog):
    points, truth = SHAPES[shape]
    labels, diagnostics = auto(points)
    assert adjusted_rand_score(truth, labels) > 0.9
    assert diagnostics["confidence"] > 0.4
    np.testing.assert_array_equal(labels, DBSCAN(eps=diagnostics["eps"][0], min_samples=10).fit(points).labels_)
    assert caplog.text == ""


@pytest.mark.parametrize("shape", SHAPES)
def test_confidence_is_how_far_the_radius_may_grow(shape):
    """Until half of the separation at the knee is gone, DBSCAN run anew at each radius."""
    points, _ = SHAPES[shape]
    knee = find_knee(points, 10)

    def separation(radius: float) -> float:
        fit = DBSCAN(eps=radius, min_samples=10).fit(points)
        sizes = np.bincount(fit.labels_[fit.core_sample_indices_])
        return 1 - np.square(sizes / sizes.sum()).sum()

    assert separation(knee.eps) == pytest.approx(knee.separation, abs=2e-3)  # the knee lies on the border
    end = knee.eps / (1 - knee.confidence)
    assert separation(end * 1.0001) <= knee.separation / 2 < separation(end * 0.9999)


@pytest.mark.parametrize("shape", NO_GAP)
def test_without_a_gap_it_says_so_and_stores_what_there_is(shape, caplog):
    with caplog.at_level(logging.WARNING, "clustergrid"):
        labels, diagnostics = auto(NO_GAP[shape])
    assert diagnostics["confidence"] < SURE
    assert "no density gap to cut on" in caplog.text
    np.testing.assert_array_equal(labels, DBSCAN(eps=diagnostics["eps"][0], min_samples=10).fit(NO_GAP[shape]).labels_)


def test_points_in_one_place():
    labels, diagnostics = auto(np.ones((30, 2)))
    assert (labels == 0).all()
    assert diagnostics["confidence"] == 0
