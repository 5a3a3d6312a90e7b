"""Decoding: every odd image file is read correctly or rejected with the right reason."""

import io
import warnings

import bad_images
import numpy as np
import pytest
from bad_images import COLOUR, DEEP, FLOAT, GREY, MAX_PIXELS, MIN_SIZE, cut, encoded, tiff
from PIL import Image

from tests.peak_memory import peaks
from workflow_scripts.intake.facts import Facts
from workflow_scripts.intake.inspection import inspect_file
from workflow_scripts.io import images
from workflow_scripts.io.images import decode, open_file, read_image
from workflow_scripts.io.memory import READING_BYTES
from workflow_scripts.io.rejections import ImageRejected

ORIENTED = {  # EXIF tag 0x0112: what has to be done to the stored rows and columns
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(np.swapaxes(pixels, 0, 1), 2),
    8: lambda pixels: np.rot90(pixels, 1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bad")
    return path, bad_images.write_bad_images(path)


def _outcome(path):
    with open_file(path) as stream:
        return decode(stream, MAX_PIXELS, MIN_SIZE)


def test_every_file_is_read_right_or_rejected_with_its_reason(folder, capfd):
    root, expected = folder
    assert len(expected) > 40
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, truth in expected.items():
            try:
                image = _outcome(root / name)
            except ImageRejected as rejection:
                if rejection.reason != truth.reason:
                    wrong.append((name, str(rejection)))
                continue
            if truth.reason == "duplicate content":
                continue
            if truth.pixels is None or image.pixels.shape != truth.pixels.shape or image.pages != truth.pages:
                wrong.append((name, image.pixels.shape, image.pages))
            elif np.abs(image.pixels - truth.pixels.astype(np.float64)).max() > truth.tolerance:
                wrong.append((name, "pixels differ"))
    assert wrong == []
    assert capfd.readouterr() == ("", "")


def test_kinds_of_numbers(folder):
    root, _ = folder
    kinds = {
        "grey.bmp": "uint8",
        "grey_16.png": "uint16",
        "grey_16.pgm": "uint16",
        "float_64.tif": "float32",
        "signed.tif": "float32",
    }
    assert {name: str(read_image(root / name).dtype) for name in kinds} == kinds


@pytest.mark.parametrize("kind", bad_images.WRITERS_OF_EVERY_FORMAT)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_cut_at_every_tenth(kind, tenths, capfd):
    data = bad_images.WRITERS_OF_EVERY_FORMAT[kind]()
    decode(io.BytesIO(data))
    with pytest.raises(ImageRejected, match=r"^truncated"):
        decode(io.BytesIO(cut(data, tenths)))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("code", ORIENTED)
@pytest.mark.parametrize("pixels", [GREY, COLOUR, DEEP], ids=["grey", "colour", "16 bit"])
def test_orientation_of_tiff(code, pixels):
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    data = tiff(pixels, photometric=photometric, extratags=[(274, "H", 1, code, True)])
    np.testing.assert_array_equal(decode(io.BytesIO(data)).pixels, ORIENTED[code](pixels))


@pytest.mark.parametrize("code", ORIENTED)
def test_orientation_of_jpeg(code):
    pixels = decode(io.BytesIO(bad_images.turned_jpeg(code))).pixels
    np.testing.assert_allclose(pixels, ORIENTED[code](bad_images.SMOOTH), atol=6)


def test_size_is_decided_from_the_header():
    """The file has only a header, without pixels after it."""
    header_only = bad_images.png(30_000, 30_000, 8, 2, b"")
    with pytest.raises(
        ImageRejected,
        match=r"^too large: 30000 x 30000 pixels, allowed: 100 in all .*cut larger images into intake.tiles",
    ):
        decode(io.BytesIO(header_only), max_pixels=100)


def test_limit_is_ours_and_not_pillows(monkeypatch):
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 10)
    assert decode(io.BytesIO(encoded(GREY, "PNG")), max_pixels=GREY.size).pixels.shape == GREY.shape
    with pytest.raises(ImageRejected, match="too large"):
        decode(io.BytesIO(encoded(GREY, "PNG")), max_pixels=GREY.size - 1)


@pytest.mark.parametrize("shape", [(7, 20), (20, 7)])
def test_shortest_side(shape):
    data = encoded(np.zeros(shape, np.uint8), "PNG")
    with pytest.raises(ImageRejected, match="too small"):
        decode(io.BytesIO(data), min_size=8)
    assert decode(io.BytesIO(data), min_size=7).pixels.shape == shape


def test_random_bytes_behind_every_signature():
    random = np.random.default_rng(0)
    for signature in (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"BM",
        b"GIF89a",
        b"RIFF\1\1\0\0WEBP",
        b"P5",
    ):
        for _ in range(20):
            with pytest.raises(ImageRejected):
                decode(io.BytesIO(signature + random.bytes(500)), MAX_PIXELS)


def test_rejection_is_one_line_without_addresses_of_objects():
    whole = encoded(COLOUR, "PNG")
    with pytest.raises(ImageRejected) as caught:
        decode(io.BytesIO(whole[:8] + bytes(20) + whole[28:]))
    assert str(caught.value) == "unreadable: PNG: its header makes no sense"


def _digital_micrograph(samples, version, **how):
    data_and_metadata = pytest.importorskip("nion.data.DataAndMetadata")
    dm = pytest.importorskip("nionswift_plugin.DM_IO.dm3_image_utils")
    stream = io.BytesIO()
    dm.save_image(data_and_metadata.new_data_and_metadata(samples, **how), stream, version)
    return stream.getvalue()


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64"])
def test_digital_micrograph_with_the_extra_dm(version, dtype, capfd):
    samples = DEEP.astype(dtype)
    data = _digital_micrograph(samples, version)
    image = decode(io.BytesIO(data))
    assert image.pixels.dtype == (dtype if dtype.startswith("u") else "float32")
    np.testing.assert_array_equal(image.pixels, samples.astype(image.pixels.dtype))
    assert (image.format, image.pages) == (f"DM{version}", 1)
    for tenths in range(1, 10):
        with pytest.raises(ImageRejected, match=r"^truncated"):
            decode(io.BytesIO(cut(data, tenths)))
    assert capfd.readouterr() == ("", "")


def test_of_a_digital_micrograph_stack_the_first_and_of_a_spectrum_nothing():
    description = pytest.importorskip("nion.data.DataAndMetadata").DataDescriptor
    stack = _digital_micrograph(np.stack([DEEP, DEEP + 1]), 3, data_descriptor=description(True, 0, 2))
    image = decode(io.BytesIO(stack))
    np.testing.assert_array_equal(image.pixels, DEEP)
    assert image.pages == 2
    with pytest.raises(ImageRejected, match=r"^unreadable: DM3: .* is not a grey image"):
        decode(io.BytesIO(_digital_micrograph(FLOAT[0], 3)))


def test_digital_micrograph_without_the_extra_dm(monkeypatch):
    monkeypatch.setattr(images, "find_spec", lambda name: None)
    with pytest.raises(ImageRejected, match="format DM3 is not read: to read it, install the extra dm") as rejection:
        decode(io.BytesIO(b"\0\0\0\3" + bytes(20)))
    assert rejection.value.format == "DM3"


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_reading_takes_no_more_memory_than_it_is_counted_for(tmp_path, compression):
    side = 2500
    noise = np.random.default_rng(0).integers(0, 256, (side // 4, side // 4, 3)).astype(np.uint8)
    for name, image in (("large.tif", noise.repeat(4, 0).repeat(4, 1)), ("small.tif", noise[:20, :20])):
        Image.fromarray(image).save(tmp_path / name, compression=compression)
    calls = [
        (
            "workflow_scripts.intake.inspection:inspect_file",
            {"root": str(tmp_path), "path": f"{name}.tif", "min_size": 16, "max_pixels": 10**8},
        )
        for name in ("small", "large")
    ]
    small, large = peaks(["workflow_scripts.intake.inspection"], calls)
    assert 3 * side**2 / 1e6 < large - small < READING_BYTES * side**2 / 1e6


def test_an_image_of_more_pixels_than_pillow_opens_by_itself_is_taken(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(encoded(GREY, "PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", GREY.size // 3)
    assert isinstance(inspect_file(str(tmp_path), "a.png", min_size=1, max_pixels=GREY.size), Facts)
