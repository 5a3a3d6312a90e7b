"""A folder that grows: the order of its images, alarms, who is shown, and groups among them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from workflow_scripts.models.batch_tests import novelty_p_value, shift_p_value
from workflow_scripts.models.monitoring import (
    CHARTS,
    control_chart,
    facts_of_known,
    groups_of_features,
    in_batches,
    in_order,
    known_images,
    neighbours_alike,
    new_images,
    to_look_at,
    ungrouped,
)
from workflow_scripts.models.saved import SavedModel

SIZE, RATE = 10, 0.01


def _images(n, seed, **shifted):
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=n) + shifted.get(name, 0) for name in CHARTS}
    return pd.DataFrame({"path": [f"{seed}_{i}.png" for i in range(n)], "outlier": False, **values})


def _chart(images, known, size, rate):
    return control_chart(in_batches(images, size), known, size, rate)


KNOWN = _images(150, 0)


def test_names_are_in_the_order_of_their_numbers_and_times_in_theirs(tmp_path):
    images = pd.DataFrame({"path": ["b_10.png", "b_9.png", "a/100.png"], "taken": ""})
    assert in_order(images, tmp_path, "name")["path"].tolist() == ["a/100.png", "b_9.png", "b_10.png"]
    (tmp_path / "a").mkdir()
    for time, path in enumerate(images["path"]):
        (tmp_path / path).touch()
        os.utime(tmp_path / path, (time, time))
    assert in_order(images, tmp_path, "time")["path"].tolist() == images["path"].tolist()
    stated = images.assign(taken=["2026-03-01T10:00:00", "2026-02-01", "2026-03-01T09:00:00"])
    assert in_order(stated, tmp_path, "time")["path"].tolist() == ["b_9.png", "a/100.png", "b_10.png"]


def test_digits_that_are_no_number_are_read_as_letters(tmp_path):
    images = pd.DataFrame({"path": ["5²3.png", "5²10.png", "5.png"], "taken": ""})
    assert in_order(images, tmp_path, "name")["path"].tolist() == ["5.png", "5²3.png", "5²10.png"]


def test_each_full_batch_is_tested_in_each_chart():
    images = pd.concat([_images(10, 1), _images(10, 2, novelty=3), _images(10, 3, brightness=-3), _images(4, 4)])
    chart = _chart(images.reset_index(drop=True), KNOWN, SIZE, RATE)
    assert chart["alarms"].tolist() == ["", "novelty", "brightness"]
    assert chart[["batch", "images", "first", "last"]].values.tolist()[1] == [2, 10, "2_0.png", "2_9.png"]
    batch = images.iloc[20:30]
    assert chart["novelty_p"][2] == novelty_p_value(KNOWN["novelty"].to_numpy(), batch["novelty"].to_numpy())
    assert chart["sharpness_p"][2] == shift_p_value(KNOWN["sharpness"].to_numpy(), batch["sharpness"].to_numpy())
    assert chart["brightness"][2] == pytest.approx(batch["brightness"].median())
    assert chart["brightness_known"][2] == pytest.approx(KNOWN["brightness"].median())


def _in_sheets(n_sheets, per_sheet, seed, spread):
    """Images of sheets that look alike: each sheet adds a number of its own to all charts."""
    images = _images(n_sheets * per_sheet, seed)
    sheets = np.random.default_rng(seed + 1000).normal(scale=spread, size=(n_sheets, len(CHARTS)))
    images[list(CHARTS)] += sheets.repeat(per_sheet, axis=0)
    return images.assign(group=np.repeat([f"{seed}_{i}" for i in range(n_sheets)], per_sheet))


def test_sheets_that_look_alike_raise_no_more_alarms_than_stated_if_they_are_groups():
    alarms = {"groups": 0, "images": 0}
    for seed in range(60):
        known, new = _in_sheets(30, 3, 2 * seed, 2), _in_sheets(4, 3, 2 * seed + 1, 2)
        alarms["groups"] += _chart(new, known, 12, RATE)["alarms"].str.contains("brightness").sum()
        ungrouped = (images.drop(columns="group") for images in (new, known))
        alarms["images"] += _chart(*ungrouped, 12, RATE)["alarms"].str.contains("brightness").sum()
    assert alarms["groups"] <= binom.ppf(0.9999, 60, RATE)
    assert alarms["images"] > 6


def test_a_batch_ends_with_a_group_whose_images_come_together():
    images = _images(9, 1).assign(group=list("aabbacccd"))
    batches = in_batches(images, 4)
    assert batches["path"].tolist() == [f"1_{i}.png" for i in (0, 1, 4, 2, 3, 5, 6, 7, 8)]
    assert batches["batch"].tolist() == [1, 1, 1, 1, 1, 2, 2, 2, 2]
    chart = _chart(images.iloc[:8], KNOWN.assign(group=KNOWN["path"]), 4, RATE)
    assert chart[["images", "groups"]].values.tolist() == [[5, 2]]
    assert in_batches(images.drop(columns="group"), 4)["batch"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_a_batch_of_groups_is_tested_by_their_means():
    known, new = _in_sheets(40, 5, 0, 1), _in_sheets(4, 5, 1, 1)
    chart = _chart(new, known, 20, RATE)
    assert chart["groups"].tolist() == [4]
    means = [[images["novelty"][i : i + 5].mean() for i in range(0, len(images), 5)] for images in (known, new)]
    assert chart["novelty_p"][0] == pytest.approx(novelty_p_value(*map(np.array, means)))
    assert _chart(_images(10, 1), KNOWN, SIZE, RATE)["groups"].isna().all()


def test_the_mean_of_a_group_is_that_of_no_more_images_than_known_groups_have():
    known, new = _in_sheets(40, 5, 0, 1), _in_sheets(4, 20, 1, 1)
    means = [known["novelty"].to_numpy().reshape(-1, 5).mean(axis=1)]
    means.append(new["novelty"].to_numpy().reshape(-1, 20)[:, ::4].mean(axis=1))
    assert _chart(new, known, 80, RATE)["novelty_p"][0] == pytest.approx(novelty_p_value(*means))


def test_tiles_of_a_file_are_one_group_and_batches_count_files():
    """`b` was taken before `a`; each tile has the brightness of its file."""
    tiles = pd.DataFrame(
        {
            "image_id": [f"id{file}-1-{x}-0-8-8" for file in "abc" for x in (0, 8, 16)],
            "path": [f"{file}.tif#xywh={x},0,8,8" for file in "abc" for x in (0, 8, 16)],
            "parent": [f"{file}.tif" for file in "abc" for _ in range(3)],
            "novelty": [str(number) for number in range(9)],
            "outlier": "False",
        }
    )
    quality = pd.DataFrame({"path": ["a.tif", "b.tif", "c.tif"], "brightness": ["1", "2", "3"], "sharpness": "1"})
    files = pd.DataFrame({"taken": [time for time in ("2", "1", "3") for _ in range(3)]})
    images = in_order(new_images(tiles, files, quality, {"rule": "file"}), Path(), "time")
    assert images["group"].tolist() == images["parent"].tolist() == [f"{file}.tif" for file in "bac" for _ in range(3)]
    assert images["brightness"].tolist() == [2] * 3 + [1] * 3 + [3] * 3
    known = KNOWN.assign(group=KNOWN["path"])
    chart = control_chart(in_batches(images, 2), known, 2, RATE)
    assert chart[["images", "first", "last", "groups"]].values.tolist() == [[6, "b.tif", "a.tif", 2]]
    thirds = np.array([3.0, 0.0])  # the first tile of each file, since known groups have one image
    assert chart["novelty_p"][0] == pytest.approx(novelty_p_value(KNOWN["novelty"].to_numpy(), thirds))
    assert not ungrouped(images, {"rule": "file"})


def _new(rule, *paths):
    quality = pd.DataFrame({"path": paths, "brightness": "0.1", "sharpness": "1"})
    ids = [f"id{number}" for number in range(len(paths))]
    predictions = pd.DataFrame({"image_id": ids, "path": paths, "novelty": "1.5", "outlier": "False"})
    return new_images(predictions, pd.DataFrame({"taken": [""] * len(paths)}), quality, rule)


def test_new_images_get_their_groups_by_the_rule_of_the_data_set():
    rule = {"rule": "folder", "level": 0}
    images = _new(rule, "s1/a.png", "s1/b.png", "c.png")
    assert images["group"].tolist() == ["s1", "s1", "c.png"]
    assert not ungrouped(images, rule)


@pytest.mark.parametrize(
    "rule", [{"rule": "folder"}, {"rule": "regex", "pattern": "coil_(.)"}, {"rule": "csv", "file": "table.csv"}]
)
@pytest.mark.parametrize("header", ["path,group", "file,group"])
def test_new_images_that_a_rule_of_groups_does_not_fit_are_groups_of_their_own(tmp_path, rule, header):
    (tmp_path / "table.csv").write_text(f"{header}\nold_1.png,A\nold_2.png,B\n")
    rule = {**rule, "file": str(tmp_path / "table.csv")}
    images = _new(rule, "1.png", "2.png")
    assert images["group"].tolist() == ["1.png", "2.png"]
    assert ungrouped(images, rule)
    assert not ungrouped(_new({"rule": "file"}, "1.png", "2.png"), {"rule": "file"})


def test_a_table_of_groups_names_new_images_by_their_contents_and_never_two_by_one_name(tmp_path):
    (tmp_path / "table.csv").write_text("image_id,group\n001.png,A\nid2,B\n")
    images = _new({"rule": "csv", "file": str(tmp_path / "table.csv")}, "x/001.png", "y/001.png", "z.png")
    assert images["group"].tolist() == ["x/001.png", "y/001.png", "B"]


def test_neighbours_that_look_alike_are_noticed_within_their_classes_only():
    random = np.random.default_rng(0)
    known = _images(120, 0).assign(label=np.repeat(["a", "b"], 60))
    known["brightness"] += 5 * (known["label"] == "b")  # classes differ, their neighbours do not
    known["sharpness"] = np.tile(np.linspace(0, 3, 60), 2) + random.normal(scale=0.3, size=120)
    for rows in (np.arange(120), random.permutation(120)):
        assert neighbours_alike(known.iloc[rows]).keys() == {"sharpness"}
    assert neighbours_alike(known)["sharpness"] > 0.5
    alone = known.assign(label=known["path"])
    assert neighbours_alike(alone) == {}
    assert facts_of_known(known)["alike"].keys() == {"sharpness"}
    assert facts_of_known(known.assign(group=known["path"])) == {
        "n_known": 120, "n_groups": 120, "alike": neighbours_alike(known),
    }  # fmt: skip
    in_thirds = facts_of_known(known.assign(group=np.arange(120) // 40))
    assert (in_thirds["n_groups"], in_thirds["alike"]) == (3, {})


def test_no_batch_is_full():
    chart = _chart(_images(9, 1), KNOWN, SIZE, RATE)
    assert chart.empty
    assert to_look_at(in_batches(_images(9, 1), SIZE), KNOWN, chart).empty


def test_outliers_and_the_newest_of_a_batch_with_an_alarm_are_shown():
    images = pd.concat([_images(10, 1), _images(10, 2, novelty=3), _images(5, 4)], ignore_index=True)
    images.loc[[3, 24], ["outlier", "novelty"]] = [True, 9.0]
    batches = in_batches(images, SIZE)
    shown = to_look_at(batches, KNOWN, control_chart(batches, KNOWN, SIZE, RATE))
    assert shown["path"].tolist()[:2] == ["1_3.png", "4_4.png"]
    assert shown["batch"].tolist()[:2] == [1, 3]
    share = (1 + (KNOWN["novelty"].to_numpy() >= images["novelty"].to_numpy()[:, None]).sum(axis=1)) / 151
    expected = {*images.index[images["outlier"]], *(row for row in range(10, 20) if share[row] <= 0.05)}
    assert {*shown.index} == expected
    assert len(expected) > 6


def test_groups_are_what_the_features_have():
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat([0, 1, 2], [20, 12, 6]))
    features = rng.normal(size=(38, 8)) + 20 * np.eye(3, 8)[truth]
    assert groups_of_features(features).tolist() == truth.tolist()
    assert set(groups_of_features(rng.normal(size=(60, 50)))) == {0}
    assert groups_of_features(features[:1]).tolist() == [0]
    assert groups_of_features(np.ones((6, 2))).tolist() == [0] * 6


def test_known_and_new_images_get_what_intake_measured():
    quality = pd.DataFrame({"path": ["a", "b", "c"], "brightness": ["0.1", "0.2", "0.3"], "sharpness": ["1", "2", "3"]})
    model = SavedModel({"held_out": ["3", "1"], "novelty": {"threshold": 2.0}}, {"held_out": np.float32([4, 1])})
    manifest = pd.DataFrame({"image_id": ["1", "2", "3"], "path": ["a", "b", "c"], "group": ["x", "y", "x"]})
    manifest["label"] = ""
    known = known_images(model, manifest, quality, True)
    assert known["group"].tolist() == ["x", "x"]
    assert "group" not in known_images(model, manifest, quality, False)
    assert known[["path", *CHARTS]].values.tolist() == [["c", 2.0, 0.3, 3.0], ["a", 0.5, 0.1, 1.0]]
    predictions = pd.DataFrame({"image_id": ["2"], "path": ["b"], "novelty": ["1.5"], "outlier": ["True"]})
    (new,) = new_images(predictions, pd.DataFrame({"taken": ["2026"]}), quality, None).to_dict("records")
    assert new == {"image_id": "2", "path": "b", "novelty": 1.5, "outlier": True, "taken": "2026", "brightness": 0.2,
                   "sharpness": 2.0}  # fmt: skip
