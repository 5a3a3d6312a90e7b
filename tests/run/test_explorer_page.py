"""The explorer as a user has it: the small study's images in a browser, picks by mouse and by key, the way back."""

import csv

import pandas as pd
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

ARROW_RIGHT, ENTER, ESCAPE = "\ue014", "\ue007", "\ue00c"


@pytest.fixture
def page(finished, browser):
    browser.get((finished.folder / "results" / "small" / "explorer" / "factorial.html").as_uri())
    WebDriverWait(browser, 120).until(lambda its: its.execute_script("return document.body.dataset.ready"))
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    WebDriverWait(browser, 120).until(lambda its: its.execute_script("return document.body.dataset.ready"))
    return browser


def press(browser, *keys):
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def text(browser, name):
    return browser.find_element(By.ID, name).text


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


def test_cells_k_labels_and_facts_colour_the_map_and_say_what_moved(page, finished):
    manifest = pd.read_csv(finished.folder / "results" / "small" / "manifest.csv")
    assert "60 images in 4 cells" in text(page, "status")
    assert sum(legend(page).values()) == 60
    Select(page.find_element(By.ID, "k")).select_by_visible_text("5")
    assert len(legend(page)) == 5
    # Two of the three groups of before have an heir each, so at least the smallest two of the five have moved.
    moved = int(text(page, "moved").split()[0])
    assert sum(sorted(legend(page).values())[:2]) <= moved < 60
    assert "of 60 images moved, against plain, 2 components, k = 3" in text(page, "moved")
    Select(page.find_element(By.ID, "colour")).select_by_visible_text("label")
    assert legend(page) == manifest["label"].value_counts().to_dict()
    titles = [option.text for option in Select(page.find_element(By.ID, "colour")).options]
    assert {"consensus group", "agreement with the consensus", "brightness", "bytes"} <= set(titles)
    Select(page.find_element(By.ID, "colour")).select_by_visible_text("brightness")
    assert sum(legend(page).values()) == 60


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
    WebDriverWait(page, 60).until(lambda its: text(its, "found-title") == f"Look like {file.name}")
    assert text(page, "path").startswith(f"gravel/{file.name}")


def test_a_group_is_judged_by_key_and_its_images_are_chosen_but_the_wrong_ones(page):
    press(page, "p", "y", "n")
    name = text(page, "judged-title").removeprefix("Does it belong to ").removesuffix("?")
    size = legend(page)[name]
    assert text(page, "judged-so-far").startswith(
        f"1 of 2 belong, so with 95 % confidence 1 to {size - 1} of all {size}"
    )
    page.find_element(By.ID, "accept").click()
    assert text(page, "count") == f"{size - 1} images chosen"
    press(page, "j")
    assert text(page, "status") == "Every image of a group has a label."


def test_picks_by_key_come_back_as_a_subset_as_labels_and_as_files_left_out(page, project, downloads):
    page.find_element(By.ID, "map").click()
    press(page, ARROW_RIGHT, " ", "n", "odd", ENTER)
    first = text(page, "path").split(", labelled")[0]
    press(page, ARROW_RIGHT, " ", "l", "shiny, new", ENTER)
    second = text(page, "path").split(", labelled")[0]
    press(page, ARROW_RIGHT, " ", "x")
    third = text(page, "path").split(", labelled")[0]
    assert len({first, second, third}) == 3
    page.refresh()  # kept in the browser
    WebDriverWait(page, 120).until(lambda its: "set aside: 1" in text(its, "picked"))
    assert "odd: 1" in text(page, "picked")

    page.find_element(By.ID, "export").click()
    exported = downloads / "small_factorial_picked.csv"
    WebDriverWait(page, 60).until(lambda _: exported.is_file() and not list(downloads.glob("*.crdownload")))
    with open(exported, newline="") as stream:
        rows = {row["path"]: row for row in csv.DictReader(stream)}
    said = {path: (row["label"], row["selection"], row["set_aside"]) for path, row in rows.items()}
    assert said == {first: ("", "odd", ""), second: ("shiny, new", "", ""), third: ("", "", "yes")}

    (project.folder / "picked.csv").write_bytes(exported.read_bytes())
    intake = (
        "intake: {exclude_file: picked.csv, labels: {corrections: picked.csv}}\nsubsets: {odd: {file: picked.csv}}\n"
    )
    project.edit("config/config.yaml", "\nbackbones:", f"\n{intake}\nbackbones:")
    project.edit("config/config.yaml", "\nstudies:\n", "\nstudies:\n  inside: {vary: {subset: [odd]}}\n")
    results = project.folder / "results" / "small"
    project.run("results/small/rejected.csv", "results/small/subsets/odd.csv")
    rejected = pd.read_csv(results / "rejected.csv")
    assert rejected[["path", "reason"]].to_numpy().tolist() == [[third, "set aside by hand"]]
    labels = pd.read_csv(results / "manifest.csv").set_index("path")["label"]
    assert third not in labels
    assert labels[second] == "shiny, new"
    assert pd.read_csv(results / "subsets" / "odd.csv")["path"].tolist() == [first]
