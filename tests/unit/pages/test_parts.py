"""The colours of the pages against the contrast that WCAG 2.2 asks of text; what a page of decisions exports."""

import csv
import re
from itertools import product

import pytest

from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.pages.parts import writing

TEXTS = ("ink", "soft", "mark", "good", "doubt", "warn")
GROUNDS = ("paper", "back", "current")
LEAST = 4.5
"""Success criterion 1.4.3 (AA)."""


def luminance(colour):
    """Return the relative luminance of a colour in hex digits, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [":root", ":root[data-theme=dark]"])
def test_texts_can_be_read_on_every_ground_and_on_chosen_buttons(theme):
    (rule,) = re.findall(re.escape(theme) + r" \{(.*?)\}", (writing.HERE / "common.css").read_text(), re.S)
    colours = dict(re.findall(r"--(\w+): (#\w+)", rule))
    chosen = (("paper", text) for text in TEXTS[2:])  # a button that is pressed has its colour as the ground
    for text, ground in (*product(TEXTS, GROUNDS), *chosen):
        dark, light = sorted(luminance(colours[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= LEAST, (text, ground)


def test_a_page_exports_what_it_shows_and_one_label_for_an_image(tmp_path, browser):
    """Of the decisions of this browser and of the run the later one counts, also on an image that is set aside."""
    (tmp_path / "page.html").write_text("")
    browser.get((tmp_path / "page.html").as_uri())
    shown, exported = browser.execute_script(
        "".join((writing.HERE / script).read_text() for script in ("common.js", "deciding.js"))
        + """
        const decision = (id, label, day, rest) =>
          ({ path: `${id}.png`, image_id: id, label, was: "A", decided: `2026-11-0${day}T10:00:00.000Z`, ...rest });
        const stored = [decision("older", "B", 1), decision("newer", "B", 3), decision("taken back", "B", 1),
          decision("aside", "a", 1),
          decision("aside too", "a", 3), decision("new place", "a", 1, { path: "old place.png" })];
        const byId = Object.fromEntries(stored.map(each => [each.image_id, each]));
        localStorage.setItem("decisions", JSON.stringify(byId));
        const earlier = [decision("older", "A", 2), decision("newer", "A", 2), decision("new place", "b", 2),
          decision("taken back", "", 2, { decision: "removed" }),
          ...["aside", "aside too"].map(id => decision(id, "b", 2, { image_id: "" }))];
        const deciding = new Deciding({ store: "decisions", given: () => "A",
          items: ["older", "newer", "taken back"].map(id => ({ id })),
          path: item => `${item.id}.png`, columns: ["label"], earlier });
        return [deciding.items.map(item => deciding.decided(item)?.label ?? null), deciding.csv()]"""
    )
    rows = [row.split(",")[:2] for row in exported.splitlines()[1:]]
    assert shown == ["A", "B", None]
    assert sorted(rows) == [
        ["aside too.png", "a"],
        ["aside.png", "b"],
        ["new place.png", "b"],
        ["newer.png", "B"],
        ["older.png", "A"],
        ["taken back.png", ""],
    ]


def test_no_text_of_an_export_is_run_by_a_spreadsheet_and_every_one_is_read_back(tmp_path, browser):
    labels = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "'=1", "'quoted'", "a=b", '"=1"']
    rows = [{"path": f"-{number}.png", "label": label} for number, label in enumerate(labels)]
    (tmp_path / "page.html").write_text("")
    browser.get((tmp_path / "page.html").as_uri())
    script = (writing.HERE / "common.js").read_text()
    exported = browser.execute_script(f"{script}; return table(['path', 'label'], arguments[0])", rows)
    cells = [cell for row in csv.reader(exported.splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    (tmp_path / "export.csv").write_text(exported)
    images = {row["path"]: row["path"] for row in rows}
    assert read_label_table(tmp_path / "export.csv", images).labels == dict(zip(images, labels, strict=True))
