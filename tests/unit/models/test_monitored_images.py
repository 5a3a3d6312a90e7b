"""Known and new images: what is tested of them, and their groups."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.models.monitored_images import CHARTS, known_images, new_images, ungrouped
from workflow_scripts.models.saved import SavedModel


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
