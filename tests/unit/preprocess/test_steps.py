"""Each preprocessing step against a direct call of the library, or against values computed by hand."""

import numpy as np
import pytest
from skimage import color, exposure, filters, morphology, transform, util

from workflow_scripts.preprocess import (
    centre_crop,
    clahe,
    colour,
    depth,
    grey,
    rank_equalise,
    rescale_intensity,
    resize,
)
from workflow_scripts.preprocess.pipeline import to_float

RANDOM = np.random.default_rng(0)
GREY = RANDOM.random((40, 60), dtype=np.float32)
COLOUR = RANDOM.random((40, 60, 3), dtype=np.float32)


def test_grey_is_luminance_and_leaves_grey_alone():
    expected = COLOUR.astype(np.float64) @ [0.2125, 0.7154, 0.0721]
    np.testing.assert_allclose(grey.apply(COLOUR), expected, atol=1e-6)
    assert grey.apply(GREY) is GREY


def test_colour_repeats_grey_and_leaves_colour_alone():
    np.testing.assert_array_equal(colour.apply(GREY), np.dstack([GREY, GREY, GREY]))
    assert colour.apply(COLOUR) is COLOUR


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_clahe_is_scikit_images(image):
    np.testing.assert_array_equal(clahe.apply(image), exposure.equalize_adapthist(image))
    changed = clahe.apply(image, kernel_size=8, clip_limit=0.05, nbins=64)
    np.testing.assert_array_equal(changed, exposure.equalize_adapthist(image, kernel_size=8, clip_limit=0.05, nbins=64))
    assert not np.array_equal(changed, clahe.apply(image))


def test_clahe_of_colour_keeps_hue():
    muted = COLOUR * 0.5 + 0.25
    before, after = color.rgb2hsv(muted), color.rgb2hsv(clahe.apply(muted))
    lit = after[..., 2] > 0.1  # black has no hue
    np.testing.assert_allclose(after[lit, 0], before[lit, 0], atol=1e-3)
    assert np.abs(after[..., 2] - before[..., 2]).max() > 0.05


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("step", [clahe, rescale_intensity])
def test_an_image_of_one_value_stays(step, value):
    flat = np.full((20, 20), value, np.float32)
    np.testing.assert_array_equal(step.apply(flat), flat)


def test_rank_equalise_is_scikit_images_of_256_levels():
    expected = filters.rank.equalize(util.img_as_ubyte(GREY), morphology.disk(5)) / 255
    np.testing.assert_allclose(rank_equalise.apply(GREY, radius=5), expected, atol=1e-6)


def test_rank_equalise_of_colour_is_of_the_value():
    result = color.rgb2hsv(rank_equalise.apply(COLOUR, radius=5))
    value = COLOUR.max(axis=2)
    expected = filters.rank.equalize(util.img_as_ubyte(value), morphology.disk(5)) / 255
    np.testing.assert_allclose(result[..., 2], expected, atol=1e-5)


@pytest.mark.parametrize("anti_aliasing", [True, False])
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_resize_is_scikit_images(image, anti_aliasing):
    result = resize.apply(image, size=[15, 25], anti_aliasing=anti_aliasing)
    assert result.shape == (15, 25, *image.shape[2:])
    np.testing.assert_array_equal(result, transform.resize(image, (15, 25), anti_aliasing=anti_aliasing))


def test_resize_with_anti_aliasing_averages_and_without_it_picks():
    stripes = np.tile(np.float32([0, 0, 0, 1]), (40, 15))
    assert resize.apply(stripes, size=[10, 15], anti_aliasing=True)[5, 5:10] == pytest.approx(0.25, abs=0.1)
    assert resize.apply(stripes, size=[10, 15], anti_aliasing=False)[5, 5:10] == pytest.approx(0)


@pytest.mark.parametrize("shape", [(16, 256), (256, 16), (33, 77), (40, 40)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_resize_keeps_the_aspect_ratio_where_it_pads_or_crops(shape, channels):
    # A square in the middle stays a square, whatever the image's own ratio is.
    image = np.full((*shape, *channels), 0.25, np.float32)
    side = min(shape) // 2
    top, left = ((length - side) // 2 for length in shape)
    image[top : top + side, left : left + side] = 1
    for fit in ("pad", "crop"):
        result = resize.apply(image, size=[64, 64], anti_aliasing=False, fit=fit)
        assert result.shape == (64, 64, *channels)
        inside = result.reshape(64, 64, -1)[..., 0] > 0.7
        height, width = inside.any(axis=1).sum(), inside.any(axis=0).sum()
        assert abs(int(height) - int(width)) <= 2
        assert height == pytest.approx(side * (64 / (max if fit == "pad" else min)(shape)), abs=2)
    padded = resize.apply(image, size=[64, 64], anti_aliasing=False, fit="pad")
    if shape[0] != shape[1]:
        assert padded[0, 0] == pytest.approx(image.mean(), abs=0.02)


@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_centre_crop(image):
    np.testing.assert_array_equal(centre_crop.apply(image, size=[20, 60]), image[10:30])
    np.testing.assert_array_equal(centre_crop.apply(image, size=[39, 57]), image[:39, 1:58])
    np.testing.assert_array_equal(centre_crop.apply(image, size=[40, 60]), image)


@pytest.mark.parametrize("size", [[41, 10], [10, 61]])
def test_centre_crop_of_too_small_an_image(size):
    with pytest.raises(ValueError, match=f"found 40 x 60 .*allowed: {size[0]} x {size[1]} or more"):
        centre_crop.apply(GREY, size=size)


def test_rescale_intensity_maps_percentiles_to_the_whole_range():
    low, high = np.percentile(GREY, (10, 80))
    expected = np.clip((GREY.astype(np.float64) - low) / (high - low), 0, 1)
    np.testing.assert_allclose(rescale_intensity.apply(GREY, low=10, high=80), expected, atol=1e-5)


def test_rescale_intensity_of_colour_keeps_grey_grey():
    image = colour.apply(GREY * 0.5)
    result = rescale_intensity.apply(image, low=0, high=100)
    np.testing.assert_array_equal(result, colour.apply(result[..., 0]))
    assert (result.min(), result.max()) == (0, 1)


def test_depth_scales_twelve_bits_to_the_whole_range_and_refuses_more():
    values = np.array([[0, 1, 2048, 4095]], dtype=np.uint16)
    np.testing.assert_allclose(depth.apply(to_float(values), bits=12), values / 4095, rtol=1e-6)
    with pytest.raises(ValueError, match="bits: found a value of 4096 of 65535, allowed: at most 4095 with bits: 12"):
        depth.apply(to_float(values + 1), bits=12)
