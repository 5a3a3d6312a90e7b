"""What the explorer's page holds: columns, places in few bytes, sheets of thumbnails, and names as data."""

import base64
import json
import re
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from scipy.spatial.distance import pdist
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.interaction import POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.support.ui import WebDriverWait
from skimage.color import xyz2lab
from skimage.color.colorconv import xyz_from_rgb
from sklearn.neighbors import NearestNeighbors

from tests.browsers import refresh_until
from workflow_scripts.grid.axes import AXES
from workflow_scripts.pages import explorer
from workflow_scripts.pages.explorer import places, sheets
from workflow_scripts.pages.explorer.columns import MOST_LEVELS, clustering, levels, numbers, of_table
from workflow_scripts.pages.explorer.opening import Opening, choose_opening
from workflow_scripts.pages.explorer.page import Pack, write_explorer
from workflow_scripts.pages.explorer.places import NOWHERE, Place, along_a_curve, map_of, points_of
from workflow_scripts.pages.explorer.sheets import Sheets, sources
from workflow_scripts.pages.explorer.study import ShownStudy
from workflow_scripts.pages.parts import writing
from workflow_scripts.pages.parts.thumbnails import Thumbnails, forget_others

RNG = np.random.default_rng(0)
N = 70
IDS = [f"{row:03d}" for row in range(N)]
STACK = RNG.integers(0, 256, (N, 12, 8), dtype=np.uint8)
PICTURES = Thumbnails(STACK, {image: row for row, image in enumerate(IDS)})


def test_texts_are_codes_of_their_levels_and_nothing_is_0():
    column = levels("label", pd.Series(["b", None, "a", "", "b"], dtype=object))
    assert column.levels == ("a", "b")
    assert column.values.tolist() == [2, 0, 1, 0, 2]


def test_images_of_a_subset_get_the_names_of_their_rows():
    study = ShownStudy([], pd.DataFrame({"row": ["4", "1", "2"]}))
    column = study.seen(np.array(["crate", "dome", "strainer", "crate", "dome"]))
    assert [column.levels[code - 1] for code in column.values] == ["dome", "dome", "strainer"]


def test_a_clustering_names_its_clusters_by_their_classes_and_leaves_out_what_is_not_in_its_subset():
    labels = pd.Series(["x", "x", None, "x", None], dtype=object)
    column = clustering(3, 3, np.array([1, 1, 0, 2, -1]), labels, np.array([0, 2, 3, 4, 5]), 7)
    assert column.levels == ("x", "x-2", "?", "noise")
    assert column.values.tolist() == [1, 0, 1, 3, 2, 4, 0]
    assert column.facts == {"cell": 3, "k": 3, "noise": 4, "predicted": ["x", "x", None, None]}


def test_facts_are_numbers_or_few_texts_and_say_something():
    table = pd.DataFrame(
        {
            "image_id": IDS,
            "path": IDS,
            "row": range(N),
            "width": range(N),
            "scale_um": ["", *map(str, range(1, N))],
            "format": ["JPEG", "PNG"] * 35,
            "mode": ["L"] * N,
            "remarks": [None] * N,
            "instrument": ["", "SEM"] * 35,
            "taken": [f"2026-11-{row % 2 + 1:02d}T10:00:{row % 60:02d}" for row in range(N)],
        }
    )
    made = {column.title: column for column in of_table(table)}
    assert list(made) == ["width", "scale_um", "format", "instrument", "taken"]
    assert np.isnan(made["scale_um"].values[0])
    assert made["scale_um"].values[1:].tolist() == list(range(1, N))
    assert made["format"].levels == ("JPEG", "PNG")
    assert made["instrument"].levels == ("SEM",)  # and nothing is 0, a colour too
    assert made["instrument"].values[:2].tolist() == [0, 1]
    assert made["taken"].levels == ("2026-11-01", "2026-11-02")


def test_many_texts_that_all_differ_are_no_column():
    assert of_table(pd.DataFrame({"comment": [f"a sentence about {row}" for row in range(MOST_LEVELS + 1)]})) == []


def test_of_many_texts_the_most_frequent_are_levels_and_the_others_share_one():
    specimens = [f"specimen {row:03d}" for row in range(300)] + ["specimen 299"]
    (column,) = of_table(pd.DataFrame({"specimen": specimens}))
    assert len(column.levels) == MOST_LEVELS
    shared = [name for name in column.levels if name not in specimens]
    assert shared == [f"{300 - MOST_LEVELS + 1} other values"]
    assert column.levels[column.values[-1] - 1] == "specimen 299"
    assert np.count_nonzero(column.values == column.levels.index(shared[0]) + 1) == 300 - MOST_LEVELS + 1


SAME = dict.fromkeys(AXES, "same")
CELLS = [{**SAME, "layer": layer, "whiten": whiten} for layer in ("fire5", "fire9") for whiten in (False, True)]


def _ranking(verdict):
    return pd.DataFrame({"name": ["whitened", "not whitened"], "k": [4, 4], "verdict": verdict})


@pytest.mark.parametrize(
    ("ranking", "ranked", "baseline", "expected"),
    [
        (_ranking("agree"), CELLS[2:], CELLS[0], Opening(3, 4, "trusted")),
        (_ranking("nothing"), CELLS[2:], CELLS[2], Opening(2, None, "baseline")),
        (pd.DataFrame(columns=["name"]), CELLS[:1], CELLS[1], Opening(1, None, "baseline")),
        (_ranking("weak"), [{**cell, "layer": "other"} for cell in CELLS[:2]], CELLS[1], Opening(1, None, "baseline")),
        (None, [], SAME, Opening(0, None, "first")),
    ],
)
def test_the_page_opens_with_the_most_trusted_cell_or_else_the_baseline(ranking, ranked, baseline, expected):
    assert choose_opening(CELLS, baseline, ranking, ranked) == expected


def test_a_map_keeps_its_shape_and_says_which_images_it_lacks():
    coordinates = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 5.0]])
    values = map_of("m", coordinates, np.array([0, 2, 3]), 4).values.astype(float)
    assert (values[1] == NOWHERE).all()
    assert values[2, 0] - values[0, 0] == NOWHERE - 1
    assert values[0, 1] - values[3, 1] == pytest.approx((NOWHERE - 1) / 2, abs=1)  # downwards


def test_a_map_of_three_dimensions_has_one_scale():
    coordinates = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 5.0]])
    values = map_of("m", coordinates, np.arange(2), 2).values.astype(float)
    assert np.diff(values, axis=0)[0].tolist() == pytest.approx([NOWHERE - 1, 0, (NOWHERE - 1) / 2], abs=1)


def test_a_map_of_one_place_is_in_the_middle():
    values = map_of("m", np.full((3, 2), 7.0), np.arange(3), 3).values
    assert (values == (NOWHERE - 1) // 2).all()


@pytest.mark.parametrize("d", [5, 200])
def test_points_in_few_bytes_have_nearly_the_same_neighbours(d):
    """Of 200 numbers of which 20 count, as of features; scikit-learn on the points as they are is the oracle."""
    points = RNG.normal(size=(300, d)) * np.where(np.arange(d) < 20, 1, 0.05)
    few = points_of("p", points, np.arange(300), 300)
    assert few.values.dtype == np.int8
    near, expected = (
        NearestNeighbors(n_neighbors=11).fit(each).kneighbors(return_distance=False)
        for each in (few.values.astype(float), points)
    )
    shared = np.mean([len(set(a) & set(b)) / 11 for a, b in zip(near, expected, strict=True)])
    assert shared > 0.9


def test_sheets_hold_every_thumbnail_in_order():
    class Small(Sheets):
        columns = 6
        rows = 4

    flat = np.repeat(np.linspace(20, 230, N).astype(np.uint8), 16 * 16).reshape(N, 16, 16)
    order = RNG.permutation(N)
    small = Small(Thumbnails(flat, PICTURES.row_of), IDS, order, 16, 16)
    made = [np.asarray(Image.open(BytesIO(jpeg)), dtype=float) for jpeg in small.jpegs()]
    assert [sheet.shape for sheet in made] == [(64, 96), (64, 96), (64, 96)]
    for row in range(N):
        sheet, place = divmod(int(small.places[row]), 24)
        y, x = (16 * part for part in divmod(place, 6))
        assert abs(made[sheet][y : y + 16, x : x + 16].mean() - flat[row].mean()) < 4


def test_thumbnails_keep_the_shape_of_the_images_and_shrink_where_there_are_many():
    wide = np.broadcast_to(np.zeros((1, 100, 400), dtype=np.uint8), (20_000, 100, 400))
    of_many = Sheets.of(Thumbnails(wide, {}), [""] * 20_000, np.arange(20_000))
    assert (of_many.width, of_many.height) == (64, 16)
    of_few = Sheets.of(PICTURES, IDS, np.arange(N))
    assert (of_few.width, of_few.height, of_few.columns, of_few.rows) == (8, 12, 256, 170)


def test_thumbnails_of_many_images_lie_beside_the_page_and_those_of_the_page_before_until_it_is_replaced(
    tmp_path, monkeypatch
):
    page, folder = tmp_path / "a study.html", tmp_path / "a study.thumbnails"
    made = Sheets.of(PICTURES, IDS, np.arange(N))
    before = Sheets.of(PICTURES, IDS, np.arange(N)[::-1])
    monkeypatch.setattr(sheets, "MOST_INSIDE", N - 1)
    (old,), (address,) = sources(before, page), sources(made, page)
    assert address.startswith("a%20study.thumbnails/")
    assert (folder / Path(address).name).read_bytes() == next(made.jpegs())
    # a job that is killed here leaves the page before with its thumbnails
    assert (folder / Path(old).name).read_bytes() == next(before.jpegs())
    forget_others(page, [address])
    assert [path.name for path in folder.iterdir()] == [Path(address).name]
    monkeypatch.setattr(sheets, "MOST_INSIDE", N)
    forget_others(page, sources(made, page))
    assert not folder.exists()


def test_the_order_along_a_curve_keeps_neighbours_together():
    values = np.array([[0, 0], [60000, 60000], [1, 1], [60001, 60000], [60000, 5]], dtype=np.uint16)
    assert along_a_curve(Place("m", values)).tolist() == [0, 2, 4, 1, 3]


def test_a_pack_gives_back_what_was_put_in():
    pack = Pack()
    arrays = [
        np.arange(5, dtype=np.uint16),
        np.array([0.5, np.nan], dtype=np.float32),
        np.array([[1, -2]], dtype=np.int8),
    ]
    places = [pack.array(array) for array in arrays]
    content = zlib.decompress(base64.b64decode(pack.compressed()))
    for array, place in zip(arrays, places, strict=True):
        assert place["start"] % 8 == 0
        found = np.frombuffer(content, array.dtype, place["length"], place["start"])
        np.testing.assert_array_equal(found, array.ravel())


SEEN = {
    "all": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
"""Linear RGB as persons see it who lack a kind of cones (Machado, Oliveira and Fernandes 2009)."""


@pytest.mark.parametrize("matrix", SEEN.values(), ids=SEEN)
def test_colour_blind_persons_can_distinguish_the_first_seven_colours(matrix):
    script = Path(explorer.__file__).with_name("colours.js").read_text()
    colours = re.findall(r"#([0-9a-f]{6})", re.search(r"BASIC = \[(.*?)\]", script)[1])
    rgb = np.array([list(bytes.fromhex(colour)) for colour in colours]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.transpose(matrix)
    lab = xyz2lab(np.clip(linear, 0, 1) @ np.transpose(xyz_from_rgb))
    assert len(lab) == 7
    assert pdist(lab).min() > 15  # six times what can just be noticed


HOSTILE = (
    '</script><b id="broken">',
    "{{data}}{{scripts}}",
    "\u202eright to left",
    "“quotes” \"'`",
    "🦔" * 60,
    "a,b\nc",
    "l" * 250,
)


def written(path):
    """Write the page of all images, whose names and labels are hostile; return its path and the images."""
    labels = pd.Series([HOSTILE[row % len(HOSTILE)] if row % 7 else None for row in range(N)], dtype=object)
    images = pd.DataFrame(
        {"image_id": IDS, "path": [f"{row} {HOSTILE[row % len(HOSTILE)]}" for row in range(N)], "label": labels}
    )
    partition = np.arange(N) % 3
    columns = [clustering(0, 3, partition, labels, np.arange(N), N), levels("label", labels)]
    columns.append(numbers("brightness", np.arange(N)))
    maps = [map_of("m", RNG.normal(size=(N, 2)), np.arange(N), N)]
    points = [points_of("p", RNG.normal(size=(N, 4)), np.arange(N), N)]
    facts = {"dataset": "d", "study": "s", "cells": [HOSTILE[0]], "opening": vars(Opening(0, 3, "baseline"))}
    facts |= {"settings": {}, "labels_before": [], "set_aside_before": []}
    write_explorer(str(path), images, columns, maps, points, PICTURES, facts)
    return path, images


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(tmp_path_factory.mktemp("page") / "page.html")


def test_a_page_with_a_folder_of_thumbnails_says_why_it_cannot_compare_a_file(tmp_path, monkeypatch, browser):
    monkeypatch.setattr(sheets, "MOST_INSIDE", 0)
    path, _ = written(tmp_path / "page.html")
    browser.get(path.as_uri())
    wait(browser)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "new.png")
    browser.find_element("id", "file").send_keys(str(tmp_path / "new.png"))
    WebDriverWait(browser, 60).until(
        lambda page: page.find_element("id", "found-title").text == "Cannot compare new.png"
    )
    note = browser.find_element("id", "found-note").text
    assert "A browser does not let the page read thumbnails from a folder" in note
    assert "snakemake --cores 8 predict --config new_images=FOLDER" in note


def test_the_page_is_one_file_and_no_name_can_break_out_of_it(page):
    text = page[0].read_text(encoding="utf-8")
    assert not re.search(r"https?://|src=[\"']", text)
    assert text.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert data["cells"] == [HOSTILE[0]]


EARLY, LATE = "2026-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
PICKS = f"""
const EARLY = "{EARLY}", LATE = "{LATE}";
const opened = (ids, labels = [], aside = []) =>
  new Picks("picks of a test", ids, ids.map(id => `${{id}}.png`), labels, aside, () => {{}});
const is = (id, label, decided = EARLY) => ({{ path: `${{id}}.png`, image_id: id, label, decided }});
const aside = (id, set_aside, decided = EARLY) => ({{ path: `${{id}}.png`, image_id: id, set_aside, decided }});
const label = (picks, row, text) => {{ picks.choose([row]); picks.label(text); return picks; }};
const setAside = (picks, row) => {{ picks.choose([row]); picks.setAside(); return picks; }};
localStorage.clear();
"""


def picked(page, browser, script):
    """Return the path, label, selection and set_aside of each row of the exports that a script returns."""
    browser.get(page[0].as_uri())
    wait(browser)
    scripts = [writing.HERE / "common.js", Path(explorer.__file__).with_name("picks.js")]
    exports = browser.execute_script("\n".join(script.read_text() for script in scripts) + PICKS + script)
    return [[",".join(row.split(",")[:4]) for row in export.splitlines()[1:]] for export in exports]


def test_each_export_has_what_the_run_has_read_of_earlier_ones(page, browser):
    """Pages of one study, one after the other, each with the images of its run; the last one in another browser."""
    exports = picked(
        page,
        browser,
        """
        const next = labels => opened(["b", "c"], labels, [aside("a", "yes")]).csv();
        const csvs = [setAside(opened(["a", "b", "c"]), 0).csv(),
          label(opened(["b", "c"], [], [aside("a", "yes")]), 0, "here").csv(),
          next([is("b", "before"), is("c", "before")]), next([is("b", "after", LATE), is("d", "gone", LATE)])];
        localStorage.clear();
        csvs.push(next([is("b", "after")]));
        csvs.push(label(opened(["b"], [is("b", "before")]), 0, "").csv());
        return csvs""",
    )
    gone = "a.png,,,yes"
    assert exports == [
        [gone],
        ["b.png,here,,", gone],
        ["b.png,here,,", "c.png,before,,", gone],
        ["b.png,after,,", "d.png,gone,,", gone],
        ["b.png,after,,", gone],
        ["b.png,,,"],  # a label that was taken back, so that no other export brings it back
    ]


@pytest.mark.parametrize("first", ["a", "b"])
def test_groups_that_overlap_leave_the_labels_of_before_when_they_are_taken_back(page, browser, first):
    """Also after the run has read the export; `e` gets another label in between, and stays as it is."""
    exports = picked(
        page,
        browser,
        f"""
        const ids = ["a", "b", "c", "d", "e"];
        const read = picks => [...picks.state.labels.values()].map(each => ({{ ...each }}));
        let picks = label(opened(ids, [is("a", "earlier")]), 1, "mine");
        picks.accept("a", "first", [0, 1, 2, 4], {{}});
        picks.accept("b", "second", [1, 2, 3, 4], {{}});
        picks.accept("b", "again", [1, 2, 3, 4], {{}});
        const csvs = [picks.csv()];
        picks = label(opened(ids, read(picks)), 4, "since");
        picks.takeBack("{first}");
        csvs.push(picks.csv());
        picks = opened(ids, read(picks));
        picks.takeBack("{"b" if first == "a" else "a"}");
        return [...csvs, picks.csv()]""",
    )
    both = ["a.png,first,,", *(f"{row}.png,again,," for row in "bcde")]
    one = {
        "a": ["a.png,earlier,,", "b.png,again,,", "c.png,again,,", "d.png,again,,", "e.png,since,,"],
        "b": ["a.png,first,,", "b.png,first,,", "c.png,first,,", "d.png,,,", "e.png,since,,"],
    }
    none = ["a.png,earlier,,", "b.png,mine,,", "c.png,,,", "d.png,,,", "e.png,since,,"]
    assert exports == [both, one[first], none]


def test_of_two_decisions_the_later_one_is_shown_and_exported(page, browser):
    """Of this browser and of the run, on labels and on images set aside; those without a time are older."""
    exports = picked(
        page,
        browser,
        """
        const first = opened(["a", "b", "c"]);
        [0, 1, 2].forEach(row => setAside(label(first, row, "mine"), row));
        const read = [[is("a", "later", LATE), is("b", "older"), is("c", "older", "")],
          [aside("a", "no", LATE), aside("b", "no"), aside("c", "no", "")]];
        const next = opened(["a", "b", "c"], ...read);
        const shown = [0, 1, 2].map(row => `${next.labelOf(row)} ${next.isAside(row)}`);
        return [["shown", ...shown].join("\\n"), next.csv()]""",
    )
    assert exports[0] == ["later false", "mine true", "mine true"]
    assert exports[1] == [
        *("a.png,later,,", "a.png,,,no", "b.png,mine,,", "b.png,,,yes", "c.png,mine,,", "c.png,,,yes"),
    ]


def test_an_image_that_was_brought_back_stays_back_and_can_be_set_aside_elsewhere(page, browser):
    """This browser set it aside and labelled it, brings it back, and opens no page of the run in which it is back."""
    exports = picked(
        page,
        browser,
        """
        setAside(label(opened(["a", "b"]), 0, "mine"), 0);
        const away = opened(["b"], [], [aside("a", "yes")]), csvs = [away.csv()];
        away.bringBack();
        away.undo();
        csvs.push(away.csv());
        away.bringBack();
        csvs.push(away.csv(), opened(["b"], [], [aside("a", "yes")]).csv());
        return [...csvs, opened(["b"], [], [aside("a", "yes", LATE)]).csv()]""",
    )
    yes, no = ["a.png,mine,,", "a.png,,,yes"], ["a.png,mine,,", "a.png,,,no"]
    assert exports == [yes, yes, no, no, yes]


def test_picks_that_another_form_of_the_page_keeps_stay_as_they_are(page, browser):
    """Lists of an id, a label, a time and a path, as the page once kept them; the page opens beside them."""
    browser.get(page[0].as_uri())
    wait(browser)
    key, before = (
        "clustergrid explorer d s",
        '{"labels": [["i0", "mine", "2026-01-01T00:00:00.000Z", "0"]], "aside": []}',
    )
    browser.execute_script("localStorage.clear(); localStorage.setItem(...arguments)", key, before)
    refresh_until(browser, lambda: wait(browser) and browser.execute_script(f"return localStorage['{key}']") == before)
    browser.execute_script("for (const key of 'ax') document.dispatchEvent(new KeyboardEvent('keydown', { key }))")
    assert browser.find_element("id", "picked").text == f"set aside: {N}"
    kept = browser.execute_script("return { ...localStorage }")
    assert (len(kept), kept[key]) == (2, before)  # its own picks are under another name
    browser.execute_script("localStorage.clear()")


def fingers(browser, *apart):
    """Put two fingers on the map so many pixels apart, move them to each of the other distances, and lift them."""
    hands = [PointerInput(POINTER_TOUCH, name) for name in ("left", "right")]
    for hand, side in zip(hands, (-1, 1), strict=True):
        for place, distance in enumerate(apart):
            canvas = browser.find_element("id", "map")
            hand.create_pointer_move(duration=50 * place, x=side * distance // 2, y=0, origin=canvas)
            if place == 0:
                hand.create_pointer_down(button=0)
        hand.create_pointer_up(button=0)
    browser.execute("actions", {"actions": [hand.encode() for hand in hands]})


def test_two_fingers_zoom_the_map_and_neither_draw_nor_tap(page, browser):
    browser.get(page[0].as_uri())
    wait(browser)

    def in_view():
        browser.execute_script("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))")
        return int(browser.find_element("id", "count").text.split()[0])

    browser.find_element("id", "lasso").click()
    assert in_view() == N
    fingers(browser, 40, 200, 400)
    assert 0 < (near := in_view()) < N
    fingers(browser, 400, 200, 40)
    assert near < in_view() == N
    assert not browser.find_element("id", "image").is_displayed()


def test_hostile_names_are_shown_as_they_are(page, browser):
    path, images = page
    browser.get(path.as_uri())
    wait(browser)
    assert not browser.find_elements("id", "broken")
    assert browser.find_element("id", "legend").text.count("\n") >= 3
    for row in range(len(HOSTILE)):
        browser.execute_script("document.getElementById('search').value = arguments[0]", f"{row} ")
        search = browser.find_element("id", "search")
        search.send_keys("\ue010", " \ue003")  # an input event
        names = [
            button.get_attribute("title") for button in browser.find_elements("css selector", "#found-images button")
        ]
        assert any(name.startswith(images["path"][row]) for name in names)


def test_steps_of_numbers_are_judged_one_after_the_other(page, browser):
    browser.get(page[0].as_uri())
    wait(browser)
    select = browser.find_element("id", "colour")
    next(each for each in select.find_elements("tag name", "option") if each.text == "brightness").click()
    browser.execute_script("document.getElementById('map').focus()")
    titles = []
    for _ in range(9):
        ActionChains(browser).send_keys("p").perform()
        titles.append(browser.find_element("id", "judged-title").text)
    assert len(set(titles[:8])) == 8
    assert titles[8] == titles[0]


@pytest.mark.parametrize("name", ["no", "Null", "on", "normal"])
def test_a_selection_may_have_any_name_that_a_subset_may_have(browser, name):
    script = Path(explorer.__file__).with_name("next_run.js").read_text()
    state = "{selections: new Map([[arguments[0], []]]), labels: new Map(), aside: new Map()}"
    lines = f"return nextRunLines('f.csv', {state}, {{study: 's', settings: {{}}}}).join('\\n')"
    browser.get("about:blank")
    made = yaml.safe_load(browser.execute_script(f"{script}{lines}", name))
    assert made["subsets"] == {name: {"file": "f.csv"}}
    assert made["studies"] == {f"s_{name}": {"baseline": {"subset": name}}}


def test_points_of_very_many_features_are_reduced_without_their_covariance(monkeypatch):
    points = RNG.normal(size=(100, 3000)) * np.geomspace(10, 0.1, 3000)
    expected = places.first_components(points, 3)
    monkeypatch.setattr(places, "MAX_EXACT", 1000)
    tracemalloc.start()
    found = places.first_components(points, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert peak < 4 * points.nbytes < 3000**2 * 8


def wait(browser):
    return WebDriverWait(browser, 120).until(lambda page: page.execute_script("return document.body.dataset.ready"))
