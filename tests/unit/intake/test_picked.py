"""Tables of picked images, as the explorer exports them or as people write them: subsets, and files left out."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from workflow_scripts.errors import UserError
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.label_table import read_picked
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.subsets import members
from workflow_scripts.settings.studies import Subset

IMAGES = {"a/1.png": "id1", "a/2.png": "id2", "b/copy of 1.png": "id1", "b/,odd 3.png": "id3"}
EXPORTED = """path,label,selection,set_aside,image_id
a/1.png,,odd,,id1
a/2.png,,even,yes,id2
a/2.png,,odd,yes,id2
"b/,odd 3.png",new,,yes,id3
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "picked.csv"
    path.write_text(EXPORTED)
    return path


def test_rows_of_a_selection_pick_their_images_and_files_of_the_same_content(table):
    assert read_picked(table, IMAGES, "selection", "odd") == {"a/1.png", "a/2.png", "b/copy of 1.png"}
    assert read_picked(table, IMAGES, "set_aside", "yes") == {"a/2.png", "b/,odd 3.png"}


def test_a_list_of_names_picks_all_of_them(table):
    table.write_text("a/2.png\na/1\n")
    assert read_picked(table, IMAGES, "selection", "odd") == {"a/1.png", "a/2.png", "b/copy of 1.png"}
    table.write_text("filename;mine\n2.png;x\n")
    assert read_picked(table, IMAGES, "set_aside", "yes") == {"a/2.png"}


def test_a_table_that_picks_nothing_is_told(table):
    with pytest.raises(UserError, match=r"picked.csv: found no row with selection 'other', allowed: such rows"):
        read_picked(table, IMAGES, "selection", "other")
    with pytest.raises(UserError, match=r"found no row that names an image: the first of 2 rows is 'a/1.png'"):
        read_picked(table, {"z.png": "id9"}, "selection", "odd")


def test_a_subset_is_the_selection_of_its_name(table):
    manifest = pd.DataFrame({"path": list(IMAGES), "image_id": list(IMAGES.values()), "label": ["a", "a", "b", "b"]})
    wanted = Subset(file=str(table)).dump()
    assert members(manifest, wanted, "odd", None, str(table))["row"].tolist() == [0, 1, 2]
    wanted = Subset(file=str(table), label=["b"]).dump()
    assert members(manifest, wanted, "odd", None, str(table))["row"].tolist() == [2]


def test_images_set_aside_are_rejected_with_the_table_that_says_so(tmp_path, table):
    rng = np.random.default_rng(0)
    for path in ("a/1.png", "a/2.png", "b/,odd 3.png"):
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)).save(tmp_path / "data" / path)
    folder = tmp_path / "data"
    found = inspect(folder, scan(folder), excluded=str(table))
    assert found.images["path"].tolist() == ["a/1.png"]
    assert found.set_aside[["path", "reason", "detail"]].to_numpy().tolist() == [
        ["a/2.png", "set aside by hand", "listed in picked.csv"],
        ["b/,odd 3.png", "set aside by hand", "listed in picked.csv"],
    ]
    table.write_text('path\na/1\na/2\n"b/,odd 3"\n')
    with pytest.raises(UserError, match=r"intake.exclude_file: .*picked.csv leaves no image"):
        inspect(folder, scan(folder), excluded=str(table))
