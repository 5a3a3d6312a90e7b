"""The places of the insets of a map."""

import tracemalloc

import numpy as np
import pytest

from workflow_scripts.figures.embedding import emptiest

SIDES = np.array([0.22, 0.16])


@pytest.mark.parametrize("n_covered", [0, 25, 75])
def test_an_inset_covers_the_fewest_points_and_earlier_insets_count_as_all_points(n_covered):
    rng = np.random.default_rng(n_covered)
    points, covered = rng.beta(0.6, 0.6, (40, 2)), rng.random((n_covered, 2))
    steps = np.linspace(0, 1, 21)
    corners = [np.array([x, y]) for y in steps * (0.94 - SIDES[1]) for x in steps * (1 - SIDES[0])]

    def cost(corner):
        low, high = corner - 0.01, corner + SIDES + [0.01, 0.06]
        n_points, n_insets = (((low < places) & (places < high)).all(axis=1).sum() for places in (points, covered))
        return n_points + len(points) * n_insets, np.linalg.norm(corner + SIDES / 2 - points[0])

    np.testing.assert_array_equal(emptiest(points[0], points, covered, SIDES), min(corners, key=cost))


def test_many_points_take_little_memory():
    points = np.random.default_rng(0).random((150_000, 2))
    tracemalloc.start()
    emptiest(points[0], points, points[:250], SIDES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # hundreds of copies of the points would be 1 GB
