"""Perturbed images against Pillow and numpy, and through the steps of a preprocessing."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from workflow_scripts.errors import UserError
from workflow_scripts.preprocess.perturbations import STRENGTHS, VERSIONS, perturb, versions
from workflow_scripts.preprocess.pipeline import module_of, run_steps
from workflow_scripts.settings.preprocess import Step

BYTES = np.random.default_rng(0).integers(60, 190, (40, 40, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
IMAGE = (BYTES / 255).astype(np.float32)
PILLOW = Image.fromarray(BYTES)


def perturbed(name: str, strength: float = np.nan) -> np.ndarray:
    return 255 * perturb(IMAGE, name, strength)


def test_right_angles_and_mirrors_are_exact():
    for angle in (90, 180, 270):
        np.testing.assert_allclose(perturbed("rotate", angle), PILLOW.rotate(angle), atol=1e-3)
    np.testing.assert_allclose(perturbed("flip"), ImageOps.mirror(PILLOW), atol=1e-3)


def test_the_middle_of_a_turned_image_is_that_of_pillow():
    middle = slice(60, 100)
    expected = np.asarray(PILLOW.rotate(30, Image.Resampling.BILINEAR), float)[middle, middle]
    assert np.abs(perturbed("rotate", 30)[middle, middle] - expected).mean() < 1
    assert perturbed("rotate", 30).min() > 50  # no black corners


def test_brightness_is_added_and_clipped():
    expected = np.clip(BYTES + 0.5 * 255, 0, 255)
    np.testing.assert_allclose(perturbed("brighten", 50), expected, atol=1e-3)


def test_a_blur_is_in_per_cent_of_the_side():
    inside = slice(20, -20)
    expected = np.asarray(PILLOW.filter(ImageFilter.GaussianBlur(3.2)), float)
    found = perturbed("blur", 2)
    assert np.abs(found - expected)[inside, inside].mean() < 1
    np.testing.assert_allclose(found.mean(axis=(0, 1)), BYTES.mean(axis=(0, 1)), atol=1)


def test_a_compression_is_that_of_pillow():
    file = BytesIO()
    PILLOW.save(file, "JPEG", quality=10)
    np.testing.assert_allclose(perturbed("jpeg", 10), Image.open(file), atol=1e-3)


def test_a_crop_is_the_middle_enlarged():
    expected = np.asarray(PILLOW.crop((40, 40, 120, 120)).resize((160, 160), Image.Resampling.BILINEAR), float)
    assert np.abs(perturbed("crop", 50) - expected).mean() < 1


@pytest.mark.parametrize("image", [BYTES, BYTES[..., 0], BYTES[..., 0].astype(np.uint16) * 257])
def test_every_version_goes_through_the_steps(image):
    steps = [{"step": "grey"}, {"step": "resize", "size": [32, 24]}]
    made = versions(image, steps)
    assert made.shape == (1 + len(VERSIONS), 32, 24)
    np.testing.assert_array_equal(made[0], run_steps(image, steps))
    upside_down = made[1 + VERSIONS.index(("rotate", 180))]
    assert np.abs(upside_down[::-1, ::-1].astype(int) - made[0]).max() <= 1
    assert len(VERSIONS) == sum(map(len, STRENGTHS.values()))


def test_a_data_stripe_is_not_turned():
    stripe = np.zeros((20, 160), np.uint8)
    stripe[4:16, 10:60] = 255
    image = np.concatenate([BYTES[..., 0], stripe])
    steps = [{"step": "crop_data_bar"}, {"step": "resize", "size": [64, 64]}]
    made = versions(image, steps).astype(int)
    np.testing.assert_array_equal(made[0], run_steps(image, steps))
    assert np.abs(made[1 + VERSIONS.index(("rotate", 180))][::-1, ::-1] - made[0]).max() <= 1


def test_the_modules_of_the_steps_that_need_the_image_as_it_was_taken_say_so():
    for name, settings in Step.registry.items():
        assert hasattr(module_of({"step": name}), "AS_TAKEN") == settings.as_taken, name


def test_the_depth_of_the_data_is_known_before_they_are_made_brighter():
    image, resized = BYTES[..., 0], {"step": "resize", "size": [64, 64]}
    twelve_bits = np.rint(image / 255 * 4095).astype(np.uint16)
    made = versions(twelve_bits, [{"step": "depth", "bits": 12}, resized]).astype(int)
    assert np.abs(made - versions(image, [resized])).max() <= 2


def test_turned_images_of_another_shape_are_one_line():
    with pytest.raises(UserError, match="add the step resize"):
        versions(BYTES[:100], [{"step": "grey"}])
