"""Pixels band by band, compared with those of the whole image."""

import numpy as np
import pytest

from workflow_scripts.io.pixels import Part, Window, bands, eight_bits, is_uniform, reduced, value_range

RANDOM = np.random.default_rng(0)
SHAPES = [(600, 70), (513, 40, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_window_has_the_rows_of_its_rectangle(shape):
    image = RANDOM.integers(0, 256, shape, np.uint8)
    window = Window(image, slice(100, 400), slice(10, 30))
    assert (len(window), window.shape) == (300, image[100:400, 10:30].shape)
    np.testing.assert_array_equal(np.concatenate(list(bands(window, 128))), image[100:400, 10:30])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_more_bits_are_stretched_over_the_whole_image_whatever_the_bands(shape, dtype):
    image = RANDOM.uniform(300, 9000, shape).astype(dtype)
    low, high = value_range(bands(image))
    assert (low, high) == (image.min(), image.max())
    expected = np.rint((image.astype(float) - low) * 255 / (high - low))
    assert np.abs(eight_bits(image).astype(int) - expected).max() <= 1
    assert (eight_bits(image).min(), eight_bits(image).max()) == (0, 255)


def test_a_reduced_image_has_the_means_of_blocks():
    image = RANDOM.integers(0, 256, (1200, 800), np.uint8)
    means = image[:, : 3 * 266].reshape(400, 3, 266, 3).mean((1, 3))
    small = reduced(image, 200)
    assert small.shape == (400, 267)  # 1200 / (2 * 200) = 3; the last column has the two that are left
    assert np.abs(small[:, :266] - means).max() < 1


@pytest.mark.parametrize("shape", SHAPES)
def test_one_other_pixel_in_the_last_band_is_found(shape):
    image = np.full(shape, 7, np.uint8)
    assert is_uniform(image)
    image[-1, -1] = 8
    assert not is_uniform(image)


def test_a_part_is_a_copy_of_its_rectangle(tmp_path):
    page = RANDOM.integers(0, 256, (20, 30), np.uint8)
    part = Part(tmp_path / "a.tif", 1, 4, 5, 6, 7).of(page)
    np.testing.assert_array_equal(part, page[5:12, 4:10])
    assert not np.shares_memory(part, page)
