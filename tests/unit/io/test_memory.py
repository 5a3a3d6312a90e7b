"""How many processes hold large images at once, and that one that preprocesses an image takes no more than counted."""

import numpy as np
import pytest
import tifffile

from tests.peak_memory import peaks
from workflow_scripts.intake.inspection import inspect_file
from workflow_scripts.io.memory import (
    LARGEST_IMAGE,
    PREPROCESSING_BYTES,
    counted_pixels,
    images_bytes,
    processes,
    reading_processes,
)
from workflow_scripts.preprocess.pipeline import run_steps
from workflow_scripts.settings.preprocess import Preprocess


def test_fewer_processes_hold_larger_images():
    assert [processes(8, most) for most in (None, 9 * 10**7, 2 * 10**8, 4 * 10**8, 10**12)] == [8, 8, 3, 1, 1]
    assert processes(8, 10**8, PREPROCESSING_BYTES) == 1
    assert images_bytes(8, 2 * 10**8) == 3 * 10 * 2 * 10**8


def test_all_images_together_take_less_than_8_gib():
    for pixels in (10**5, 10**7, 10**8, LARGEST_IMAGE):
        assert images_bytes(8, pixels, PREPROCESSING_BYTES) < 7.6e9


def test_a_job_that_is_tried_again_with_more_memory_has_no_more_for_images_than_8_gib():
    page = {"width": 20_000, "height": 10_000, "mode": "L"}
    assert [reading_processes(8, [page], memory) for memory in (400, 2500, 6400, 12_800, 100_000)] == [1, 1, 3, 3, 3]


def preprocess(side, steps):
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    run_steps(pixels, Preprocess.model_validate(steps).dump()["steps"])


@pytest.mark.parametrize("step", ["clahe", "rescale_intensity", "crop_data_bar"])
def test_preprocessing_takes_no_more_memory_than_it_is_counted_for(step):
    modules, side = ["tests.unit.io.test_memory", "skimage.transform", f"workflow_scripts.preprocess.{step}"], 2000
    calls = [
        ("tests.unit.io.test_memory:preprocess", {"side": size, "steps": [step, {"resize": {"size": [64, 64]}}]})
        for size in (100, side)
    ]
    small, large = peaks(modules, calls)
    assert 12 * side**2 / 1e6 < large - small < PREPROCESSING_BYTES * side**2 / 1e6


@pytest.mark.parametrize(
    ("dtype", "samples", "mode"),
    [
        (np.uint16, 3, "RGB;uint16"),
        (np.float32, 3, "RGB;float32"),
        (np.float64, 4, "RGB;float64A"),
        (np.float64, 1, "L;float64"),
    ],
)
def test_deep_images_take_no_more_memory_to_read_than_they_are_counted_for(tmp_path, dtype, samples, mode):
    """Noise, which compression does not make smaller, in one strip, so that the page is read as a whole."""
    side, colours = 1000, {"photometric": "minisblack" if samples == 1 else "rgb"}
    noise = np.random.default_rng(0).random((side, side, samples)).squeeze()
    noise = (noise * 65535 if dtype == np.uint16 else noise).astype(dtype)
    extra = {"extrasamples": ["unassalpha"]} if samples == 4 else {}
    for name, pixels in (("small.tif", noise[:20, :20]), ("large.tif", noise)):
        tifffile.imwrite(tmp_path / name, pixels, compression="zlib", rowsperstrip=side, **colours, **extra)
    inspected = {"root": str(tmp_path), "min_size": 1, "max_pixels": None}
    names = ("small.tif", "large.tif")
    calls = [("workflow_scripts.intake.inspection:inspect_file", {"path": name, **inspected}) for name in names]
    small, large = peaks(["workflow_scripts.intake.inspection"], calls)
    counted = counted_pixels({"width": side, "height": side, "mode": mode}) * 10 / 1e6
    assert inspect_file(path="small.tif", **inspected).mode == mode
    assert samples * np.dtype(dtype).itemsize * side**2 / 1e6 < large - small < counted
