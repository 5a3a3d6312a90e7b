"""Pixels of TIFF pages with more than 8 bits per sample, compared with the arrays that were written."""

import numpy as np
import pytest
import tifffile

from workflow_scripts.io.images import decode, open_file, read_image

RANDOM = np.random.default_rng(0)
SHAPE = 300, 40


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_transparent_pixels_are_put_on_white_in_every_band(tmp_path, dtype, colours, kind):
    white = 65535 if dtype == np.uint16 else 1.0
    colour, opacity = RANDOM.random((*SHAPE, colours)), RANDOM.random((*SHAPE, 1))
    stored = colour * opacity if kind == "assocalpha" else colour
    photometric = "minisblack" if colours == 1 else "rgb"
    samples = (np.dstack([stored, opacity]) * white).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric=photometric, extrasamples=[kind])
    expected = (colour * opacity + 1 - opacity).squeeze()
    pixels = read_image(tmp_path / "a.tif")
    assert pixels.dtype == (np.uint16 if dtype == np.uint16 else np.float32)
    np.testing.assert_allclose(pixels / white, expected, atol=3e-5)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.float32])
def test_colours_are_those_that_were_written(tmp_path, planes, byteorder, dtype):
    image = RANDOM.integers(0, 60000, (*SHAPE, 3)).astype(dtype)
    stored = np.moveaxis(image, -1, 0) if planes == "separate" else image
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planes, byteorder=byteorder)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image)


@pytest.mark.parametrize(
    ("code", "turned"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (6, lambda a: np.rot90(a, -1)),
        (8, np.rot90),
    ],
)
def test_pages_are_turned_upright(tmp_path, code, turned):
    image = RANDOM.random(SHAPE).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", image, extratags=[(274, "H", 1, code, True)])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), turned(image))


def test_white_may_be_zero(tmp_path):
    image = RANDOM.integers(0, 65536, SHAPE).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", 65535 - image, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("later", [RANDOM.random(SHAPE), RANDOM.random((*SHAPE, 3)).astype(np.float32)])
def test_pages_are_read_although_a_page_after_them_is_of_a_kind_that_pillow_cannot_read(tmp_path, later):
    grey = RANDOM.integers(0, 256, SHAPE, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in (grey, later, 255 - grey):
            tiff.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    with open_file(tmp_path / "a.tif") as stream:
        first = decode(stream)
    assert (first.mode, first.pages) == ("L", 3)
    np.testing.assert_array_equal(first.pixels, grey)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", page=1), later.astype(np.float32))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", page=2), 255 - grey)


@pytest.mark.parametrize(("byteorder", "big"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_page_is_read_although_pillow_cannot_read_the_first_one(tmp_path, dtype, byteorder, big):
    first, grey = RANDOM.random((*SHAPE, 3)).astype(dtype), RANDOM.integers(0, 256, SHAPE, dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=big, byteorder=byteorder) as tiff:
        tiff.write(first, photometric="rgb")
        tiff.write(grey, photometric="minisblack", rowsperstrip=16)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), first.astype(np.float32))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", page=1), grey)
