"""Scale bars read from images by Tesseract."""

import shutil

import numpy as np
import pandas as pd
import pytesseract
import pytest
from micrographs import LOOKS, draw_micrograph, judged, write_micrographs
from PIL import Image

from workflow_scripts.errors import UserError
from workflow_scripts.intake.facts import remembering
from workflow_scripts.intake.manifest import label
from workflow_scripts.intake.scale_bars import table as scale_bars
from workflow_scripts.intake.scale_bars.read import Reading
from workflow_scripts.intake.scale_bars.recognition import recognise
from workflow_scripts.intake.scale_bars.table import COLUMNS, corrected, files_of, notes, read_by_hand, read_scales
from workflow_scripts.intake.scale_bars.text import Text

COUNT = 60

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not there (Debian: tesseract-ocr)"
)


@pytest.fixture(scope="module")
def micrographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("micrographs")
    return folder, write_micrographs(folder, COUNT, seed=1)


def images_of(truths):
    return pd.DataFrame({"image_id": [f"{i:016x}" for i in range(len(truths))], "path": truths["file"]})


@pytest.fixture(scope="module")
def readings(micrographs):
    folder, truths = micrographs
    return read_scales(images_of(truths), folder, workers=2)


@needs_tesseract
def test_scales_are_right_or_missing_but_not_wrong(micrographs, readings):
    _, truths = micrographs
    outcome = judged(readings, truths)
    outcomes = truths.assign(outcome=outcome, **readings[["scale_um", "text", "reason"]].add_prefix("read_"))
    outcomes = outcomes[outcome != "right"].to_string()
    assert (outcome != "wrong").all(), outcomes
    assert (outcome == "right").mean() >= 0.95, outcomes


@needs_tesseract
def test_a_reading_tells_where_it_comes_from(readings):
    read = readings[readings["scale_um"].notna()]
    assert tuple(readings) == COLUMNS
    assert (read["source"] == "image").all()
    assert read["confidence"].between(3 / 8, 1).all()
    np.testing.assert_allclose(read["nm_per_pixel"], read["scale_um"] * 1e3 / read["bar_px"])
    assert (readings.loc[readings["scale_um"].isna(), "reason"] != "").all()
    assert notes(readings)[0] == f"{len(read)} of {COUNT} images with a scale ({len(read)} image)"


@needs_tesseract
def test_a_bar_is_where_the_ink_is(micrographs, readings):
    folder, _ = micrographs
    for reading in readings[readings["scale_um"].notna()].itertuples():
        grey = np.asarray(Image.open(folder / reading.path).convert("L")).astype(int)
        row = grey[int(reading.bar_y)]
        left, right = round(reading.bar_x), round(reading.bar_x + reading.bar_px)
        edges = np.abs(np.diff(row))  # a line, a row of ticks or a line broken by its text: ink begins and ends there
        for end in (left, right):
            assert edges[max(0, end - 6) : end + 6].max() > 45, (reading.path, end)


@needs_tesseract
def test_neither_workers_nor_what_is_remembered_change_the_table(micrographs, readings, tmp_path):
    folder, truths = micrographs
    images = images_of(truths)[:12]
    first = read_scales(images, folder, workers=1)
    pd.testing.assert_frame_equal(first, readings[:12])
    for known in (0, 12):
        with remembering(tmp_path / "facts", "now", files_of(images, folder), Reading) as memory:
            assert len(memory.known) == known
            again = read_scales(images, folder, memory=memory)
        assert again.to_csv() == first.to_csv()


def test_what_is_remembered_is_not_read_again_unless_a_file_changes(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(b"whatever")
    images = pd.DataFrame({"image_id": ["0", "1"], "path": ["a.png", "b.png"]})
    opened = []
    monkeypatch.setattr(scale_bars, "_read", lambda entry, **_: opened.append(entry.path) or Reading(reason="seen"))
    monkeypatch.setattr(scale_bars, "ordered_map", lambda function, items, *_, **__: map(function, items))

    def read():
        opened.clear()
        with remembering(tmp_path / "facts", "now", files_of(images, tmp_path), Reading) as memory:
            read_scales(images, tmp_path, memory=memory)
        return list(opened)

    assert (read(), read()) == (["a.png", "b.png"], [])
    (tmp_path / "a.txt").write_text("[SemImageFile]\nPixelSize=1\n")
    assert (read(), read()) == (["a.png"], [])


def test_without_tesseract_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "/no/such/program")
    with pytest.raises(
        UserError, match=r"^config: intake.scale_bars: found no program tesseract.*tesseract-ocr"
    ) as caught:
        recognise([Text(np.full((20, 60), 255, np.uint8), 0)])
    assert "\n" not in str(caught.value)


@needs_tesseract
def test_a_tesseract_without_its_language_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    with pytest.raises(UserError, match=r"^config: intake.scale_bars: tesseract failed: ") as caught:
        recognise([Text(np.full((20, 60), 255, np.uint8), 0)])
    assert "\n" not in str(caught.value)


def test_the_manifest_gets_the_scales(tmp_path):
    columns = {"format": "PNG", "width": "8", "height": "8", "mode": "L", "bytes": "9", "pages": "1", "pixels_id": "p"}
    columns |= {"taken": "", "instrument": ""}
    images = pd.DataFrame({"image_id": ["0", "1"], "path": ["a.png", "b.png"]}).assign(**columns)
    aside = pd.DataFrame(columns=["path", "image_id", "pixels_id", "reason", "detail", "same_as"], dtype=str)
    scales = pd.DataFrame({"path": ["b.png", "a.png"], "scale_um": ["1.0", ""], "nm_per_pixel": ["7.25", "2.5"]})
    scales["field_um"] = ["7.424", "2.56"]
    manifest = label(images, aside, {"rule": "none"}, scales=scales).manifest
    assert manifest[["image_id", "scale_um", "nm_per_pixel", "field_um"]].values.tolist() == [
        ["0", "", "2.5", "2.56"],
        ["1", "1.0", "7.25", "7.424"],
    ]


def test_a_micrograph_depends_on_its_number_alone():
    one, other = draw_micrograph(7, seed=1), draw_micrograph(7, seed=1)
    np.testing.assert_array_equal(one[0], other[0])
    assert str(one[1]) == str(other[1])
    assert not np.array_equal(one[0][:400], draw_micrograph(7 + len(LOOKS), seed=1)[0][:400])


def test_a_table_of_corrections_replaces_what_was_read(tmp_path):
    names = ["a.png", "b.png", "c.png", "d.png", "e/f.png"]
    images = pd.DataFrame({"path": names, "image_id": [f"{i:016x}" for i in range(5)], "width": "1000"})
    read = {"scale_um": 2.0, "bar_px": 100.0, "nm_per_pixel": 20.0, "field_um": 20.0, "bar_x": 5.0, "bar_y": 9.0}
    table = pd.DataFrame({**images.drop(columns="width"), **read, "confidence": 0.5, "source": "image", "reason": ""})
    (tmp_path / "scales.csv").write_text(
        "path;scale_um;nm_per_pixel;decision\na.png;2;20;right\nb.png;5;25;corrected\nc.png;;;none\nd.png;;;removed\nf;;4.5;corrected\n"
    )
    made = corrected(table, images, read_by_hand([str(tmp_path / "scales.csv")], images)).set_index("path")
    numbers = made[["scale_um", "bar_px", "nm_per_pixel", "field_um", "bar_x"]].to_numpy()
    nan = np.nan
    expected = [[2, 100, 20, 20, 5], [5, 200, 25, 25, nan], [nan] * 5, [2, 100, 20, 20, 5], [nan, nan, 4.5, 4.5, nan]]
    np.testing.assert_allclose(numbers, expected)
    assert list(made["source"]) == ["hand", "hand", "hand", "image", "hand"]
    assert list(made["reason"]) == ["", "", "set by hand", "", "set by hand"]


@pytest.mark.parametrize("text", ["0", "-1", "2 µm", "inf"])
def test_a_correction_that_is_no_length_is_an_error(tmp_path, text):
    images = pd.DataFrame({"path": ["a.png"], "image_id": ["0"], "width": ["9"]})
    (tmp_path / "scales.csv").write_text(f"path,scale_um,nm_per_pixel\na.png,{text},2\n")
    with pytest.raises(
        UserError, match=r"config: intake.scales: scale_um of a.png: found .*, allowed: a number above 0, or nothing"
    ):
        corrected(images.assign(bar_px=1.0), images, read_by_hand([str(tmp_path / "scales.csv")], images))


def test_an_image_that_was_removed_after_intake_has_no_scale(tmp_path):
    scales = read_scales(pd.DataFrame({"path": ["gone.tif"], "image_id": ["0" * 16]}), tmp_path, workers=1)
    assert list(scales["reason"]) == ["no image"]
