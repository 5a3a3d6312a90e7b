"""Descriptors against their formulas or known values of simple images, and their store."""

import numpy as np
import pytest

from workflow_scripts.backbones.descriptors import describe, describe_all
from workflow_scripts.io import store
from workflow_scripts.settings.backbones.descriptors import DESCRIPTORS

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (64, 64), dtype=np.uint8)


def settings(descriptor, **values):
    return DESCRIPTORS[descriptor](descriptor=descriptor, **values).dump()


def stripes(period, angle):
    """Return a sinusoidal grating, 128 x 128 pixels, whose waves travel at `angle` (radians) to the rows."""
    y, x = np.mgrid[:128, :128]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return np.rint(127.5 + 100 * wave).astype(np.uint8)


@pytest.mark.parametrize("name", DESCRIPTORS)
@pytest.mark.parametrize("side", [64, 96])
def test_the_width_is_known_before_the_run(name, side):
    model = DESCRIPTORS[name](descriptor=name)
    image = RNG.integers(0, 256, (side, side, 3), dtype=np.uint8)
    vector = describe(image, model.dump())
    assert vector.shape == (model.width("features", side),)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_grey_image_is_one_of_three_equal_channels(name):
    np.testing.assert_allclose(
        describe(NOISE, settings(name)), describe(np.repeat(NOISE[..., None], 3, 2), settings(name)), atol=1e-6
    )


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_uniform_image_has_numbers_too(name):
    assert np.isfinite(describe(np.full((64, 64), 9, np.uint8), settings(name))).all()


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_an_orbit_is_the_mean_over_rotations_and_flips(name):
    views = [
        turned for quarter in range(4) for turned in (np.rot90(NOISE, quarter), np.fliplr(np.rot90(NOISE, quarter)))
    ]
    expected = np.mean([describe(np.ascontiguousarray(view), settings(name)) for view in views], axis=0)
    np.testing.assert_allclose(describe(NOISE, settings(name, orbit=True)), expected, rtol=1e-5, atol=1e-7)


def test_pixels_are_means_of_squares_of_a_blocky_image():
    blocks = RNG.integers(0, 256, (4, 4), dtype=np.uint8)
    found = describe(blocks, settings("pixels", side=4))
    np.testing.assert_allclose(found, blocks.ravel() / 255, atol=1e-6)
    colours = RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    found = describe(colours, settings("pixels", side=4, colour=True))
    np.testing.assert_allclose(found.reshape(3, 4, 4), np.moveaxis(colours, 2, 0) / 255, atol=1e-6)


def test_a_histogram_counts_pixels():
    image = np.array([[0, 0, 63], [64, 128, 255]], np.uint8)
    np.testing.assert_allclose(describe(image, settings("histogram", bins=4)), np.array([3, 1, 1, 1]) / 6)


def lbp_by_hand(image):
    """Return the descriptor by Ojala et al. 2002, equations 9 and 10, with 8 points at radius 1, inside the border."""
    angles = 2 * np.pi * np.arange(8) / 8
    height, width = image.shape
    counts = np.zeros(10)
    for row in range(2, height - 2):
        for column in range(2, width - 2):
            signs = []
            for angle in angles:
                y, x = row - np.sin(angle), column + np.cos(angle)
                top, left = int(np.floor(y + 1e-9)), int(np.floor(x + 1e-9))
                dy, dx = y - top, x - left
                patch = image[top : top + 2, left : left + 2].astype(float)
                value = (1 - dy) * ((1 - dx) * patch[0, 0] + dx * patch[0, 1]) + dy * (
                    (1 - dx) * patch[1, 0] + dx * patch[1, 1]
                )
                signs.append(value - image[row, column] >= -1e-9)
            changes = sum(a != b for a, b in zip(signs, signs[1:] + signs[:1], strict=True))
            counts[sum(signs) if changes <= 2 else 9] += 1
    return counts / counts.sum()


def test_local_binary_patterns_by_their_formula():
    """The border is left out, because the formula is not defined there."""
    image = RNG.integers(0, 256, (48, 48), dtype=np.uint8)
    np.testing.assert_allclose(describe(image, settings("lbp", radii=[1])), lbp_by_hand(image), atol=0.03)


def test_local_binary_patterns_do_not_change_when_the_image_is_turned_or_brightened():
    dark = NOISE // 2
    turned = describe(np.rot90(dark).copy(), settings("lbp"))
    np.testing.assert_allclose(describe(dark, settings("lbp")), turned, atol=0.01)
    np.testing.assert_allclose(describe(dark, settings("lbp")), describe(dark + 100, settings("lbp")), atol=0.01)


def test_co_occurrence_by_haralicks_formulas():
    levels = 4
    image = RNG.integers(0, 256, (16, 16), dtype=np.uint8)
    quantised = image.astype(int) * levels // 256
    contrast, asm, entropy = [], [], []
    for dy, dx in ((0, 1), (1, 1), (1, 0), (1, -1)):
        matrix = np.zeros((levels, levels))
        for y in range(16):
            for x in range(16):
                if 0 <= y + dy < 16 and 0 <= x + dx < 16:
                    a, b = quantised[y, x], quantised[y + dy, x + dx]
                    matrix[a, b] += 1
                    matrix[b, a] += 1
        matrix /= matrix.sum()
        i, j = np.indices(matrix.shape)
        contrast.append((matrix * (i - j) ** 2).sum() / 9)
        asm.append((matrix**2).sum())
        entropy.append(-(matrix[matrix > 0] * np.log2(matrix[matrix > 0])).sum() / 4)
    found = describe(image, settings("glcm", distances=[1], levels=levels))
    expected = [np.mean(contrast), np.ptp(contrast), np.mean(asm), np.ptp(asm), np.mean(entropy), np.ptp(entropy)]
    np.testing.assert_allclose(found[[0, 1, 6, 7, 10, 11]], expected, atol=1e-6)


def test_gradients_of_stripes_stand_across_them():
    """Waves along x have gradients in the first of nine orientations, waves along y in the middle one."""
    found = describe(stripes(16, 0), settings("hog", cell=32)).reshape(-1, 9).mean(0)
    assert found.argmax() in (0, 8)
    assert describe(stripes(16, np.pi / 2), settings("hog", cell=32)).reshape(-1, 9).mean(0).argmax() == 4


@pytest.mark.parametrize(("scale", "orientation"), [(0, 0), (1, 2), (2, 4), (3, 5)])
def test_the_gabor_filter_of_the_right_scale_and_direction_answers(scale, orientation):
    frequency = 0.05 * 8 ** (scale / 3)  # four scales from 0.05 to 0.4 cycles a pixel, by Manjunath & Ma
    image = stripes(1 / frequency, np.pi * orientation / 6)
    means = describe(image, settings("gabor"))[::2].reshape(4, 6)
    assert np.unravel_index(means.argmax(), means.shape) == (scale, orientation)


def test_the_store_is_the_same_for_any_number_of_workers(tmp_path):
    images = RNG.integers(0, 256, (70, 32, 32), dtype=np.uint8)
    ids = [f"{number:016x}" for number in range(70)]
    seen = []
    for workers in (1, 2):
        path = tmp_path / f"{workers}.h5"
        attributes = store.provenance("c", "m", {"a": 1})
        describe_all(images, ids, settings("histogram"), path, attributes, workers, lambda *done: seen.append(done))
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()
    assert seen[-1] == (70, 70)
    with store.reading(tmp_path / "1.h5", "m") as file:
        assert store.image_ids(file).tolist() == ids
        np.testing.assert_array_equal(file["features"][69], describe(images[69], settings("histogram")))
