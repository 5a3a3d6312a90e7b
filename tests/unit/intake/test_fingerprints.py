"""Hashes of pixels against arrays written in many formats, perceptual hashes against ImageHash, and pairs."""

import io
from itertools import combinations

import imagehash
import numpy as np
import pytest
import skimage.data
from bad_images import COLOUR, DEEP, GREY, encoded, tiff
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from workflow_scripts.intake import fingerprints
from workflow_scripts.intake.duplicates import FINE_DISTANCE
from workflow_scripts.intake.fingerprints import near_pairs, perceptual_hashes, pixel_digest
from workflow_scripts.io import pixels as pixels_of_images
from workflow_scripts.io.images import decode

LIMIT = 4
"""The default distance of near-duplicates."""


def _digest(data):
    return pixel_digest(decode(io.BytesIO(data)).pixels)


def test_the_same_pixels_in_every_container():
    grey = [encoded(GREY, kind) for kind in ("PNG", "BMP", "TIFF", "GIF", "PPM", "JPEG2000")]
    grey += [
        encoded(GREY, "WEBP", lossless=True),
        tiff(GREY, compression="zlib"),
        encoded(np.dstack([GREY] * 3), "PNG"),
    ]
    assert len({_digest(data) for data in grey}) == 1
    colour = [encoded(COLOUR, kind) for kind in ("PNG", "BMP", "TIFF", "PPM", "JPEG2000")]
    assert len({_digest(data) for data in colour}) == 1
    assert _digest(colour[0]) != _digest(grey[0])


def test_one_level_of_one_pixel_is_another_digest():
    other = GREY.copy()
    other[5, 7] ^= 1
    digests = {pixel_digest(pixels) for pixels in (GREY, other, GREY.T.copy(), GREY.reshape(GREY.shape[::-1]))}
    digests |= {pixel_digest(pixels) for pixels in (GREY.astype(np.uint16), GREY.astype(np.float32))}
    assert len(digests) == 6


def test_pixels_need_not_lie_in_order():
    assert pixel_digest(GREY[:, ::-1]) == pixel_digest(GREY[:, ::-1].copy())


@pytest.mark.parametrize("pixels", [GREY, COLOUR, skimage.data.camera()])
def test_the_perceptual_hash_is_imagehashs(pixels):
    image = Image.fromarray(pixels)
    assert perceptual_hashes(pixels) == (str(imagehash.phash(image)), str(imagehash.phash(image, hash_size=16)))


@pytest.mark.parametrize("band", [7, 256, 600])
def test_the_hashes_of_tall_images_do_not_depend_on_bands(monkeypatch, band):
    pixels = skimage.data.camera()[:, :77]
    narrow = [Image.fromarray(pixels).resize((side, len(pixels)), Image.Resampling.LANCZOS) for side in (32, 64)]
    monkeypatch.setattr(pixels_of_images, "BAND", band)
    found = perceptual_hashes(pixels)
    assert found == (str(imagehash.phash(narrow[0])), str(imagehash.phash(narrow[1], hash_size=16)))
    image = Image.fromarray(pixels)
    assert _bits(found[0], str(imagehash.phash(image))) <= LIMIT
    assert _bits(found[1], str(imagehash.phash(image, hash_size=16))) <= FINE_DISTANCE


def test_deep_pixels_are_stretched():
    eight = skimage.data.camera()
    assert eight.min() == 0
    assert eight.max() == 255
    for deep in (eight.astype(np.uint16) * 257, eight.astype(np.uint16) + 4000, eight.astype(np.float32) / 1e6 - 3):
        assert max(map(_bits, perceptual_hashes(deep), perceptual_hashes(eight))) <= 2
    assert perceptual_hashes(np.full((20, 30), 7, np.uint16)) == perceptual_hashes(np.zeros((20, 30), np.uint8))
    assert [len(each) for each in perceptual_hashes(DEEP)] == [16, 64]


def _bits(one, other):
    return (int(one, 16) ^ int(other, 16)).bit_count()


PHOTOGRAPHS = ("camera", "coins", "moon", "brick", "grass", "gravel", "text", "clock", "cell", "microaneurysms")


def test_what_the_eye_takes_for_the_same_is_near_and_photographs_are_not():
    photographs = [getattr(skimage.data, name)() for name in PHOTOGRAPHS]
    looks = [perceptual_hashes(pixels) for pixels in photographs]
    for pixels, (look, fine) in zip(photographs, looks, strict=True):
        image = Image.fromarray(pixels)
        brighter = np.minimum(pixels.astype(int) + 1, 255).astype(np.uint8)
        variants = [brighter, np.asarray(image.resize((image.width // 2, image.height // 2)))]
        variants += [decode(io.BytesIO(encoded(pixels, "JPEG", quality=quality))).pixels for quality in (50, 75, 95)]
        hashes_of = [perceptual_hashes(each) for each in variants]
        assert all(_bits(each, look) <= LIMIT and _bits(other, fine) <= FINE_DISTANCE for each, other in hashes_of)
    assert min(_bits(*pair) for pair in combinations([look for look, _ in looks], 2)) > LIMIT


def _pairs(looks, distance):
    return [tuple(pair) for pairs in near_pairs(looks, distance) for pair in pairs.tolist()]


hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 31), max_size=40)


@settings(max_examples=60, deadline=None)
@given(hashes, st.integers(0, 16))
def test_pairs_are_those_of_brute_force(numbers, distance):
    looks = [f"{number:016x}" for number in numbers]
    every = [(i, j, _bits(looks[i], looks[j])) for i in range(len(looks)) for j in range(i)]
    assert _pairs(looks, distance) == [pair for pair in every if pair[2] <= distance]


def test_pairs_across_the_tiles(monkeypatch):
    looks = [f"{number:016x}" for number in np.random.default_rng(0).integers(0, 2**12, 150)]
    expected = _pairs(looks, 3)
    assert len(expected) > 100
    monkeypatch.setattr(fingerprints, "ROWS", 7)
    monkeypatch.setattr(fingerprints, "COLUMNS", 11)
    monkeypatch.setattr(fingerprints, "AT_ONCE", 5)
    assert _pairs(looks, 3) == expected
