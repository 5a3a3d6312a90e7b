"""The label audit: its probabilities against scikit-learn, confident learning against its definition and cleanlab."""

import csv
import io
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from workflow_scripts.errors import UserError
from workflow_scripts.pages.audit.confident import count_errors
from workflow_scripts.pages.audit.evidence import cluster_shares, neighbour_shares, votes_against
from workflow_scripts.pages.audit.ranking import rank
from workflow_scripts.pages.audit.sheet import write_sheet
from workflow_scripts.pages.parts.thumbnails import Thumbnails


def blobs(n_classes=3, per_class=40, spread=0.3, seed=0):
    """Points of well separated classes, and their classes as integers."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_classes), per_class)
    return np.eye(n_classes)[codes] * 3 + rng.normal(0, spread, (len(codes), n_classes)), codes


def test_neighbour_shares_are_those_of_a_classifier_that_leaves_one_out():
    points, codes = blobs(spread=1.5)
    classifier = KNeighborsClassifier(7)
    expected = cross_val_predict(classifier, points, codes, cv=LeaveOneOut(), method="predict_proba")
    np.testing.assert_allclose(neighbour_shares(points, codes, 3, 7, np.arange(len(codes))), expected)


def test_the_own_group_has_no_vote():
    points, codes = blobs(spread=1.5)
    groups = np.random.default_rng(1).integers(0, 20, len(codes))
    shares = neighbour_shares(points, codes, 3, 7, groups)
    expected = cross_val_predict(
        KNeighborsClassifier(7), points, codes, cv=LeaveOneGroupOut(), groups=groups, method="predict_proba"
    )
    np.testing.assert_allclose(shares, expected)
    partition = np.random.default_rng(2).integers(-1, 4, len(codes))
    for row, found in enumerate(cluster_shares(partition, codes, 3, groups)):
        others = codes[(partition == partition[row]) & (groups != groups[row])]
        shares = np.bincount(others, minlength=3) / len(others)
        np.testing.assert_allclose(found, shares if partition[row] >= 0 else np.full(3, np.nan))


def test_a_large_group_takes_little_memory():
    rng = np.random.default_rng(0)
    groups = np.concatenate([np.zeros(1000, int), np.arange(1, 1001)])
    tracemalloc.start()
    neighbour_shares(rng.normal(size=(2000, 5)), rng.integers(0, 50, 2000), 50, 10, groups)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # 1024 x 1010 neighbours x 50 classes would take 414 MB


def test_an_image_is_no_neighbour_of_its_own_also_among_copies():
    points, codes = np.zeros((4, 2)), np.array([0, 1, 1, 1])
    assert neighbour_shares(points, codes, 2, 3, np.arange(4))[0].tolist() == [0, 1]
    assert neighbour_shares(points, codes, 2, 99, np.arange(4))[1].tolist() == pytest.approx(
        [1 / 3, 2 / 3]
    )  # all there are


def test_cluster_shares_count_the_others_only():
    partition, codes = np.array([0, 0, 0, 0, 2, -1, -1]), np.array([0, 0, 0, 1, 1, 0, 0])
    shares = cluster_shares(partition, codes, 2, np.arange(7))
    np.testing.assert_allclose(shares[0], [2 / 3, 1 / 3])
    np.testing.assert_allclose(shares[3], [1, 0])
    assert np.isnan(shares[4:]).all()  # alone in its cluster, and noise
    assert votes_against(shares, codes).tolist() == [False, False, False, True, False, False, False]


def confident_joint(probability, codes):
    """Northcutt, Jiang & Chuang 2021, equations 1 and 2, image by image."""
    n_classes = probability.shape[1]
    thresholds = [probability[codes == c, c].mean() for c in range(n_classes)]
    joint = np.zeros((n_classes, n_classes), dtype=int)
    for shares, label in zip(probability, codes, strict=True):
        able = [c for c in range(n_classes) if shares[c] >= thresholds[c] - 1e-6]
        if able and shares.max() > shares[label] + 1e-6:
            joint[label, max(able, key=lambda c: shares[c])] += 1
    return joint


@pytest.mark.parametrize("seed", range(20))
def test_errors_are_counted_as_the_confident_joint_counts_them(seed):
    rng = np.random.default_rng(seed)
    n_classes = rng.integers(2, 6)
    codes = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 100)])
    probability = rng.dirichlet(np.full(n_classes, 0.3), len(codes)) + np.eye(n_classes)[codes] * rng.choice([0, 1])
    probability /= probability.sum(axis=1, keepdims=True)
    joint = confident_joint(probability, codes)
    assert count_errors(probability, codes) == joint.sum() - joint.trace()


def test_errors_are_counted_as_cleanlab_does():
    # cleanlab 2.9.0: num_label_issues(codes, probability) of these arrays, in an environment of its own.
    rng = np.random.default_rng(42)
    codes = np.concatenate([np.arange(4), rng.integers(0, 4, 496)])
    probability = rng.dirichlet(np.full(4, 0.3), 500) + 0.5 * np.eye(4)[codes]
    probability /= probability.sum(axis=1, keepdims=True)
    assert count_errors(probability, codes) == 157


def ranked(points, codes, given, neighbours=10):
    partitions = np.stack([codes, codes])  # a clusterer that sees the truth
    names = np.array(["a", "b", "c"], dtype=object)
    return rank(points, partitions, names[given], neighbours)


def test_flipped_labels_come_first_with_their_class_as_suggestion():
    points, codes = blobs()
    given = codes.copy()
    given[[3, 50, 100]] = [1, 2, 0]
    table = ranked(points, codes, given)
    assert sorted(table["row"][:3]) == [3, 50, 100]
    assert table["suspect"].sum() == 3
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    first = table.set_index("row").loc[3]
    assert (first["label"], first["suggested"], first["cluster"]) == ("b", "a", "a")
    assert first["crosses_boundary"]
    assert first["repeats_against"] == 1
    assert first["neighbour_share"] == 0
    assert first["confidence"] == (first["neighbour_share"] + first["cluster_share"]) / 2
    assert "100% are a" in first["reason"]


def test_images_of_classes_too_small_to_judge_come_last_and_are_never_suspect():
    points, codes = blobs()
    labels = np.array(["a", "b", "c"], dtype=object)[codes]
    labels[[3, 50]], labels[60] = ["rare", "rare"], "a"
    table = rank(points, codes[None], labels, 10)
    assert table.loc[table["suspect"], "row"].tolist() == [60]
    last = table.tail(2)
    assert set(last["row"]) == {3, 50}
    assert last[["suggested", "confidence"]].isna().all(axis=None)
    assert set(last["reason"]) == {"too few to judge: 1 other images have its label"}


def test_a_class_of_one_group_cannot_be_judged():
    points, codes = blobs()
    labels = np.array(["a", "b", "c"], dtype=object)[codes]
    groups = np.arange(len(codes)).astype(str)
    groups[codes == 2] = "one video"
    table = rank(points, codes[None], labels, 10, groups)
    assert set(table.loc[table["confidence"].isna(), "label"]) == {"c"}
    with pytest.raises(UserError, match="one group of all labelled images"):
        rank(points, codes[None], labels, 10, np.full(len(codes), "x"))
    with pytest.raises(UserError, match="found 200, allowed: at most 78"):
        rank(points, codes[None], labels, 200)


def test_without_a_wrong_label_nothing_is_suspect():
    points, codes = blobs()
    assert not ranked(points, codes, codes)["suspect"].any()


def test_stability_is_the_share_of_the_repeats_that_contradict():
    points, codes = blobs()
    given = codes.copy()
    given[0] = 1
    swapped = np.where(np.arange(len(codes)) == 0, 1, codes)  # this repeat has it where its label is
    names = np.array(["a", "b", "c"], dtype=object)
    table = rank(points, np.stack([codes, swapped, codes, swapped]), names[given], 10).set_index("row")
    assert table.loc[0, "repeats_against"] == 0.5
    assert table.loc[0, "cluster_share"] == pytest.approx((0 + 1 + 0 + 1) / 4, abs=0.03)


def test_many_repeats_take_the_memory_of_one():
    rng = np.random.default_rng(0)
    n, n_classes, peaks = 2000, 60, []
    points, labels = rng.normal(size=(n, 3)), np.array([f"c{code}" for code in rng.integers(0, n_classes, n)])
    partitions = rng.integers(0, 20, (40, n))
    for repeats in (1, 40):
        tracemalloc.start()
        rank(points, partitions[:repeats], labels, 5)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 3 * n * n_classes * 8


def test_images_without_a_label_and_noise():
    points, codes = blobs()
    labels = np.array(["a", "b", "c"], dtype=object)[codes]
    labels[5] = ""
    noisy = codes.copy()
    noisy[7] = -1
    table = rank(points, noisy[None], labels, 10).set_index("row")
    assert 5 not in table.index
    assert pd.isna(table.loc[7, "cluster_share"])
    assert table.loc[7, "confidence"] == table.loc[7, "neighbour_share"]
    assert (table.loc[7, "cluster"], table.loc[7, "crosses_boundary"]) == ("noise", False)
    assert "in no cluster" in table.loc[7, "reason"]


def test_one_class_alone_is_refused_in_one_line():
    points, codes = blobs()
    with pytest.raises(
        UserError, match="found 1 class among the labels, allowed: two or more; with fewer, take the page labelling"
    ):
        rank(points, codes[None], np.full(len(codes), "a", dtype=object), 10)


def test_the_page_by_keys_alone_and_what_was_decided_before(tmp_path, browser):
    points, codes = blobs()
    given = codes.copy()
    given[[3, 50, 100]] = [1, 2, 0]
    table = ranked(points, codes, given)
    table = table.assign(image_id=table["row"].map("id{}".format), path=table["row"].map("{}.png".format))
    first, second = table.head(2).to_dict("records")
    before = pd.DataFrame(
        {
            "path": [first["path"], "gone.png"],
            "label": [first["label"], "c"],
            "set_aside": "",
            "decision": "before",
            "decided": ["2026-11-29T20:00:00.000Z", ""],
            "image_id": [first["image_id"], ""],
        }
    )
    stack = Thumbnails(
        np.zeros((len(points), 9, 9), dtype=np.uint8), dict(zip(table["image_id"], table["row"], strict=True))
    )
    facts = {"dataset": "d", "study": "s", "neighbours": 10, "repeats": 2}
    write_sheet(str(tmp_path / "audit.html"), table, 20, points, before, stack, facts)
    browser.get((tmp_path / "audit.html").as_uri())

    def shown(name):
        return browser.find_element("id", name).text

    assert "1 of 20 decided: 1 kept" in shown("counts")
    assert shown("path").endswith(second["path"])  # the first image was decided before
    browser.execute_script("document.getElementById('classes').focus()")
    for key, decided in (("\ue015", 1), ("\ue015", 1), ("\ue007", 2)):  # arrows go through the classes, Enter takes one
        ActionChains(browser).send_keys(key).perform()
        assert f"{decided} of 20 decided" in shown("counts")
    exported = csv.DictReader(io.StringIO(browser.execute_script("return deciding.csv()")))
    rows = {row["path"]: (row["label"], row["decision"]) for row in exported}
    decision = "relabel" if second["label"] != "b" else "keep"
    assert rows == {
        first["path"]: (first["label"], "keep"),
        second["path"]: ("b", decision),
        "gone.png": ("c", "before"),
    }
