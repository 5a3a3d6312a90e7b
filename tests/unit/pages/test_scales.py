"""The page of scales: which images come first, and that the rows of each are those with its bar."""

import base64
import json
import re
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from selenium.webdriver.support.ui import WebDriverWait

from workflow_scripts.intake.decisions import Decision
from workflow_scripts.intake.scale_bars.read import Reading
from workflow_scripts.pages.scales import page
from workflow_scripts.pages.scales.page import LARGE, write_scales_page

BAR = (300, 340, 200)
"""The column of the bar's left end, its row, and its length."""


def row(path, **facts):
    return {"image_id": path, "path": path, **vars(Reading(**facts))}


def written(path, table, folder, by_hand=MappingProxyType({})):
    write_scales_page(str(path), pd.DataFrame(table), by_hand, folder, "bars")
    (content,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', path.read_text())
    return json.loads(content)


@pytest.fixture
def folder(tmp_path):
    pixels = np.random.default_rng(0).integers(60, 120, (400, 800)).astype(np.uint8)
    x, y, length = BAR
    pixels[y - 3 : y + 3, x : x + length] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return tmp_path


def decoded(uri):
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_the_rows_that_are_shown_have_the_bar_in_their_middle(folder):
    x, y, length = BAR
    read = {"scale_um": 2.0, "bar_px": length, "nm_per_pixel": 10.0, "field_um": 8.0, "confidence": 1.0}
    data = written(folder / "scales.html", [row("a.png", **read, source="image", bar_x=x, bar_y=y)], folder)
    (item,) = data["items"]
    shown, crop = decoded(item["rows"]), item["crop"]
    assert shown.shape == (crop["height"], crop["width"])
    bright = np.argwhere(shown > 200)
    assert bright.min(axis=0) == pytest.approx([y - 3 - crop["y"], x - crop["x"]], abs=1)
    assert bright.max(axis=0) == pytest.approx([y + 2 - crop["y"], x + length - 1 - crop["x"]], abs=1)
    assert (item["bar_x"], item["bar_px"], item["width"]) == (x, length, 800)


def test_without_a_bar_the_whole_image_is_shown(folder):
    (item,) = written(folder / "scales.html", [row("a.png", reason="no bar")], folder)["items"]
    crop = item["crop"]
    assert (crop["x"], crop["y"], crop["width"], crop["height"]) == (0, 0, 800, 400)
    assert decoded(item["rows"]).shape[1] <= LARGE
    assert (item["scale_um"], item["bar_x"], item["reason"]) == (None, None, "no bar")


def test_the_least_certain_come_first_and_those_set_by_hand_last(folder):
    table = [
        row("hand", source="hand", confidence=1.0),
        row("tags", source="Zeiss", confidence=1.0, scale_um=1.0),
        row("sure", source="image", confidence=1.0, scale_um=1.0),
        row("none", reason="no bar"),
        row("doubtful", source="image", confidence=0.5, scale_um=1.0),
    ]
    items = written(folder / "scales.html", table, folder)["items"]
    assert [item["path"] for item in items] == ["doubtful", "sure", "none", "hand", "tags"]
    assert all(item["crop"] is None for item in items)  # files that cannot be read are still listed


def test_a_file_that_cannot_be_read_does_not_show_the_image_before_it(folder, browser):
    shown = [row("a.png", source="image", confidence=1.0, scale_um=1.0), row("no file", source="Zeiss", scale_um=1.0)]
    written(folder / "scales.html", shown, folder)
    browser.get((folder / "scales.html").as_uri())
    assert browser.find_element("id", "crop").is_displayed()
    browser.find_element("id", "next").click()
    assert not browser.find_element("id", "crop").is_displayed()


def test_the_exported_table_keeps_the_scales_that_were_set_by_hand_before(folder, browser):
    table = [
        row("a.png", source="image", confidence=1.0, scale_um=1.0, nm_per_pixel=5.0),
        row("by hand", source="hand", confidence=1.0, scale_um=2.0, nm_per_pixel=12.5),
        row("none, by hand", source="hand", confidence=1.0, reason="set by hand"),
        row("not looked at", source="Zeiss", confidence=1.0, scale_um=1.0, nm_per_pixel=5.0),
    ]
    by_hand = {
        "by hand": Decision(("2", "12.5"), "2026-11-29T20:00:00.000Z"),
        "none, by hand": Decision(("", "")),
        "set aside.png": Decision(("3", "10")),
        "read again": Decision(()),
    }
    written(folder / "scales.html", table, folder, by_hand)
    browser.get((folder / "scales.html").as_uri())
    exported = browser.execute_script("right(); return deciding.csv()")
    header, *before, right = exported.splitlines()
    assert header == "path,scale_um,nm_per_pixel,decision,image_id,decided"
    assert right.startswith("a.png,1,5,right,a.png,20")
    kept = ['"none, by hand",,,before,"none, by hand",', "set aside.png,3,10,before,,", "read again,,,removed,,"]
    assert before == ["by hand,2,12.5,before,by hand,2026-11-29T20:00:00.000Z", *kept]
    take_back = "deciding.go(deciding.items.findIndex(item => item.id === 'by hand')); deciding.takeBack();"
    _, removed, *rest, _ = browser.execute_script(take_back + "return deciding.csv()").splitlines()
    assert removed.startswith("by hand,,,removed,by hand,20")
    assert rest == kept


def test_a_comma_stands_before_decimals_and_not_between_thousands(folder, browser):
    written(folder / "scales.html", [row("a.png", source="image", scale_um=1.0)], folder)
    browser.get((folder / "scales.html").as_uri())
    texts = ["2 µm", "0,5 µm", "0,125 µm", "1,5 nm", "1500 nm", "1,000 nm", "12,000,000 nm", "1.2.3 nm", "2"]
    lengths = browser.execute_script("return arguments[0].map(lengthOf)", texts)
    assert lengths == pytest.approx([2, 0.5, 0.125, 0.0015, 1.5, None, None, None, None])
    numbers = browser.execute_script("return ['1,024', ' 1024', '12,5'].map(numberOf)")
    assert numbers == [None, 1024, 12.5]  # NaN arrives as None
    said = "['length', 'pixels', 'size'].forEach((id, i) => { element(id).value = arguments[i]; }); correct(); "
    said += "return element('wrong').textContent"
    assert "a point before three decimals" in browser.execute_script(said, "", "", "1,234")
    assert "a point before three decimals" in browser.execute_script(said, "1,234 µm", "9", "")
    assert "Give the length" in browser.execute_script(said, "2 µm", "", "")


def test_many_images_lie_in_a_folder_beside_the_page(folder, browser, monkeypatch):
    table = [row("a.png", source="image", scale_um=1.0), row("no file", source="Zeiss", scale_um=1.0)]
    monkeypatch.setattr(page, "MOST_INSIDE", 1)
    (item, _) = written(folder / "scales.html", table, folder)["items"]
    files = {f"scales.thumbnails/{file.name}" for file in (folder / "scales.thumbnails").iterdir()}
    assert files == {item["rows"], item["whole"]}
    browser.get((folder / "scales.html").as_uri())
    sizes = "return ['bar', 'whole'].map(id => document.getElementById(id).naturalWidth)"
    assert WebDriverWait(browser, 60).until(lambda _: all(browser.execute_script(sizes)))
    monkeypatch.setattr(page, "MOST_INSIDE", 2)
    written(folder / "scales.html", table, folder)
    assert not (folder / "scales.thumbnails").exists()
