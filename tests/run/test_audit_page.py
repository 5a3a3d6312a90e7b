"""The label audit, the labelling and the gallery as a user has them: real crops, pages in a real browser.

Some labels are flipped and some are missing.
"""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browsers import refresh_until

N_FLIPPED, N_MISSING = 6, 4
STUDY = """
  reviewed:
    audit: {shown: 30, neighbours: 5, images: plain}
    gallery: {per_place: 3, twins: 5}
    labelling: {images: plain}
    figures:
      sheet: {kind: contact_sheet}
      pair: {kind: cluster_pair}
      twins: {kind: near_twins}
      classes: {kind: class_by_cluster}
"""


@pytest.fixture(scope="module")
def reviewed(finished, tmp_path_factory):
    """The small study with some of its 60 labels flipped and some missing, and its pages; all right labels and those
    that it has."""
    project = finished.copy(tmp_path_factory.mktemp("reviewed") / "project")
    truth = pd.read_csv(project.folder / "results" / "small" / "manifest.csv").set_index("path")["label"]
    names = np.array(sorted(truth.unique()))
    rng = np.random.default_rng(0)
    chosen = rng.choice(truth.index, N_FLIPPED, replace=False)
    given = truth.drop(rng.choice(truth.index.difference(chosen), N_MISSING, replace=False))
    given[chosen] = [rng.choice(names[names != label]) for label in truth[chosen]]
    given.rename_axis("path").reset_index().to_csv(project.folder / "flipped.csv", index=False)
    project.edit("config/config.yaml", "\nstudies:\n", f"\nstudies:{STUDY}")
    project.edit(
        "config/config.yaml", "\nbackbones:", "\nintake: {labels: {rule: csv, file: flipped.csv}}\n\nbackbones:"
    )
    project.run("study_reviewed")
    return project, truth, given


@pytest.fixture(scope="module")
def results(reviewed):
    return reviewed[0].folder / "results" / "small"


def flipped(truth, given):
    return set(given.index[truth[given.index] != given])


def test_the_flipped_labels_are_the_first_of_the_list(reviewed, results):
    _, truth, given = reviewed
    table = pd.read_csv(results / "audit" / "reviewed.csv").sort_values("rank")
    assert sorted(table["path"]) == sorted(given.index)
    assert len(flipped(truth, given) & set(table["path"].head(2 * N_FLIPPED))) == N_FLIPPED
    wrong = table[table["path"].isin(flipped(truth, given))]
    assert (wrong["suggested"] == truth[wrong["path"]].to_numpy()).mean() > 0.8
    assert wrong["reason"].str.contains("of the nearest images have its label").all()
    assert table["confidence"].is_monotonic_increasing


def open_page(browser, path):
    browser.get(path.as_uri())
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def all_pictures_load(browser):
    sizes = [int(image.get_property("naturalWidth")) for image in browser.find_elements(By.TAG_NAME, "img")]
    return bool(sizes) and min(sizes) > 10


def press(browser, *keys):
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def test_decisions_by_key_come_back_as_corrected_labels(reviewed, results, browser, downloads):
    project, truth, given = reviewed
    open_page(browser, results / "audit" / "reviewed.html")
    wait = WebDriverWait(browser, 120)
    wait.until(all_pictures_load)
    assert "0 of 30 decided" in browser.find_element(By.ID, "counts").text

    names = sorted(given.unique())
    table = pd.read_csv(results / "audit" / "reviewed.csv").sort_values("rank").head(30)
    for image in table.itertuples():
        path = browser.find_element(By.ID, "path").text
        assert path.endswith(image.path)
        right = truth[image.path]
        if right == image.label:
            press(browser, "k")
        elif right == image.suggested:
            press(browser, "r")
        else:  # the class by its number
            press(browser, str(names.index(right) + 1))
    wait.until(all_pictures_load)
    n_flipped = int((truth[table["path"]].to_numpy() != table["label"]).sum())
    assert (
        f"30 of 30 decided: {30 - n_flipped} kept, {n_flipped} relabelled" in browser.find_element(By.ID, "counts").text
    )

    # A decision can be forgotten, left open, and stays when the page is opened again.
    browser.find_element(By.ID, "previous").click()
    press(browser, "\ue010", "\ue003")  # End, Backspace
    assert "29 of 30 decided" in browser.find_element(By.ID, "counts").text
    press(browser, "u")
    assert "1 unsure" in browser.find_element(By.ID, "counts").text
    refresh_until(browser, lambda: "30 of 30 decided" in browser.find_element(By.ID, "counts").text)

    press(browser, "e")
    exported = downloads / "small_reviewed_decisions.csv"
    wait.until(lambda _: exported.is_file() and not list(downloads.glob("*.crdownload")))
    with open(exported, newline="") as stream:
        rows = {row["path"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 30
    last = table["path"].iloc[-1]
    assert rows[last]["decision"] == "unsure"

    (project.folder / "decisions.csv").write_bytes(exported.read_bytes())
    project.edit("config/config.yaml", "file: flipped.csv", "file: flipped.csv, corrections: decisions.csv")
    project.run("results/small/manifest.csv")
    labels = pd.read_csv(results / "manifest.csv").set_index("path")["label"]
    assert (labels[given.index] == truth[given.index]).all()

    # The images without a label are labelled on the page for that, and a run reads both tables.
    missing = pd.read_csv(results / "labelling" / "reviewed.csv")
    assert sorted(missing["path"]) == sorted(truth.index.difference(given.index))
    open_page(browser, results / "labelling" / "reviewed.html")
    wait.until(all_pictures_load)
    for path in missing["path"]:
        assert browser.find_element(By.ID, "path").text.endswith(path)
        press(browser, "l", truth[path], "\ue007")  # Enter
    press(browser, "e")
    exported = downloads / "small_reviewed_labels.csv"
    wait.until(lambda _: exported.is_file() and not list(downloads.glob("*.crdownload")))
    (project.folder / "labels.csv").write_bytes(exported.read_bytes())
    project.edit("config/config.yaml", "corrections: decisions.csv", "corrections: [decisions.csv, labels.csv]")
    project.run("results/small/labelling/reviewed.html", "results/small/audit/reviewed.html")
    labels = pd.read_csv(results / "manifest.csv").set_index("path")["label"]
    assert (labels[truth.index] == truth).all()
    open_page(browser, results / "labelling" / "reviewed.html")
    assert "Every image in a cluster has a label" in browser.find_element(By.ID, "question").text

    # An export of either page has all labels that people gave, also in another browser.
    for page in ("labelling", "audit"):
        open_page(browser, results / page / "reviewed.html")
        browser.execute_script("localStorage.clear()")
        refresh_until(browser, lambda: not browser.execute_script("return Object.keys(deciding.decisions)"))
        again = io.StringIO(browser.execute_script("return deciding.csv()"))
        assert {row["path"]: row["label"] for row in csv.DictReader(again)} == {
            path: truth[path] for path in (*table["path"], *missing["path"])
        }


def test_the_gallery_shows_every_cluster_and_two_side_by_side(results, browser):
    open_page(browser, results / "gallery" / "reviewed.html")
    wait = WebDriverWait(browser, 120)
    wait.until(all_pictures_load)
    headings = [element.text for element in browser.find_elements(By.CSS_SELECTOR, "#main h2")]
    assert len(headings) == 4  # k of the baseline's clusterer
    assert sum(int(text.split(" images")[0].split()[-1]) for text in headings) == 60

    browser.find_element(By.ID, "two").click()
    wait.until(all_pictures_load)
    Select(browser.find_element(By.ID, "side1")).select_by_index(3)
    cards = browser.find_elements(By.CSS_SELECTOR, ".two h2")
    assert [card.text.split()[0] for card in cards] == [headings[0].split()[0], headings[3].split()[0]]

    browser.find_element(By.ID, "classes").click()
    assert len(browser.find_elements(By.CSS_SELECTOR, "tbody tr")) == 4
    browser.find_element(By.ID, "twins").click()
    n_pictures = len(browser.find_elements(By.CSS_SELECTOR, "#main img"))
    assert n_pictures == 2 * len(browser.find_elements(By.CSS_SELECTOR, ".twins section"))
    assert 0 < n_pictures <= 10

    browser.find_element(By.CSS_SELECTOR, ".row button").click()
    assert browser.find_element(By.CSS_SELECTOR, "dialog[open] img").is_displayed()


def test_the_figures_of_clusters_are_there(results):
    for name in ("sheet", "pair", "twins", "classes"):
        assert (results / "figures" / "reviewed" / f"{name}.svg").stat().st_size > 5000
    twins = pd.read_csv(results / "tables" / "reviewed" / "twins.csv")
    assert (twins["name"] != twins["twin_name"]).all()
