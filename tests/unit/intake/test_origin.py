"""Date and instrument of files that Pillow and tifffile write as cameras and microscopes do."""

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from workflow_scripts.intake.origin import Origin, origin

GREY = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)


def with_exif(path, **entries):
    exif = Image.Exif()
    for name, value in entries.items():
        where = exif.get_ifd(ExifTags.IFD.Exif) if name == "DateTimeOriginal" else exif
        where[ExifTags.Base[name]] = value
    Image.fromarray(GREY).save(path, exif=exif)
    return path


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_camera_writes_when_and_what_it_is(tmp_path, ending):
    stamps = {"DateTimeOriginal": "2019:05:03 12:13:14", "DateTime": "2020:01:01 00:00:00"}
    path = with_exif(tmp_path / f"a.{ending}", **stamps, Make="Leica", Model="DM 4000")
    assert origin(path) == Origin("2019-05-03T12:13:14", "Leica DM 4000")
    changed = with_exif(tmp_path / "b.tif", DateTime="2020:01:01 00:00:00", Model="X")
    assert origin(changed) == Origin("2020-01-01T00:00:00", "X")


@pytest.mark.parametrize("stamp", ["0000:00:00 00:00:00", "yesterday", "", "2019:13:40"])
def test_a_date_that_is_none_is_not_stated(tmp_path, stamp):
    assert origin(with_exif(tmp_path / "a.jpg", DateTime=stamp, Make="Leica")) == Origin("", "Leica")


def test_fei_writes_it_into_its_tag(tmp_path):
    text = "[User]\r\nDate=04/15/2019\r\nTime=01:28:49 PM\r\n[System]\r\nSystemType=Nova NanoSEM 450\r\n"
    tifffile.imwrite(tmp_path / "a.tif", GREY, extratags=[(34682, 2, None, text, True)])
    assert origin(tmp_path / "a.tif") == Origin("2019-04-15T13:28:49", "Nova NanoSEM 450")


TEXTS = {
    "[MAIN]\nDate=2018-11-30\nTime=09:08:07\nDevice=TESCAN MIRA3\n": Origin("2018-11-30T09:08:07", "TESCAN MIRA3"),
    "Date=2021/06/23\r\nTime=16:38:33\r\nInstructName=TM4000\r\n": Origin("2021-06-23T16:38:33", "Hitachi TM4000"),
    "$CM_DATE 2016/02/01\n$CM_TIME 8:00:01\n$CM_INSTRUMENT 7001F\n": Origin("2016-02-01T08:00:01", "JEOL 7001F"),
    "Date=2021/06/23\n": Origin("2021-06-23"),
    "a note of mine about a date and a device": Origin(),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_the_text_beside_an_image_says_it(tmp_path, text, expected):
    Image.fromarray(GREY).save(tmp_path / "a.bmp")
    (tmp_path / "a.txt").write_text(text)
    assert origin(tmp_path / "a.bmp") == expected


def test_files_without_metadata_and_damaged_ones_state_nothing(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", GREY, metadata=None, software=False)
    (tmp_path / "c.tif").write_bytes((tmp_path / "b.tif").read_bytes()[:60])
    (tmp_path / "d.jpg").write_bytes(b"\xff\xd8\xff")
    for name in ("a.png", "b.tif", "c.tif", "d.jpg"):
        assert origin(tmp_path / name) == Origin()


def test_real_microscopes(real_micrographs):
    found = {path.name[:2]: origin(path) for path in real_micrographs.glob("[0-2]*.tif")}
    assert found["02"] == Origin("2018-03-07T12:56:02", "Zeiss NVision 40-38-50")
    assert found["18"] == Origin("2019-04-15T13:28:49", "Nova NanoSEM 450")
    assert found["20"] == Origin("2021-06-23T16:38:33", "Hitachi TM4000")
    assert found["22"] == Origin("2018-09-25T08:20:42", "Zeiss ULTRA 55-36-06")
