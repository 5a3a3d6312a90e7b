"""The explorer as a user has it: the small study's images in a browser, picks by mouse and by key, the way back."""

import csv

import pandas as pd
import pytest
import yaml
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browsers import refresh_until
from workflow_scripts.intake.label_table import read_label_table

ARROW_LEFT, ARROW_UP, ARROW_RIGHT, ARROW_DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
ENTER, ESCAPE, SHIFT = "\ue007", "\ue00c", "\ue008"


@pytest.fixture
def page(finished, browser, downloads):
    for of_another_test in downloads.iterdir():  # a second file of a name would get another one
        of_another_test.unlink()
    browser.get((finished.folder / "results" / "small" / "explorer" / "factorial.html").as_uri())
    wait(browser)
    browser.execute_script("localStorage.clear()")
    refresh_until(browser, lambda: wait(browser) and not text(browser, "picked"))
    return browser


def wait(browser):
    return WebDriverWait(browser, 120).until(lambda page: page.execute_script("return document.body.dataset.ready"))


def press(browser, *keys):
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def text(browser, name):
    return browser.find_element(By.ID, name).text


def go_to_another(browser, *seen):
    """Press arrows until the current image is none of `seen`, wherever they lie on the map, and return its path."""
    for arrow in (ARROW_RIGHT, ARROW_DOWN, ARROW_LEFT, ARROW_UP):
        for _ in range(5):
            press(browser, arrow)
            if (path := text(browser, "path").split(", labelled")[0]) not in seen:
                return path
    raise AssertionError(f"the arrows lead to no other image than {seen}")


def drag(browser, *places):
    canvas = browser.find_element(By.ID, "map")
    actions = ActionChains(browser, duration=20).move_to_element_with_offset(canvas, *places[0]).click_and_hold()
    for place in places[1:]:
        actions.move_to_element_with_offset(canvas, *place)
    actions.release().perform()


def whole_map(browser):
    """The corners of the map, from its middle."""
    size = browser.find_element(By.ID, "map").size
    x, y = size["width"] // 2 - 4, size["height"] // 2 - 4
    return (-x, -y), (x, -y), (x, y), (-x, y)


def legend(browser):
    names = browser.find_elements(By.CSS_SELECTOR, "#legend [data-code]")
    return {name.get_attribute("title"): int(name.find_element(By.TAG_NAME, "small").text) for name in names}


def choose(browser, name, option):
    Select(browser.find_element(By.ID, name)).select_by_visible_text(option)


def options(browser, name):
    return [option.text for option in Select(browser.find_element(By.ID, name)).options]


def test_the_page_opens_with_the_most_trusted_cell_and_says_so(page, finished):
    trusted = pd.read_parquet(finished.folder / "results" / "small" / "tables" / "factorial" / "trust.parquet").iloc[0]
    assert "60 images in 4 cells, opened with the most trusted one" in text(page, "status")
    assert text(page, "legend-title") == f"{trusted['name']}, k = {trusted['k']}"
    assert Select(page.find_element(By.ID, "cell")).first_selected_option.text == f"most trusted: {trusted['name']}"


def test_cells_k_labels_and_facts_colour_the_map_and_say_what_moved(page, finished):
    manifest = pd.read_csv(finished.folder / "results" / "small" / "manifest.csv")
    title = text(page, "legend-title").replace("k = 4", "k = 3")
    choose(page, "k", "3")
    assert sum(legend(page).values()) == 60
    choose(page, "k", "5")
    assert len(legend(page)) == 5
    # Two of the three groups of before have an heir each, so at least the smallest two of the five have moved.
    moved = int(text(page, "moved").split()[0])
    assert sum(sorted(legend(page).values())[:2]) <= moved < 60
    assert f"of 60 images moved, against {title}" in text(page, "moved")
    of_classes = pd.Series(legend(page)).groupby(lambda cluster: cluster.split("-")[0]).sum()
    choose(page, "colour", "class predicted by the cell")
    predicted = legend(page)
    assert list(predicted) == sorted(manifest["label"].unique())
    assert of_classes.to_dict() == {name: count for name, count in predicted.items() if count}
    choose(page, "colour", "label")
    assert legend(page) == manifest["label"].value_counts().to_dict()
    assert {"consensus group", "agreement with the consensus", "brightness", "bytes"} <= set(options(page, "colour"))
    for fact in ("brightness", next(title for title in options(page, "colour") if title.startswith("outlierness"))):
        choose(page, "colour", fact)
        assert sum(legend(page).values()) == 60


SETTLED = """
const frames = [], map = document.getElementById("map");
return new Promise(done => requestAnimationFrame(function look() {
  frames.push(map.toDataURL());
  const last = frames.slice(-10);
  if (last.length === 10 && new Set(last).size === 1) done(last[0]); else requestAnimationFrame(look);
}));
"""


def drawn(browser):
    """Return the map as a data URI, when ten frames are equal: no move goes on, however slow the machine."""
    return browser.execute_script(SETTLED)


def test_the_map_moves_zooms_and_turns_by_mouse_and_by_key(page):
    choose(page, "maps", options(page, "maps")[1])  # components: three dimensions at ten, two at two
    whole, canvas = drawn(page), page.find_element(By.ID, "map")
    page.find_element(By.ID, "pan").click()
    drag(page, (0, 0), (60, 40))
    panned = drawn(page)
    ActionChains(page).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, -200).perform()
    zoomed = drawn(page)
    press(page, "0")
    assert len({whole, panned, zoomed}) == 3
    assert drawn(page) == whole
    for key in ("+", "-"):
        press(page, key)
        assert drawn(page) not in (whole, panned)
        press(page, "0")
    three = next(name for name in options(page, "maps") if name.startswith("first") and "10 components" in name)
    choose(page, "maps", three)
    flat = drawn(page)
    press(page, "u")
    drag(page, (0, 0), (120, 0))
    turned = drawn(page)
    assert turned != flat
    ActionChains(page).key_down(SHIFT).send_keys(ARROW_RIGHT).key_up(SHIFT).perform()
    assert drawn(page) not in (turned, flat)


def test_the_legend_filters_and_a_lasso_chooses_what_is_shown(page):
    Select(page.find_element(By.ID, "colour")).select_by_visible_text("label")
    page.find_element(By.CSS_SELECTOR, "#legend button[title='Only grass']").click()
    assert text(page, "shown") == "15 of 60 images shown"
    page.find_element(By.ID, "lasso").click()
    drag(page, *whole_map(page))
    assert text(page, "count") == "15 images chosen"
    press(page, ESCAPE)
    page.find_element(By.ID, "rectangle").click()
    drag(page, whole_map(page)[0], whole_map(page)[2])
    assert text(page, "count") == "15 images chosen"
    press(page, "z", "z")
    assert text(page, "count") == "15 images chosen"  # before the rectangle, and before Escape
    press(page, "q")
    assert text(page, "found-title").startswith("Nearest to the mean of 15 images")
    assert len(page.find_elements(By.CSS_SELECTOR, "#found-images button")) == 24


def test_a_file_is_matched_by_its_look(page, pictures):
    file = sorted((pictures / "gravel").iterdir())[4]
    page.find_element(By.ID, "file").send_keys(str(file))
    WebDriverWait(page, 60).until(lambda driver: text(driver, "found-title") == f"Look like {file.name}")
    assert text(page, "path").startswith(f"gravel/{file.name}")
    assert text(page, "found-note").startswith("Compared by look")


def test_a_file_that_the_browser_cannot_read_is_sent_to_predict(page, tmp_path):
    (tmp_path / "scan.tif").write_bytes(b"II*\0")
    page.find_element(By.ID, "file").send_keys(str(tmp_path / "scan.tif"))
    WebDriverWait(page, 60).until(lambda driver: text(driver, "found-title") == "Cannot compare scan.tif")
    assert "snakemake --cores 8 predict --config new_images=FOLDER" in text(page, "found-note")


def test_a_group_is_judged_by_key_and_its_images_are_chosen_but_the_wrong_ones(page):
    press(page, "p", "y", "n")
    name = text(page, "judged-title").removeprefix("Does it belong to ").removesuffix("?")
    size = legend(page)[name]
    assert text(page, "judged-so-far").startswith(
        f"1 of 2 belong, so with 95 % confidence 1 to {size - 1} of all {size}"
    )
    press(page, "j")
    assert text(page, "status") == "Every image in a cluster has a label."


def test_a_group_is_accepted_by_key_once_it_is_good_enough_and_its_labels_are_a_table(page, downloads):
    press(page, "p")
    name = text(page, "judged-title").removeprefix("Does it belong to ").removesuffix("?")
    size, wrong = legend(page)[name], text(page, "path").split(", labelled")[0]
    page.execute_script("const purity = document.getElementById('purity'); purity.value = 50; purity.onchange()")
    press(page, "c", "shiny", ENTER)
    assert text(page, "status").startswith("Good enough after")  # and nothing is written
    press(page, ESCAPE, "n")
    looks = 1
    while text(page, "good-enough").startswith("Good enough after"):
        press(page, "y")
        looks += 1
    assert looks < size
    press(page, "c", "shiny", ENTER)
    assert text(page, "status").startswith(f"{size - 1} images labelled shiny")
    press(page, "e")
    written = downloads / "small_factorial_picked.csv"
    WebDriverWait(page, 60).until(lambda _: written.is_file() and not list(downloads.glob("*.crdownload")))
    table = pd.read_csv(written)
    assert len(table) == size - 1
    assert wrong not in set(table["path"])
    assert table[["images", "judged", "belong"]].drop_duplicates().to_numpy().tolist() == [[size, looks, looks - 1]]
    assert ((size / 2 <= table["low"]) & (table["low"] <= table["high"]) & (table["high"] <= size - 1)).all()
    images = dict(zip(table["path"], table["image_id"], strict=True))
    assert read_label_table(written, images).labels == dict.fromkeys(table["path"], "shiny")
    press(page, ESCAPE)
    assert "accepted" in text(page, "picked")
    press(page, "z")
    assert not text(page, "picked")


def test_picks_by_key_come_back_as_a_subset_as_labels_and_as_files_left_out(page, project, downloads):
    page.find_element(By.ID, "map").click()
    first = go_to_another(page, "")
    press(page, " ", "n", "odd", ENTER)
    second = go_to_another(page, first)
    press(page, " ", "l", "shiny, new", ENTER)
    third = go_to_another(page, first, second)
    press(page, " ", "x")
    refresh_until(page, lambda: wait(page) and "set aside: 1" in text(page, "picked"))  # kept in the browser
    assert "odd: 1" in text(page, "picked")

    page.find_element(By.ID, "export").click()
    exported = downloads / "small_factorial_picked.csv"
    WebDriverWait(page, 60).until(lambda _: exported.is_file() and not list(downloads.glob("*.crdownload")))
    with open(exported, newline="") as stream:
        rows = {row["path"]: row for row in csv.DictReader(stream)}
    lines = yaml.safe_load(text(page, "next-run-lines"))
    assert lines["intake"] == {"labels": {"corrections": exported.name}, "exclude_file": exported.name}
    assert lines["subsets"] == {"odd": {"file": exported.name}}
    study = {"baseline": {"clusterer": "by_k", "subset": "odd"}, "design": "product"}
    study |= {"vary": {"n_components": [2, 10], "preprocess": ["plain", "clahe"]}}
    assert lines["studies"] == {"factorial_odd": {**study, "explorer": {"maps": [{"decomposition": "tsne"}]}}}
    said = {path: (row["label"], row["selection"], row["set_aside"]) for path, row in rows.items()}
    assert said == {first: ("", "odd", ""), second: ("shiny, new", "", ""), third: ("", "", "yes")}

    (project.folder / exported.name).write_bytes(exported.read_bytes())
    (project.folder / "picked.yaml").write_text(text(page, "next-run-lines"))
    results = project.folder / "results" / "small"
    project.run(
        *("results/small/rejected.csv", "results/small/subsets/odd.csv"),
        *("--configfile", "config/config.yaml", "picked.yaml"),
    )
    rejected = pd.read_csv(results / "rejected.csv")
    assert rejected[["path", "reason"]].to_numpy().tolist() == [[third, "set aside by hand"]]
    labels = pd.read_csv(results / "manifest.csv").set_index("path")["label"]
    assert third not in labels
    assert labels[second] == "shiny, new"
    assert pd.read_csv(results / "subsets" / "odd.csv")["path"].tolist() == [first]
