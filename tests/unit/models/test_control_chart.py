"""Alarms of batches of images and of groups, and known images that are like their neighbours."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.unit.models.monitored import KNOWN, RATE, SIZE, chart_of, made_images
from workflow_scripts.models.batch_tests import novelty_p_value, shift_p_value
from workflow_scripts.models.batches import in_batches, in_order
from workflow_scripts.models.control_chart import control_chart, facts_of_known, neighbours_alike
from workflow_scripts.models.monitored_images import CHARTS, new_images, ungrouped


def test_each_full_batch_is_tested_in_each_chart():
    images = pd.concat(
        [made_images(10, 1), made_images(10, 2, novelty=3), made_images(10, 3, brightness=-3), made_images(4, 4)]
    )
    chart = chart_of(images.reset_index(drop=True), KNOWN, SIZE, RATE)
    assert chart["alarms"].tolist() == ["", "novelty", "brightness"]
    assert chart[["batch", "images", "first", "last"]].values.tolist()[1] == [2, 10, "2_0.png", "2_9.png"]
    batch = images.iloc[20:30]
    assert chart["novelty_p"][2] == novelty_p_value(KNOWN["novelty"].to_numpy(), batch["novelty"].to_numpy())
    assert chart["sharpness_p"][2] == shift_p_value(KNOWN["sharpness"].to_numpy(), batch["sharpness"].to_numpy())
    assert chart["brightness"][2] == pytest.approx(batch["brightness"].median())
    assert chart["brightness_known"][2] == pytest.approx(KNOWN["brightness"].median())


def _in_sheets(n_sheets, per_sheet, seed, spread):
    """Images of sheets that look alike: each sheet adds a number of its own to all charts."""
    images = made_images(n_sheets * per_sheet, seed)
    sheets = np.random.default_rng(seed + 1000).normal(scale=spread, size=(n_sheets, len(CHARTS)))
    images[list(CHARTS)] += sheets.repeat(per_sheet, axis=0)
    return images.assign(group=np.repeat([f"{seed}_{i}" for i in range(n_sheets)], per_sheet))


def test_sheets_that_look_alike_raise_no_more_alarms_than_stated_if_they_are_groups():
    alarms = {"groups": 0, "images": 0}
    for seed in range(60):
        known, new = _in_sheets(30, 3, 2 * seed, 2), _in_sheets(4, 3, 2 * seed + 1, 2)
        alarms["groups"] += chart_of(new, known, 12, RATE)["alarms"].str.contains("brightness").sum()
        ungrouped = (images.drop(columns="group") for images in (new, known))
        alarms["images"] += chart_of(*ungrouped, 12, RATE)["alarms"].str.contains("brightness").sum()
    assert alarms["groups"] <= binom.ppf(0.9999, 60, RATE)
    assert alarms["images"] > 6


def test_a_batch_of_groups_is_tested_by_their_means():
    known, new = _in_sheets(40, 5, 0, 1), _in_sheets(4, 5, 1, 1)
    chart = chart_of(new, known, 20, RATE)
    assert chart["groups"].tolist() == [4]
    means = [[images["novelty"][i : i + 5].mean() for i in range(0, len(images), 5)] for images in (known, new)]
    assert chart["novelty_p"][0] == pytest.approx(novelty_p_value(*map(np.array, means)))
    assert chart_of(made_images(10, 1), KNOWN, SIZE, RATE)["groups"].isna().all()


def test_the_mean_of_a_group_is_that_of_no_more_images_than_known_groups_have():
    known, new = _in_sheets(40, 5, 0, 1), _in_sheets(4, 20, 1, 1)
    means = [known["novelty"].to_numpy().reshape(-1, 5).mean(axis=1)]
    means.append(new["novelty"].to_numpy().reshape(-1, 20)[:, ::4].mean(axis=1))
    assert chart_of(new, known, 80, RATE)["novelty_p"][0] == pytest.approx(novelty_p_value(*means))


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


def test_neighbours_that_look_alike_are_noticed_within_their_classes_only():
    random = np.random.default_rng(0)
    known = made_images(120, 0).assign(label=np.repeat(["a", "b"], 60))
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
