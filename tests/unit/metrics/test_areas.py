"""Areas of tiles against counted pixels, and intervals against exact ones and against simulated materials."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binomtest

from workflow_scripts.intake.regions import origins
from workflow_scripts.metrics.areas import BLOCKS, blocks, fractions, tile_areas


def lattice(width, height, size, stride):
    places = [(x, y) for y in origins(height, size, stride) for x in origins(width, size, stride)]
    return pd.DataFrame(places, columns=["x", "y"]).assign(width=size, height=size)


@pytest.mark.parametrize(("width", "height", "size", "stride"), [(60, 40, 10, 10), (61, 47, 10, 10), (61, 47, 12, 5)])
def test_areas_are_those_of_pixels_shared_among_the_tiles_over_them(width, height, size, stride):
    tiles = lattice(width, height, size, stride)
    over = np.zeros((height, width), int)
    parts = [(slice(tile.y, tile.y + size), slice(tile.x, tile.x + size)) for tile in tiles.itertuples()]
    for part in parts:
        over[part] += 1
    expected = [(1 / over[part]).sum() for part in parts]
    np.testing.assert_allclose(tile_areas(tiles), expected)
    assert tile_areas(tiles).sum() == pytest.approx(width * height)


def test_independent_tiles_have_the_exact_binomial_interval():
    clusters = np.repeat([0, 1], [30, 170])
    one = fractions(clusters, np.ones(200), np.arange(200)).loc[0]
    exact = binomtest(30, 200).proportion_ci(0.95, "exact")
    assert one["fraction"] == pytest.approx(0.15)
    assert (one["low"], one["high"]) == pytest.approx((exact.low, exact.high), abs=0.002)


def test_units_that_are_all_of_one_kind_count_once_each():
    units = np.repeat(np.arange(20), 50)
    one = fractions((units < 6).astype(int), np.ones(1000), units).loc[1]
    exact = binomtest(6, 20).proportion_ci(0.95, "exact")
    assert (one["low"], one["high"]) == pytest.approx((exact.low, exact.high), abs=0.03)


def test_all_of_one_cluster_and_a_single_unit():
    one = fractions(np.zeros(100, int), np.ones(100), np.repeat(np.arange(10), 10)).loc[0]
    assert (one["low"], one["high"]) == pytest.approx((0.025 ** (1 / 10), 1))
    alone = fractions([0, 0, 1], [1, 1, 2], [0, 0, 0])
    assert list(alone["fraction"]) == [0.5, 0.5]
    assert alone[["low", "high"]].isna().all(axis=None)


def test_a_block_is_one_of_four_by_four():
    tiles = lattice(400, 200, 10, 10)
    expected = tiles["x"] // 100 * BLOCKS + tiles["y"] // 50
    np.testing.assert_array_equal(blocks(tiles), expected)
    assert len(set(blocks(lattice(30, 10, 10, 10)))) == 3


def test_intervals_of_correlated_tiles_hold_the_truth_as_often_as_they_say():
    # One phase has 30 % of the area, in grains that are some tiles wide: intervals of independent tiles are too short.
    rng = np.random.default_rng(1)
    tiles = lattice(320, 320, 10, 10)
    threshold = np.quantile(gaussian_filter(rng.normal(size=(1500, 1500)), 1.5), 0.7)
    draws, by_blocks, by_tiles = 200, 0, 0
    for _ in range(draws):
        field = gaussian_filter(rng.normal(size=(44, 44)), 1.5)[6:38, 6:38]
        clusters = (field > threshold).astype(int)[tiles["y"] // 10, tiles["x"] // 10]
        of_blocks, of_tiles = (
            fractions(clusters, np.ones(len(tiles)), units).loc[1] for units in (blocks(tiles), np.arange(len(tiles)))
        )
        by_blocks += of_blocks["low"] <= 0.3 <= of_blocks["high"]
        by_tiles += of_tiles["low"] <= 0.3 <= of_tiles["high"]
    assert by_blocks >= 0.9 * draws
    assert by_tiles < 0.75 * draws
