"""Pixels as networks want them."""

import numpy as np
import pytest
import torch

from workflow_scripts.backbones.normalisation import NORMALISATIONS, Normalisation
from workflow_scripts.errors import UserError

CPU = torch.device("cpu")


def test_pixels_are_scaled_as_the_weights_want_them():
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)

    def prepared(name):
        return NORMALISATIONS[name].prepare(images, None, CPU).permute(0, 2, 3, 1).numpy()

    caffe = images[..., ::-1] - np.array([103.939, 116.779, 123.68])
    imagenet = (images / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(prepared("caffe"), caffe, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(prepared("imagenet"), imagenet, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(prepared("symmetric"), images / 127.5 - 1, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(prepared("lite"), (images - 127.0) / 128, rtol=1e-5)


def test_grey_images_become_three_channels():
    grey = np.random.default_rng(0).integers(0, 256, (2, 6, 6), dtype=np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=3)
    prepare = NORMALISATIONS["caffe"].prepare
    assert torch.equal(prepare(grey, None, CPU), prepare(colour, None, CPU))


def test_a_stated_size_is_a_resize_with_antialiasing():
    checks = (np.indices((1, 64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = NORMALISATIONS["symmetric"].prepare(checks, 16, CPU)
    assert small.shape == (1, 3, 16, 16)
    assert small.abs().max() < 0.2  # without antialiasing it would alias to all black or all white


def test_a_normalisation_survives_as_text():
    own = Normalisation((1.5, 2, 3), (4, 5, 6), bgr=True)
    assert Normalisation.from_text(own.text) == own
    assert NORMALISATIONS["lite"].text == "lite"
    with pytest.raises(UserError, match="allowed: imagenet"):
        Normalisation.from_text("zca")
