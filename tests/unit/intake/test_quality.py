"""The measures of quality against numpy, and the remarks on photographs that were made dark, blurred and so on."""

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter, laplace

from workflow_scripts.intake.quality import measure, quality_notes, quality_table
from workflow_scripts.preprocess import depth
from workflow_scripts.preprocess.pipeline import to_float


@pytest.fixture(scope="module")
def brick():
    return skimage.data.brick()


def test_measures_of_eight_bits(brick):
    quality = measure(brick)
    assert quality.brightness == pytest.approx(brick.mean() / 255, rel=1e-5)
    assert quality.contrast == pytest.approx(brick.std() / 255, rel=1e-5)
    inner = laplace(brick.astype(float))[1:-1, 1:-1]
    assert quality.sharpness == pytest.approx(inner.var() / brick.var(), rel=1e-4)
    assert quality.levels == len(np.unique(brick))


@pytest.mark.parametrize("bits", [12, 16])
def test_sixteen_bits_count_by_the_range_of_their_type(brick, bits):
    deep = (brick.astype(np.uint16) << 8) >> (16 - bits)
    quality = measure(deep)
    assert quality.brightness == pytest.approx(deep.mean() / 65535, abs=0.002)
    assert quality.range_used == pytest.approx((deep.max() - deep.min()) / 65535, rel=1e-5)
    assert quality.highest == pytest.approx(deep.max() / 65535, rel=1e-5)


def table_of(images):
    return quality_table({path: (*image.shape[1::-1], measure(image)) for path, image in images.items()})


@pytest.mark.parametrize("bits", [11, 12])
@pytest.mark.parametrize("black", [0, 0.6])
def test_the_depth_is_that_of_the_highest_value_above_any_black_level(brick, bits, black):
    shares = (brick - brick.min()) / np.ptp(brick)
    deep = np.rint((black + (1 - black) * shares) * (2**bits - 1)).astype(np.uint16)
    (note,) = [note for note in quality_notes(table_of({"deep.png": deep})) if "step" in note]
    assert f"depth: {{bits: {bits}}} (all by the same factor) or rescale_intensity" in note
    assert depth.apply(to_float(deep), bits).max() == pytest.approx(1)
    full = brick.astype(np.uint16) * 257
    full[0, 0] = 65535
    (note,) = [note for note in quality_notes(table_of({"deep.png": deep, "full.png": full})) if "step" in note]
    assert "begins with the step rescale_intensity" in note


def test_what_is_spoilt_is_named(brick):
    colour = skimage.data.astronaut()
    images = {
        "fine.png": brick,
        "colour.png": colour,
        "also_fine.png": skimage.data.grass(),
        "dark.png": (brick * 0.05).astype(np.uint8),
        "blurred.png": gaussian_filter(brick, 4),
        "tiny.png": brick[:40, :40],
        "strip.png": brick[:100],
        "twelve_bits.png": brick.astype(np.uint16) << 4,
    }
    table = table_of(images)
    remarks = table.set_index("path")["remarks"]
    assert not remarks[["fine.png", "colour.png", "also_fine.png"]].any()
    assert "dark" in remarks["dark.png"]
    assert remarks["blurred.png"] == "blurred or smooth"
    assert remarks["tiny.png"] == "tiny"
    assert remarks["strip.png"] == "elongated"
    assert "small part of its range" in remarks["twelve_bits.png"]
    note, squeezed, narrow = quality_notes(table)
    assert "begins with the step rescale_intensity" in narrow  # the step depth would refuse fine.png
    assert squeezed.startswith("resize squeezes images of up to 5.12 to 1 (strip.png) unless its fit is pad or crop")
    assert "1 blurred or smooth (blurred.png)" in note
