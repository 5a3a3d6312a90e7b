"""Blocks of distances against scikit-learn's, bit by bit."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances_chunked

from workflow_scripts.metrics.pairs import distance_blocks


@pytest.mark.parametrize("mebibytes", [1, 64])
def test_the_distances_are_scikit_learns_to_the_last_bit(mebibytes):
    points = np.random.default_rng(0).normal(size=(700, 11))
    theirs = list(pairwise_distances_chunked(points, working_memory=mebibytes))
    ours = list(distance_blocks(points, mebibytes << 20))
    assert [block.shape for block in ours] == [block.shape for block in theirs]
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
