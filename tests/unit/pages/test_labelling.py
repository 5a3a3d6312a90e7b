"""Which images to label next: against TypiClust's definition, and against the explorer's order; the page itself."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from sklearn.metrics import pairwise_distances

from tests.browsers import refresh_until
from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.intake.labels import Labelling, corrected
from workflow_scripts.intake.manifest import BY_HAND_COLUMNS
from workflow_scripts.intake.manifest import by_hand as decided_by_hand
from workflow_scripts.pages import explorer
from workflow_scripts.pages.labelling.order import FIRST, LATER, Cluster, asked_table, order_to_label
from workflow_scripts.pages.labelling.page import write_labelling_page
from workflow_scripts.pages.parts.thumbnails import Thumbnails

BACKSPACE, ENTER = "\ue003", "\ue007"
SIZES = (30, 50, 40)
NO_LABELS = pd.DataFrame(columns=list(BY_HAND_COLUMNS), dtype=str)


@pytest.fixture(scope="module")
def clustered():
    """Three clusters of whole numbers, as the explorer has them, and five images of noise."""
    rng = np.random.default_rng(0)
    partition = np.repeat([0, 1, 2, -1], [*SIZES, 5])
    points = np.rint(rng.normal(size=(len(partition), 4)) * 10 + 40 * partition[:, None]).clip(-127, 127)
    return points, partition


def asked(points, partition, labelled=(), count=500):
    known = np.isin(np.arange(len(points)), labelled)
    return order_to_label(points, partition, known, count)


def test_the_first_are_the_most_typical_of_each_cluster_the_largest_first(clustered):
    points, partition = clustered
    expected = []
    for cluster in (1, 2, 0):
        rows = np.flatnonzero(partition == cluster)
        nearest = np.sort(pairwise_distances(points[rows]), axis=1)[:, 1:21]  # an image is not its own neighbour
        expected.append((rows[nearest.mean(axis=1).argmin()], cluster, FIRST))
    assert list(asked(points, partition, count=3).itertuples(index=False, name=None)) == expected


def test_clusters_with_labels_wait_and_their_next_image_is_typical_and_far_from_the_labelled_ones(clustered):
    points, partition = clustered
    labelled = np.flatnonzero(partition == 1)[:2]
    table = asked(points, partition, labelled)
    assert table["cluster"][:4].tolist() == [2, 0, 2, 0]
    first = table[table["cluster"] == 1].iloc[0]
    rows = np.flatnonzero(partition == 1)
    distances = pairwise_distances(points[rows])
    worth = distances[:, :2].min(axis=1) / np.sort(distances, axis=1)[:, 1:21].mean(axis=1)
    worth[:2] = -1
    assert (first["row"], first["reason"]) == (rows[worth.argmax()], LATER)


def test_after_many_labels_the_order_is_that_of_a_labelling_from_the_start(clustered, monkeypatch):
    """Images that have labels take no step each, which would take hours for a large cluster with many labels."""
    points, partition = clustered
    points = points + np.random.default_rng(1).normal(size=points.shape)
    before = asked(points, partition, count=60)["row"].to_numpy()
    n_steps, label = [], Cluster.label
    monkeypatch.setattr(Cluster, "label", lambda cluster, place: n_steps.append(place) or label(cluster, place))
    rows = asked(points, partition, before)["row"].tolist()
    assert len(n_steps) == len(rows) == sum(SIZES) - len(before)
    monkeypatch.undo()
    assert rows == asked(points, partition)["row"].tolist()[len(before) :]


def test_every_image_without_a_label_comes_once_and_noise_never(clustered):
    points, partition = clustered
    labelled = [3, 40, 41, 124]
    rows = asked(points, partition, labelled)["row"].tolist()
    assert sorted([*rows, *labelled[:3]]) == np.flatnonzero(partition >= 0).tolist()
    assert asked(points, np.full(len(points), -1)).empty
    assert asked(points[:3], np.array([0, 0, 1]))["row"].tolist() == [0, 2, 1]  # also copies, and an image alone


def test_the_order_is_that_of_the_explorer(clustered, browser):
    points, partition = clustered
    labelled = [3, 40, 41]
    script = Path(explorer.__file__).with_name("labelling.js").read_text()
    ask = """const [d, values, codes, labelled] = arguments;
        return labelNext({d, values}, codes, row => labelled.includes(row), 500)"""
    browser.get("about:blank")
    rows = browser.execute_script(
        script + ask, 4, points.astype(int).ravel().tolist(), (partition + 1).tolist(), labelled
    )
    assert asked(points, partition, labelled)["row"].tolist() == rows


def test_the_table_names_the_images_and_clusters_by_rank():
    images = pd.DataFrame({"image_id": ["i", "j", "k"], "path": ["i.png", "j.png", "k.png"], "label": "x"})
    order = pd.DataFrame({"row": [2, 0], "cluster": [1, 0], "reason": [FIRST, LATER]})
    table = asked_table(images, order, {0: "zero", 1: "one"})
    assert table.columns.tolist() == ["rank", "image_id", "path", "cluster", "reason"]
    assert table.to_numpy().tolist() == [[1, "k", "k.png", "one", FIRST], [2, "i", "i.png", "zero", LATER]]
    assert asked_table(images, order[:0], {}).columns.tolist() == table.columns.tolist()


@pytest.fixture
def page(clustered, tmp_path, browser):
    """The page of 50 images, of which two have the label steel; opened, and nothing labelled on it."""
    points, partition = clustered
    labels = np.full(len(points), None, dtype=object)
    labels[[30, 31]] = "steel"
    ids = [f"id{row}" for row in range(len(points))]
    images = pd.DataFrame({"image_id": ids, "path": [f"a, b/{row}.png" for row in range(len(points))], "label": labels})
    thumbnails = Thumbnails(
        np.zeros((len(points), 20, 20), dtype=np.uint8), {name: row for row, name in enumerate(ids)}
    )
    table = order_to_label(points, partition, images["label"].notna().to_numpy(), 50)
    names = {0: "0", 1: "<b>1</b>", 2: "2", -1: "noise"}
    path = tmp_path / "labelling.html"
    facts = {"dataset": "d", "study": str(tmp_path)}  # a store of its own
    write_labelling_page(str(path), table, images, points, partition, names, NO_LABELS, thumbnails, facts)
    browser.get(path.as_uri())
    return browser, table, images


def press(browser, *keys):
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def text(browser, name):
    return browser.find_element(By.ID, name).text


def test_labels_by_key_are_a_table_that_the_grid_reads(page, tmp_path):
    browser, table, images = page
    paths = images["path"][table["row"]].tolist()
    assert "0 of 50 labelled" in text(browser, "counts")
    press(browser, "l", "rust, red", ENTER)  # a new label, with a comma
    press(browser, "1")  # steel, which two images have
    press(browser, "2")  # the new one again
    press(browser, "u")
    press(browser, "2", BACKSPACE, "p", BACKSPACE)  # Backspace on the next image, which has none, then on this one
    assert "3 of 50 labelled, 1 skipped; 2 of all 125 images had a label before" in text(browser, "counts")
    first_undecided = f"5 of 50: {paths[4]}"
    refresh_until(browser, lambda: text(browser, "path") == first_undecided)
    browser.execute_script("document.getElementById('previous').focus()")
    press(browser, " ")  # presses the button that has the focus, as everywhere
    assert text(browser, "path") == f"4 of 50: {paths[3]}"
    exported = tmp_path / "labels.csv"
    exported.write_text(browser.execute_script("return deciding.csv()"))
    with open(exported, newline="") as stream:
        rows = [(row["path"], row["label"], row["decision"]) for row in csv.DictReader(stream)]
    given = [("rust, red", "labelled"), ("steel", "labelled"), ("rust, red", "labelled")]
    removed = [(paths[4], "", "removed")]  # Backspace on an image without a decision is none
    assert rows == [*((path, *decision) for path, decision in zip(paths, given, strict=False)), *removed]
    known = dict(zip(images["path"], images["image_id"], strict=True))
    assert read_label_table(exported, known).labels == {
        **dict(zip(paths, [label for label, _ in given], strict=False)),
        paths[4]: "",
    }


@pytest.mark.parametrize("same_browser", [True, False])
def test_an_export_that_replaces_the_one_before_loses_no_label(clustered, tmp_path, browser, same_browser):
    """Three sessions of the same page: two labels each, and the run between them reads the only export."""
    points, partition = clustered
    paths = {f"{row}.png": f"id{row}" for row in range(len(points))}
    stack = Thumbnails(
        np.zeros((len(points), 9, 9), dtype=np.uint8), {each: row for row, each in enumerate(paths.values())}
    )
    exported, by_hand, given = tmp_path / "d_s_labels.csv", NO_LABELS, {}
    nothing = Labelling(dict.fromkeys(paths, ""), "none", "")
    for session in range(3):
        labels = corrected(nothing, paths, [str(exported)] if session else []).labels
        images = pd.DataFrame({"image_id": paths.values(), "path": [*paths], "label": labels.values()}).replace(
            "", None
        )
        table = order_to_label(points, partition, images["label"].notna().to_numpy(), 20)
        page = tmp_path / f"labelling {session}.html"
        names = {each: str(each) for each in range(-1, 3)}
        facts = {"dataset": "d", "study": str(tmp_path if same_browser else page)}
        write_labelling_page(str(page), table, images, points, partition, names, by_hand, stack, facts)
        browser.get(page.as_uri())
        for path in images["path"][table["row"][:2]]:
            given[path] = f"class {len(given)}"
            press(browser, "l", given[path], ENTER)
        exported.write_text(browser.execute_script("return deciding.csv()"))
        read = corrected(nothing, paths, [str(exported)])
        by_hand = decided_by_hand(read.by_hand, {}, paths)
    assert len(given) == 6
    assert {path: label for path, label in read.labels.items() if label} == given


def test_the_page_says_what_is_known_of_the_cluster(page):
    browser, table, _ = page
    place = table.index[table["cluster"] == 1][0]
    browser.find_elements(By.CSS_SELECTOR, "#list li")[place].click()
    assert text(browser, "cluster") == "Cluster <b>1</b>: 50 images"
    assert text(browser, "labels") == "steel 2"
    assert LATER in text(browser, "question")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#near img")) == 8
    press(browser, "l", "rust", ENTER)
    browser.find_elements(By.CSS_SELECTOR, "#list li")[place].click()
    assert text(browser, "labels") == "steel 2, rust 1"
    assert text(browser, "question") == "Labelled rust"


def test_clusters_of_one_name_are_kept_apart(clustered, tmp_path, browser):
    """All clusters without a label are called ?; what is labelled in one is not known of the other."""
    points, partition = clustered
    ids = [f"id{row}" for row in range(len(points))]
    images = pd.DataFrame({"image_id": ids, "path": ids, "label": pd.Series([None] * len(ids), dtype=object)})
    stack = Thumbnails(np.zeros((len(ids), 9, 9), dtype=np.uint8), {name: row for row, name in enumerate(ids)})
    names = dict.fromkeys(range(-1, 3), "?")
    facts = {"dataset": "d", "study": str(tmp_path)}
    table = asked(points, partition, count=3)
    write_labelling_page(str(tmp_path / "p.html"), table, images, points, partition, names, NO_LABELS, stack, facts)
    browser.get((tmp_path / "p.html").as_uri())
    for cluster in table["cluster"]:
        assert (text(browser, "cluster"), text(browser, "labels")) == (
            f"Cluster ?: {SIZES[cluster]} images",
            "no labels yet",
        )
        press(browser, "l", "rust", ENTER)


def test_a_label_of_250_characters_widens_nothing(page):
    browser, _, _ = page
    press(browser, "l", "l" * 250, ENTER, "p")
    wider = "return ['main', 'aside', '#list', 'header'].filter(name => { const part = document.querySelector(name);"
    assert not browser.execute_script(wider + " return part.scrollWidth > part.clientWidth; })")


def test_a_page_without_images_says_so(clustered, tmp_path, browser):
    points, partition = clustered
    images = pd.DataFrame({"image_id": ["a"], "path": ["a.png"], "label": ["steel"]})
    stack = Thumbnails(np.zeros((1, 9, 9), dtype=np.uint8), {"a": 0})
    none = asked(points, partition, count=0)
    facts = {"dataset": "d", "study": "s"}
    shown = points[:1], partition[:1], {0: "0"}, NO_LABELS, stack, facts
    write_labelling_page(str(tmp_path / "p.html"), none, images, *shown)
    browser.get((tmp_path / "p.html").as_uri())
    assert text(browser, "question") == "Every image in a cluster has a label."
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
