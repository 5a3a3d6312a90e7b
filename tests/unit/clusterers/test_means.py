"""The means of clusters against numpy's of each cluster's members."""

import h5py
import numpy as np
import pytest

from workflow_scripts.clusterers import means
from workflow_scripts.clusterers.means import cluster_means


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_are_numpys_to_the_last_bit_whatever_the_block(monkeypatch, tmp_path, dtype):
    random = np.random.default_rng(0)
    points = (1e3 * random.normal(size=(2000, 9))).astype(dtype)
    labels = random.integers(-1, 5, 2000)
    expected = [points[labels == cluster].astype(np.float64).mean(axis=0) for cluster in range(5)]
    assert np.array_equal(cluster_means(points, labels), expected)
    monkeypatch.setattr(means, "BLOCK_BYTES", 0)
    with h5py.File(tmp_path / "points.h5", "w") as file:
        assert np.array_equal(cluster_means(file.create_dataset("points", data=points), labels), expected)


def test_an_empty_cluster_has_no_mean_and_noise_is_in_none():
    assert cluster_means(np.array([[1.0], [3.0], [9.0]]), np.array([2, 2, -1]))[2] == [2]
    assert np.isnan(cluster_means(np.array([[1.0], [3.0]]), np.array([2, 2]))[:2]).all()
    assert cluster_means(np.ones((2, 3)), np.array([-1, -1])).shape == (0, 3)
