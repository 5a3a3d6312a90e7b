"""A folder that grows: the order of its images, and its batches."""

import os

import pandas as pd

from tests.unit.models.monitored import KNOWN, RATE, chart_of, made_images
from workflow_scripts.models.batches import in_batches, in_order


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


def test_a_batch_ends_with_a_group_whose_images_come_together():
    images = made_images(9, 1).assign(group=list("aabbacccd"))
    batches = in_batches(images, 4)
    assert batches["path"].tolist() == [f"1_{i}.png" for i in (0, 1, 4, 2, 3, 5, 6, 7, 8)]
    assert batches["batch"].tolist() == [1, 1, 1, 1, 1, 2, 2, 2, 2]
    chart = chart_of(images.iloc[:8], KNOWN.assign(group=KNOWN["path"]), 4, RATE)
    assert chart[["images", "groups"]].values.tolist() == [[5, 2]]
    assert in_batches(images.drop(columns="group"), 4)["batch"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 3]
