"""Groups of images: by rule, joined by look-alikes, against connected components by brute force."""

import numpy as np
import pandas as pd
import pytest
from bad_images import COLOUR, GREY, encoded

from tests.unit.intake.files import through_csv, write_files
from workflow_scripts.errors import UserError
from workflow_scripts.intake.groups import group_files
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.manifest import label
from workflow_scripts.intake.regions import Tiling, cut_tiles
from workflow_scripts.settings.intake import Intake

FILES = {path: path for path in ("a/v1_1.png", "a/v1_2.png", "a/v2_1.png", "b/v1_7.png", "c.png")}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": "file"}, list(FILES)),
        ({"rule": "folder"}, ["a", "a", "a", "b", "c.png"]),
        ({"rule": "prefix"}, ["v1", "v1", "v2", "v1", "c"]),
        ({"rule": "regex", "pattern": "(v.)_"}, ["v1", "v1", "v2", "v1", "c.png"]),
    ],
)
def test_rules_read_the_path_and_an_image_without_a_value_is_alone(rule, expected):
    assert list(group_files(FILES, [], **rule).by_file.values()) == expected


def test_a_column_of_the_users_table(tmp_path):
    (tmp_path / "t.csv").write_text("path;label;Wafer\na/v1_1.png;x;7\nv2_1;y;7\nb/v1_7.png;x;8\n")
    groups = group_files(FILES, [], rule="csv", file=str(tmp_path / "t.csv"), column="Wafer")
    assert list(groups.by_file.values()) == ["7", "a/v1_2.png", "7", "8", "c.png"]
    assert "2 files without one by the rule" in groups.note
    with pytest.raises(UserError, match="found no column 'specimen', but path, label, Wafer"):
        group_files(FILES, [], rule="csv", file=str(tmp_path / "t.csv"), column="specimen")


def test_look_alikes_join_groups_also_through_a_file_that_was_left_out():
    groups = group_files(FILES, [("c.png", "gone.png"), ("gone.png", "b/v1_7.png")], rule="folder")
    assert list(groups.by_file.values()) == ["a", "a", "a", "b", "b"]


@pytest.mark.parametrize("seed", range(10))
def test_groups_are_what_names_and_pairs_connect(seed):
    random = np.random.default_rng(seed)
    files = [f"{random.choice(list('abcdefgh'))}/{number}.png" for number in range(40)]
    pairs = [tuple(random.choice(files, 2)) for _ in range(4)]
    reach = np.array([[one.split("/")[0] == two.split("/")[0] for two in files] for one in files])
    for one, two in pairs:
        reach[files.index(one), files.index(two)] = reach[files.index(two), files.index(one)] = True
    for _ in files:
        reach = reach @ reach
    found = np.array(list(group_files(dict.fromkeys(files, ""), pairs, rule="folder").by_file.values()))
    np.testing.assert_array_equal(found[:, None] == found, reach)


def test_one_group_of_all_is_an_error():
    with pytest.raises(UserError, match=r"intake.groups: all files are one group by the rule regex"):
        group_files(FILES, [], rule="regex", pattern="(png)")


def test_the_manifest_has_groups_where_a_rule_says_so_or_images_are_parts(tmp_path):
    write_files(tmp_path, a__1=encoded(COLOUR, "PNG"), b__2=encoded(GREY, "PNG"), a__3=encoded(COLOUR[::-1], "PNG"))
    inspected = inspect(tmp_path, scan(tmp_path))
    images, set_aside = through_csv(inspected.images), through_csv(inspected.set_aside)
    assert "group" not in label(images, set_aside, {"rule": "none"}).manifest
    assert list(label(images, set_aside, {"rule": "none"}, groups={"rule": "folder"}).manifest["group"]) == [
        "a",
        "a",
        "b",
    ]
    parts = cut_tiles(images, tmp_path, tiling=Tiling(16, 16))
    pairs = pd.DataFrame([("a/3.png", "b/2.png", "near", 1)], columns=["path", "other", "kind", "distance"])
    manifest = label(through_csv(parts.table), set_aside, {"rule": "none"}, look_alikes=pairs).manifest
    of_file = manifest.groupby("parent")["group"].agg(["nunique", "first"])
    assert of_file["nunique"].tolist() == [1, 1, 1]
    assert of_file["first"].tolist() == ["a/1.png", "a/3.png", "a/3.png"]


def test_settings_name_a_rule_or_all_its_keys():
    assert Intake(groups="folder").groups.rule == "folder"
    assert not Intake().are_grouped
    with pytest.raises(ValueError, match="allowed: a regular expression with a group for the group"):
        Intake(groups={"rule": "regex", "pattern": "a"})
    with pytest.raises(ValueError, match="file: missing"):
        Intake(groups="csv")
