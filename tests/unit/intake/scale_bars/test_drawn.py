"""Scale bars without Tesseract: metadata, stripes, bars, and images without their stripe."""

import numpy as np
import pytesseract
import pytest
import tifffile
from micrographs import LOOKS, draw_micrograph
from PIL import Image

from workflow_scripts.intake.scale_bars import read
from workflow_scripts.intake.scale_bars.bar import Bar, Box, find_bars
from workflow_scripts.intake.scale_bars.lengths import Readings
from workflow_scripts.intake.scale_bars.metadata import calibration
from workflow_scripts.intake.scale_bars.read import Reason, read_scale
from workflow_scripts.intake.scale_bars.stripe import find_stripes, grey_levels, image_rows
from workflow_scripts.intake.scale_bars.text import texts_near
from workflow_scripts.preprocess import crop_data_bar

GREY = np.random.default_rng(0).integers(0, 255, (80, 100), dtype=np.uint8)
HEIGHT, WIDTH = GREY.shape

FEI = "[User]\r\nDate=03/12/2019\r\n[Scan]\r\nPixelWidth=2.5e-009\r\n[Image]\r\nResolutionX={width}\r\n"
DUAL_BEAM = FEI.replace("[Scan]", "[EScan]")
ZEISS = (
    "\r\n0\r\n0\r\nDP_IMAGE_STORE\r\nStore resolution = {width} * 80\r\nAP_IMAGE_PIXEL_SIZE\r\n"
    "Image Pixel Size = 2.791 nm\r\nAP_MAG\r\nMag = 40.00 K X\r\n"
)
ZEISS_MICRO = "\r\n0\r\nAP_PIXEL_SIZE\r\nPixel Size = 1.117 µm\r\n"
HITACHI = "[SemImageFile]\r\nInstructName=SU8000\r\nImageName=a.tif\r\nDataSize={width}x80\r\nPixelSize=9.921875\r\n"
JEOL = "$CM_FORMAT JEOL/SEM\n$CM_FULL_SIZE {width} 80\n$$SM_MICRON_BAR 180\n$$SM_MICRON_MARKER 5um\n"

TAGGED = {
    "FEI, Helios": (34682, FEI, 2.5, "FEI"),
    "FEI, S-FEG": (34680, FEI, 2.5, "FEI"),
    "FEI, two beams": (34682, DUAL_BEAM, 2.5, "FEI"),
    "Zeiss": (34118, ZEISS, 2.791, "Zeiss"),
    "Zeiss, micrometres": (34118, ZEISS_MICRO, 1117.0, "Zeiss"),
}
TESCAN = "\xff\xd9\x01\0\0Date=2023-03-24\nImageStripSize=12\nPixelSizeX=0.000000004537772\nPixelSizeY=0.0\n"
ZEISS_HALF = "\r\n0\r\nAP_PIXEL_SIZE\r\nPixel Size = 5.825 nm\r\nAP_HEIGHT\r\nHeight = 932 nm\r\n"
ZEISS_HALF += "AP_WIDTH\r\nWidth = 1.165 µm\r\n"
TAGGED |= {
    "FEI with the height of its bar": (34682, FEI + "[PrivateFei]\r\nDatabarHeight=79\r\n", 2.5, "FEI"),
    "Zeiss at half its size": (34118, ZEISS_HALF, 11.65, "Zeiss"),
    "Tescan": (50431, TESCAN, 4.537772, "Tescan"),
    "Hitachi, comment": (40092, "SerialNumber=1\r\nPixelSize=496.0938\r\nVacuum=50\r\n", 496.0938, "Hitachi"),
    "JEOL, Exif": (37500, "$CM_FULL_SIZE {width} 80\r\n$SM_MICRON_BAR 50\r\n$SM_MICRON_MARKER 100nm\r\n", 2, "JEOL"),
}
BESIDE = {
    "Hitachi": (HITACHI, "latin-1", 9.921875, "Hitachi"),
    "Hitachi, UTF-16": (HITACHI, "utf-16", 9.921875, "Hitachi"),
    "JEOL": (JEOL, "latin-1", 5000 / 180, "JEOL"),
}


def tagged(path, tag, text, width=WIDTH, pixels=GREY):
    content = text.format(width=width).encode("utf-16-le" if tag == 40092 else "cp1252")
    tifffile.imwrite(path, pixels, extratags=[(tag, 1, len(content), content, True)], metadata=None)
    return path


def beside(path, text, encoding="latin-1", width=WIDTH, pixels=GREY):
    Image.fromarray(pixels).save(path)
    path.with_suffix(".txt").write_bytes(text.format(width=width).encode(encoding))
    return path


# -------------------------------------------------------------------------------------------------------- metadata


@pytest.mark.parametrize(("tag", "text", "nm", "maker"), TAGGED.values(), ids=TAGGED)
def test_tags_tell_the_size_of_a_pixel(tmp_path, tag, text, nm, maker):
    found = calibration(tagged(tmp_path / "a.tif", tag, text), WIDTH, HEIGHT)
    assert found
    assert (found.nm_per_pixel, found.maker) == (pytest.approx(nm), maker)


@pytest.mark.parametrize(("text", "encoding", "nm", "maker"), BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("ending", ["tif", "bmp", "jpg"])
def test_a_text_beside_tells_the_size_of_a_pixel(tmp_path, text, encoding, nm, maker, ending):
    found = calibration(beside(tmp_path / f"a.{ending}", text, encoding), WIDTH, HEIGHT)
    assert found
    assert (found.nm_per_pixel, found.maker) == (pytest.approx(nm), maker)


def test_tags_tell_the_height_of_the_stripe(tmp_path):
    fei = TAGGED["FEI with the height of its bar"][1]
    for name, tag, text, rows in (("a.tif", 50431, TESCAN, 12), ("b.tif", 34682, fei, 79)):
        stated = calibration(tagged(tmp_path / name, tag, text), WIDTH, HEIGHT)
        assert stated
        assert stated.stripe_height == rows


def test_the_field_of_a_cropped_image_is_not_taken(tmp_path):
    assert calibration(tagged(tmp_path / "a.tif", 34118, ZEISS_HALF), WIDTH, HEIGHT)
    cropped = calibration(tagged(tmp_path / "a.tif", 34118, ZEISS_HALF, pixels=GREY[:60]), WIDTH, 60)
    assert cropped is None or cropped.nm_per_pixel != pytest.approx(11.65)


def test_pixel_sizes_of_other_programs(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True, resolution=(250, 250), metadata={"unit": "um"})
    tifffile.imwrite(tmp_path / "b.tif", GREY, imagej=True, resolution=(300, 300), metadata={"unit": "inch"})
    ome = {"axes": "YX", "PhysicalSizeX": 6.5, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(tmp_path / "c.ome.tif", GREY, ome=True, metadata=ome)
    gatan = [(65003, 2, 3, "nm", True), (65009, 12, 1, 0.125, True)]
    tifffile.imwrite(tmp_path / "d.tif", GREY, extratags=gatan, metadata=None)
    reciprocal = [(65003, 2, 5, "1/nm", True), (65009, 12, 1, 0.125, True)]
    tifffile.imwrite(tmp_path / "e.tif", GREY, extratags=reciprocal, metadata=None)
    sizes = [calibration(tmp_path / name, WIDTH, HEIGHT) for name in ("a.tif", "c.ome.tif", "d.tif")]
    assert [(size.nm_per_pixel, size.maker) for size in sizes if size] == [
        (pytest.approx(4), "ImageJ"),
        (pytest.approx(6.5), "OME"),
        (pytest.approx(0.125), "Gatan"),
    ]
    assert calibration(tmp_path / "b.tif", WIDTH, HEIGHT) is None
    assert calibration(tmp_path / "e.tif", WIDTH, HEIGHT) is None


def test_a_jpeg_with_jeols_note(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x927C] = JEOL.format(width=WIDTH).encode()
    Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=exif)
    stated = calibration(tmp_path / "a.jpg", WIDTH, HEIGHT)
    assert stated
    assert (stated.nm_per_pixel, stated.maker) == (pytest.approx(5000 / 180), "JEOL")


def test_metadata_of_an_image_of_another_width_are_not_taken(tmp_path):
    assert calibration(tagged(tmp_path / "a.tif", 34682, FEI, width=2 * WIDTH), WIDTH, HEIGHT) is None
    assert calibration(tagged(tmp_path / "b.tif", 34118, ZEISS, width=2 * WIDTH), WIDTH, HEIGHT) is None
    assert calibration(beside(tmp_path / "c.tif", HITACHI, width=2 * WIDTH), WIDTH, HEIGHT) is None
    assert calibration(beside(tmp_path / "d.tif", JEOL, width=2 * WIDTH), WIDTH, HEIGHT) is None


@pytest.mark.parametrize("text", ["", "[Scan]\r\nPixelWidth=abc\r\n", "[Scan]\r\nPixelWidth=0.0\r\n", "nothing"])
def test_metadata_without_a_size_are_none(tmp_path, text):
    assert calibration(tagged(tmp_path / "a.tif", 34682, text or " "), WIDTH, HEIGHT) is None
    assert calibration(tagged(tmp_path / "b.tif", 34118, text or " "), WIDTH, HEIGHT) is None
    assert calibration(beside(tmp_path / "c.png", text), WIDTH, HEIGHT) is None


def test_a_file_without_metadata_has_no_calibration(tmp_path):
    for name in ("a.tif", "a.png", "a.jpg"):
        Image.fromarray(GREY).save(tmp_path / name)
        assert calibration(tmp_path / name, WIDTH, HEIGHT) is None
    (tmp_path / "broken.tif").write_bytes(b"II*\0" + bytes(range(60)))
    assert calibration(tmp_path / "broken.tif", WIDTH, HEIGHT) is None


# --------------------------------------------------------------------------------------------------------- stripes

FIRST = {look: number for number, look in enumerate(LOOKS)}
STRIPES = {"no stripe": 0, "over the image": 0, "two stripes": 2}


@pytest.mark.parametrize("look", LOOKS)
def test_stripes_are_found_and_what_is_left_is_the_image(look):
    for number in range(FIRST[look], FIRST[look] + 4 * len(LOOKS), len(LOOKS)):
        pixels, truth = draw_micrograph(number, seed=5)
        assert truth.look == look
        assert len(find_stripes(pixels)) == STRIPES.get(look, 1)
        rows = image_rows(pixels)
        assert (rows.start, rows.stop) == pytest.approx((truth.top, truth.bottom), abs=1)


def test_a_crop_leaves_no_row_of_the_stripe_and_little_else_out():
    pixels, truth = draw_micrograph(FIRST["zeiss"], seed=5)
    left = crop_data_bar.apply((pixels / 255).astype(np.float32))
    height = truth.bottom - truth.top
    assert height - 3 <= len(left) <= height
    top = truth.top + (height - len(left)) * (truth.top > 0)
    np.testing.assert_array_equal(left, (pixels / 255).astype(np.float32)[top : top + len(left)])


def test_an_image_without_a_stripe_passes_unchanged():
    for look in ("no stripe", "over the image"):
        pixels, _ = draw_micrograph(FIRST[look], seed=5)
        image = (pixels / 255).astype(np.float32)
        np.testing.assert_array_equal(crop_data_bar.apply(image), image)
    flat = np.full((64, 64), 0.5, np.float32)
    np.testing.assert_array_equal(crop_data_bar.apply(flat), flat)


def test_colour_and_faint_images_lose_the_same_rows():
    pixels, _ = draw_micrograph(FIRST["fei"], seed=5)
    grey = crop_data_bar.apply((pixels / 255).astype(np.float32))
    colour = crop_data_bar.apply(np.repeat((pixels / 255).astype(np.float32)[..., None], 3, axis=2))
    assert colour.shape == (*grey.shape, 3)
    faint = crop_data_bar.apply((0.1 + 0.06 * pixels / 255).astype(np.float32))
    assert faint.shape == grey.shape


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [2, 5, 16, 24, 60])
def test_small_images_have_no_stripe(side):
    for pixels in (GREY[:side, :side], np.zeros((side, side), np.uint8)):
        assert find_stripes(pixels) == []


def test_photographs_of_steel_have_no_stripe(neu_images):
    paths = sorted(path for path in neu_images.rglob("*") if path.suffix in (".bmp", ".jpg"))[::9]
    assert len(paths) == 200
    assert [path.name for path in paths if find_stripes(np.asarray(Image.open(path).convert("L")))] == []


def test_grey_levels_of_sixteen_bits_are_those_of_eight():
    assert (grey_levels(GREY.astype(np.uint16) * 16) == grey_levels(GREY)).all()


# ------------------------------------------------------------------------------------------------------------ bars


def stripe(width=640, height=48):
    """Return an empty black stripe."""
    return np.zeros((height, width), np.uint8)


def letters(ink, left, top=12):
    """Draw three blocks of the size of letters, 8 pixels wide and 12 pixels apart."""
    for place in range(3):
        ink[top : top + 14, left + 12 * place : left + 12 * place + 8] = 255


def lengths(ink, height=480):
    return pytest.approx(sorted(bar.length for bar in find_bars(ink, height)), abs=0.1)


@pytest.mark.parametrize("width", [100, 13])
@pytest.mark.parametrize("is_bright", [True, False])
def test_a_solid_bar_counts_from_end_to_end(width, is_bright):
    ink = stripe()
    ink[30:34, 40 : 40 + width] = 255
    letters(ink, 170)
    assert [width] == lengths(ink if is_bright else 255 - ink)


def test_half_a_pixel_of_a_smoothed_end_counts():
    ink = stripe()
    ink[30:34, 40:140] = 255
    ink[30:34, 140] = 128
    assert lengths(ink) == [100.5]


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_a_bar_with_end_caps_counts_between_their_middles(thickness):
    ink = stripe()
    ink[30 : 30 + thickness, 40:140] = 255
    ink[24:38, 40 : 40 + thickness] = ink[24:38, 140 - thickness : 140] = 255
    assert [100 - thickness] == lengths(ink)


def test_a_thick_ruler_with_ticks_counts_from_end_to_end():
    ink = stripe()
    ink[30:40, 40:240] = 255
    for place in (40, 89, 139, 189, 238):
        ink[22:30, place : place + 2] = 255
    assert lengths(ink, 640) == [200]


def test_a_bar_broken_by_its_text_is_one():
    ink = stripe()
    ink[18:20, 40:80] = ink[18:20, 124:164] = 255
    letters(ink, 86)
    (bar,) = find_bars(ink, 480)
    assert bar.length == pytest.approx(124, abs=0.1)
    assert bar.gap
    assert (bar.gap.left, bar.gap.right) == (80, 124)


def test_half_of_a_broken_bar_is_none():
    ink = stripe()
    ink[18:20, 40:80] = 255
    ink[12:26, 40:42] = 255
    assert find_bars(ink, 480) == []


def test_ticks_count_from_the_first_to_the_last():
    ink = stripe()
    for place in range(11):
        ink[20:26, 40 + 12 * place : 42 + 12 * place] = 255
    assert lengths(ink) == [120]
    ink[20:26, 100:102] = 0
    assert find_bars(ink, 480) == []


def test_ten_or_twelve_ticks_are_no_bar():
    for count in (10, 12):
        ink = stripe()
        for place in range(count):
            ink[20:26, 40 + 12 * place : 42 + 12 * place] = 255
        assert find_bars(ink, 480) == []


def test_strokes_of_letters_are_no_ticks():
    ink = stripe()
    for place in range(6):
        ink[20:28, 40 + 5 * place : 42 + 5 * place] = 255
    assert find_bars(ink, 480) == []


def test_lines_of_a_table_and_letters_are_no_bars():
    ink = stripe()
    ink[0] = ink[-1] = 255
    ink[24] = 255
    ink[:, 200:202] = ink[:, 300:302] = 255
    letters(ink, 320)
    assert find_bars(ink, 480) == []


def test_two_bars_are_two():
    ink = stripe()
    ink[30:34, 40:140] = ink[10:14, 400:470] = 255
    assert lengths(ink) == [70, 100]


# ----------------------------------------------------------------------------------------------------------- texts


# --------------------------------------------------------------------------------------------- metadata and image


@pytest.fixture
def no_reading(monkeypatch):
    """Make Tesseract read nothing in any text."""
    monkeypatch.setattr(read, "recognise", lambda texts: [Readings([""])] * len(texts))


def reading_of(monkeypatch, text):
    """Make Tesseract read the same in every text."""
    monkeypatch.setattr(read, "recognise", lambda texts: [Readings([text] * 8)] * len(texts))


def micrograph(look):
    return draw_micrograph(FIRST[look], seed=5)


@pytest.mark.parametrize("look", ["zeiss", "fei", "hitachi", "tescan"])
def test_metadata_and_the_bar_give_the_scale_without_reading(tmp_path, no_reading, look):
    pixels, truth = micrograph(look)
    metres = truth.scale_um * 1e-6 / truth.bar_px
    text = FEI.replace("2.5e-009", f"{metres:e}")
    reading = read_scale(tagged(tmp_path / "a.tif", 34682, text, pixels.shape[1], pixels))
    assert (reading.source, reading.reason, reading.confidence) == ("FEI", "", 1)
    assert reading.scale_um == pytest.approx(truth.scale_um)
    assert reading.nm_per_pixel == pytest.approx(metres * 1e9)


def test_metadata_suffice_without_tesseract(tmp_path, monkeypatch):
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "/no/such/program")
    pixels, truth = micrograph("zeiss")
    text = FEI.replace("2.5e-009", f"{truth.scale_um * 1e-6 / truth.bar_px:e}")
    reading = read_scale(tagged(tmp_path / "a.tif", 34682, text, pixels.shape[1], pixels))
    assert reading.scale_um == pytest.approx(truth.scale_um)


def test_metadata_suffice_where_there_is_no_stripe(tmp_path, no_reading):
    pixels, _ = micrograph("no stripe")
    reading = read_scale(tagged(tmp_path / "a.tif", 34682, FEI, pixels.shape[1], pixels))
    assert (reading.nm_per_pixel, reading.reason) == (2.5, Reason.NO_STRIPE)
    assert reading.field_um == pytest.approx(2.5e-3 * pixels.shape[1])
    assert np.isnan(reading.scale_um)


def test_a_bar_of_no_round_length_contradicts_the_metadata(tmp_path, no_reading):
    pixels, truth = micrograph("zeiss")
    text = FEI.replace("2.5e-009", f"{1.22e-6 / truth.bar_px:e}")
    reading = read_scale(tagged(tmp_path / "a.tif", 34682, text, pixels.shape[1], pixels))
    assert reading.reason == Reason.DISAGREE
    assert np.isnan(reading.nm_per_pixel)


def test_metadata_and_a_text_that_contradict_give_no_scale(tmp_path, monkeypatch):
    pixels, truth = micrograph("zeiss")
    text = FEI.replace("2.5e-009", f"{1e-6 / truth.bar_px:e}")
    tagged(tmp_path / "a.tif", 34682, text, pixels.shape[1], pixels)
    reading_of(monkeypatch, "1 µm")
    assert read_scale(tmp_path / "a.tif").scale_um == 1
    reading_of(monkeypatch, "2 µm")
    reading = read_scale(tmp_path / "a.tif")
    assert reading.reason == Reason.DISAGREE
    assert np.isnan([reading.scale_um, reading.nm_per_pixel]).all()


@pytest.mark.parametrize("look", ["no stripe", "no bar", "no text"])
def test_what_cannot_be_read_has_its_reason(tmp_path, no_reading, look):
    pixels, truth = micrograph(look)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    reading = read_scale(tmp_path / "a.png")
    assert reading.reason == truth.reason
    assert np.isnan([reading.scale_um, reading.nm_per_pixel]).all()


def test_a_file_that_is_not_an_image_has_its_reason(tmp_path):
    (tmp_path / "a.png").write_text("not an image")
    assert read_scale(tmp_path / "a.png").reason == Reason.NO_IMAGE


# ------------------------------------------------------------------------------------------------ large micrographs


def test_rows_of_ticks_are_found_among_many_marks_of_other_rows():
    rng = np.random.default_rng(0)
    image = np.zeros((400, 3000), np.uint8)
    for row in range(10, 380, 9):  # marks at random distances, as in a texture
        for column in np.unique(rng.integers(0, 2990, 60)):
            image[row : row + 5, column : column + 3] = 255
    image[380:400] = 0
    image[384:392, 100:1101:100] = np.tile(255, (8, 11))  # eleven ticks, one pixel wide
    found = [bar for bar in find_bars(image, len(image)) if bar.box.top == 384]
    assert [(bar.length, bar.start[0]) for bar in found] == [(1000, 100.5)]


def test_a_texture_of_many_letters_has_no_text():
    image = np.zeros((600, 3000), np.uint8)
    image.reshape(50, 12, 250, 12)[:, 2:10, :, 3:9] = 255
    bar = Bar(Box(300, 310, 1000, 1600), Box(300, 310, 1000, 1600), 600, 255, 0)
    assert texts_near(image, bar, len(image)) == []
