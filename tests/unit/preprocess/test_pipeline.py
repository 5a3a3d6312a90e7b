"""Lists of preprocessing steps run on many images."""

import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import color, exposure, transform, util

from workflow_scripts.errors import UserError
from workflow_scripts.io.memory import READING_BYTES
from workflow_scripts.io.pixels import Part
from workflow_scripts.preprocess.pipeline import pixels_of, preprocess_all, run_steps, to_float

RANDOM = np.random.default_rng(0)
COHN = [{"step": "grey"}, {"step": "clahe"}, {"step": "resize", "size": [28, 28]}]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.array([[0, 51, 255]], np.uint8), [[0, 0.2, 1]]),
        (np.array([[0, 13107, 65535]], np.uint16), [[0, 0.2, 1]]),
        (np.array([[0.1, 0.5]], np.float32), [[0.1, 0.5]]),
        (np.array([[-1.0, 0, 3]], np.float32), [[0, 0.25, 1]]),
        (np.array([[1000.0, 1001, 1002]], np.float32), [[0, 0.5, 1]]),
        (np.array([[-3e38, 0, 3e38]], np.float32), [[0, 0.5, 1]]),
        (np.array([[7.0, 7.0]], np.float32), [[0, 0]]),
    ],
)
def test_to_float(image, expected):
    result = to_float(image)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-7)


def test_no_steps_give_the_same_bytes_back():
    image = RANDOM.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    np.testing.assert_array_equal(run_steps(image, []), image)


def test_cohns_steps_against_the_direct_calls():
    image = RANDOM.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    expected = util.img_as_ubyte(transform.resize(exposure.equalize_adapthist(color.rgb2gray(image)), (28, 28)))
    result = run_steps(image, COHN)
    assert result.dtype == np.uint8
    assert result.shape == (28, 28)
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert (result == expected).mean() > 0.98


def test_order_matters():
    image = RANDOM.integers(0, 256, (40, 40)).astype(np.uint8)
    assert not np.array_equal(run_steps(image, COHN), run_steps(image, [COHN[2], COHN[1]]))


@pytest.fixture
def paths(tmp_path):
    paths = []
    for number in range(23):
        paths.append(tmp_path / f"{number:02}.png")
        shape = (30 + number, 40, 3) if number % 2 else (30, 40 + number)
        Image.fromarray(RANDOM.integers(0, 256, shape).astype(np.uint8)).save(paths[-1])
    return paths


def test_all_in_order_whatever_the_workers(paths):
    seen = []
    one = list(preprocess_all(paths, COHN, workers=1, progress=lambda done, total: seen.append((done, total))))
    three = list(preprocess_all(paths, COHN, workers=3))
    np.testing.assert_array_equal(one, three)
    assert seen == [(number, 23) for number in range(1, 24)]
    for path, result in zip(paths, one, strict=True):
        np.testing.assert_array_equal(result, run_steps(np.asarray(Image.open(path)), COHN))


def test_a_reader_that_stops_early_leaves_nothing_running(paths):
    images = preprocess_all(paths, COHN, workers=2)
    next(images)
    images.close()


def test_reading_ahead_is_bounded(paths):
    asked = []

    class Watched(list):
        def __iter__(self):
            for path in super().__iter__():
                asked.append(path)
                yield path

    images = preprocess_all(Watched(paths), COHN, workers=2)
    next(images)
    assert len(asked) < 10
    images.close()


def test_too_small_for_the_crop_names_file_step_and_size(paths):
    steps = [{"step": "grey"}, {"step": "centre_crop", "size": [30, 41]}]
    with pytest.raises(UserError, match=r"00\.png: step centre_crop: found 30 x 40 .*allowed: 30 x 41 or more"):
        list(preprocess_all(paths, steps, workers=2))


def test_unequal_sizes_name_the_step_to_add(paths):
    with pytest.raises(
        UserError, match=r"found \[31, 40\] for .*01\.png, allowed: \[30, 40\] as for .*00\.png; add .* resize"
    ):
        list(preprocess_all(paths, [{"step": "grey"}]))


def test_grey_among_colour_names_the_step_to_add(paths):
    with pytest.raises(UserError, match=r"found \[28, 28, 3\] .*01\.png, allowed: \[28, 28\] .*add the step grey"):
        list(preprocess_all(paths, COHN[2:]))
    both = list(preprocess_all(paths, [{"step": "colour"}, *COHN[2:]]))
    assert {image.shape for image in both} == {(28, 28, 3)}


def test_an_image_that_is_gone_since_intake(paths):
    paths[3].unlink()
    with pytest.raises(UserError, match=r"03\.png: unreadable: No such file"):
        list(preprocess_all(paths, COHN, workers=2))


def test_parts_of_a_page_of_floats_are_scaled_by_all_of_it_and_only_it_is_held(tmp_path):
    page = np.random.default_rng(0).uniform(-3, 9, (1000, 1000)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", page)
    parts = [Part(tmp_path / "a.tif", 1, x, 0, 100, 200) for x in (0, 900)]
    tracemalloc.start()
    made = list(pixels_of(parts, None))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    scaled = (page - page.min()) / np.ptp(page)
    for part, pixels in zip(parts, made, strict=True):
        np.testing.assert_allclose(pixels, scaled[:200, part.x : part.x + 100], atol=1e-6)
    assert peak < READING_BYTES * page.size
