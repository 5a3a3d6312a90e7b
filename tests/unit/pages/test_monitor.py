"""The page about a folder that grows: its sentences, its images, and names that are not code."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from workflow_scripts.models.batches import in_batches
from workflow_scripts.models.control_chart import control_chart
from workflow_scripts.models.suspects import to_look_at
from workflow_scripts.pages.monitor.chart import write_charts
from workflow_scripts.pages.monitor.page import write_monitor
from workflow_scripts.settings.figures import Style

STYLE = {**Style().dump(), "dpi": 60}


@pytest.fixture
def made(tmp_path):
    """Return a function that makes the page of some images and returns its lines and its data."""

    def make(novelties, brightness=0.5, draws=False, sheets=None, alike=None, ungrouped=False, most=500):
        rng = np.random.default_rng(0)
        known = pd.DataFrame(rng.random((60, 3)), columns=["novelty", "brightness", "sharpness"])
        if sheets:
            known["group"] = np.arange(60) // 5
        paths = [f"<b>{i}.png" for i in range(len(novelties))]
        for path in paths:
            Image.fromarray(rng.integers(0, 256, (20, 30), dtype=np.uint8)).save(tmp_path / path)
        images = pd.DataFrame({"path": paths, "name": "Sc-2", "novelty": novelties, "outlier": np.array(novelties) > 1})
        images = images.assign(brightness=brightness, sharpness=rng.random(len(paths)))
        images = images.assign(group=sheets) if sheets else images
        images = in_batches(images, 6)
        chart = control_chart(images, known, 6, 0.01)
        suspects = to_look_at(images, known, chart).assign(group=0)
        shown = suspects.head(most)
        if draws:
            write_charts(chart, images, known, 0.01, STYLE, str(tmp_path / "c.svg"), str(tmp_path / "c.png"))
        else:
            (tmp_path / "c.png").write_bytes(b"")
        facts = {"dataset": "d", "study": "s", "folder": str(tmp_path), "n_files": len(images), "n_known": 60}
        facts |= {
            "size": 6,
            "rate": 0.01,
            "max_pixels": 10**6,
            "n_groups": 12 if sheets else None,
            "alike": alike or {},
            "ungrouped": ungrouped,
            "n_suspects": len(suspects),
        }
        page = tmp_path / "page.html"
        links = {"batches": "monitor/f/s.csv", "predictions": "predictions/f/s.csv"}
        lines = write_monitor(str(page), chart, shown, str(tmp_path / "c.png"), links, facts)
        text = page.read_text()
        assert "<b>" not in text
        return lines, json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])

    return make


def test_an_alarm_says_which_batch_and_shows_its_images(made):
    lines, data = made([0.5] * 6 + [3.0] * 6, brightness=np.repeat([0.5, 2.0], 6), draws=True)
    assert re.match(r"Batch 2 \(<b>6\.png to <b>11\.png\) has images unlike those of the model \(p = \S+\); "
                    r"alarms in 1 of 2 batches\.", lines[0])  # fmt: skip
    assert "is brighter than the images of the model" in lines[1]
    assert lines[2] == "None of 2 batches is of another sharpness than chance explains."
    (group,) = data["sections"][1]["images"]
    assert group["heading"] == "Group 1: 6 images, nearest clusters Sc-2 (6)"
    assert len(data["thumbnails"]) == len(group["images"]) == 6


def test_images_to_look_at_that_are_not_shown_are_counted(made):
    images = [0.5] * 6 + [3.0] * 6
    assert made(images)[1]["sections"][1]["answers"][0]["text"].startswith("6 images should be looked at, in 1 group")
    answer = made(images, most=4)[1]["sections"][1]["answers"][0]
    assert answer["text"].startswith("6 images should be looked at: here the 4 with the highest novelty, in 1 group ")
    assert answer["number"] == 6


def test_nothing_new_and_no_full_batch(made):
    lines, data = made([0.5] * 6)
    assert lines[0] == "None of 1 batch is less like the images of the model than chance explains."
    assert data["sections"][1]["answers"][0]["text"] == "No image is unlike those of the model."
    lines, _ = made([0.5] * 5)
    assert lines == ["No batch is full yet: there are 5 files of 6."]


def test_it_says_when_too_few_groups_make_an_alarm_impossible(made):
    lines, data = made([3.0] * 6, sheets=["a"] * 5 + ["b"])
    assert lines[0] == (
        "Batches with images of 2 groups cannot raise an alarm of brightness or sharpness: with 12 known groups their "
        "p-values are at least 0.022, and those of novelty at least 0.011. Choose batch_size so that a batch has 3 "
        "groups or more."
    )
    assert "60 images of 12 groups" in data["sections"][2]["answers"][0]["text"]
    assert "A batch ends with a group" in data["sections"][2]["answers"][0]["text"]
    lines, _ = made([3.0] * 6, sheets=["a", "b", "c", "c", "c", "c"])
    assert lines[0].startswith("Batch 1")


def test_it_says_when_neighbouring_images_are_alike(made):
    lines, _ = made([0.5] * 6, alike={"brightness": 0.62})
    assert lines[0].startswith(
        "The rate of false alarms may not hold: known images with neighbouring names are alike in"
    )
    assert "brightness (correlation 0.62)" in lines[0]
    assert "intake.groups" in lines[0]


def test_it_says_when_the_rule_of_groups_fits_no_new_image(made):
    lines, _ = made([0.5] * 6, sheets=list("abcdef"), ungrouped=True)
    assert lines[0].startswith("The rate of false alarms may not hold: intake.groups names the group of none of the")
