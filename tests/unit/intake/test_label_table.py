"""Tables that say something of images, as the pages export them or as people write them."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from workflow_scripts.errors import UserError
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.label_table import read_label_table, read_selection, read_set_aside
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


def set_aside(*tables, images=IMAGES):
    return {path for path, decision in read_set_aside(map(str, tables), images).items() if decision.value == "yes"}


def test_rows_of_a_selection_pick_their_images_and_files_of_the_same_content(table):
    assert read_selection(table, IMAGES, "odd") == {"a/1.png", "a/2.png", "b/copy of 1.png"}
    assert set_aside(table) == {"a/2.png", "b/,odd 3.png"}


def test_a_list_of_names_picks_all_of_them(table):
    table.write_text("a/2.png\na/1\n")
    assert read_selection(table, IMAGES, "odd") == {"a/1.png", "a/2.png", "b/copy of 1.png"}
    table.write_text("filename;mine\n2.png;x\n")
    assert set_aside(table) == {"a/2.png"}


def test_a_table_that_picks_nothing_is_told(table):
    with pytest.raises(UserError, match=r"picked.csv: found no row with selection 'other', allowed: such rows"):
        read_selection(table, IMAGES, "other")
    with pytest.raises(UserError, match=r"found no row that names an image: the first of 2 rows is 'a/1.png'"):
        read_selection(table, {"z.png": "id9"}, "odd")


def test_of_several_exports_the_later_decision_counts_whatever_their_order(tmp_path):
    """A label that was taken back does not touch it, and a file that was moved is known by its content."""
    early, late = "2026-11-29T20:00:00.000Z", "2026-11-29T21:00:00.000Z"
    header = "path,label,selection,set_aside,image_id,decided,decision\n"
    rows = [f"a/1.png,,,yes,id1,{early},set aside", f"a/1.png,,,no,id1,{late},taken in", f"old/3.png,,,yes,id3,{late},"]
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text(header + "\n".join([rows[0], rows[2]]))
    other.write_text(header + "\n".join([rows[1], f"a/2.png,,,,id2,{late},removed"]))
    for tables in ((one, other), (other, one)):
        assert set_aside(*tables) == {"b/,odd 3.png"}
    one.write_text("path\na/1.png\n")  # a list without times
    assert set_aside(one, other) == set()
    assert set_aside(other, one) == {"a/1.png", "b/copy of 1.png"}


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
    found = inspect(folder, scan(folder), excluded=[str(table)])
    assert found.images["path"].tolist() == ["a/1.png"]
    assert found.set_aside[["path", "reason", "detail"]].to_numpy().tolist() == [
        ["a/2.png", "set aside by hand", "listed in picked.csv"],
        ["b/,odd 3.png", "set aside by hand", "listed in picked.csv"],
    ]
    table.write_text('path\na/1\na/2\n"b/,odd 3"\n')
    with pytest.raises(UserError, match=r"intake.exclude_file: .*picked.csv leaves no image"):
        inspect(folder, scan(folder), excluded=[str(table)])


def test_a_row_of_an_image_that_is_not_there_labels_no_image_of_the_same_name(tmp_path):
    """`b/1.png` is set aside; with its folders above it, or without the folder, a name still means its image."""
    (tmp_path / "labels.csv").write_text("path,label\nb/1.png,B\n/data/a/2.png,A\n3.png,C\n")
    table = read_label_table(tmp_path / "labels.csv", {f"a/{n}.png": str(n) for n in (1, 2, 3)})
    assert table.labels == {"a/2.png": "A", "a/3.png": "C"}
    assert table.decisions["b/1.png"].value == "B"


def test_a_table_with_a_header_only_names_no_image(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\n")
    with pytest.raises(UserError, match=r"labels.csv: found no row that names an image: there are none; allowed: "):
        read_label_table(tmp_path / "labels.csv", IMAGES)


def test_a_file_that_was_moved_keeps_the_label_that_a_page_has_exported(tmp_path):
    """Not if there are two files of this content, and not against the row of the new place."""
    rows = "old/1.png,A,one", "old/2.png,A,two", "old/3.png,A,three", "new/3.png,B,three"
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,image_id", *rows]))
    images = {"new/x.png": "one", "new/y.png": "two", "new/z.png": "two", "new/3.png": "three"}
    table = read_label_table(tmp_path / "labels.csv", images)
    assert table.labels == {"new/x.png": "A", "new/3.png": "B"}
    assert table.unmatched == 2


def test_lines_without_a_separator_are_divided_at_spaces_unless_they_name_images(tmp_path):
    """As in the data set elpv, and in a list of names."""
    table = tmp_path / "labels.csv"
    table.write_text("path  prob  label\na/1.png  0.3333  mono\na/2.png  1.0  poly\n")
    images = {"a/1.png": "1", "a/2.png": "2", "a/my 3.png": "3"}
    assert read_label_table(table, images).labels == {"a/1.png": "mono", "a/2.png": "poly"}
    table.write_text("my 3.png\n2.png\n")
    assert read_set_aside([str(table)], images).keys() == {"a/my 3.png", "a/2.png"}


FILES = {"a.png": f"{1:016x}", "my image.png": f"{2:016x}"}
PARTS = {f"{path}#xywh={x},0,10,10": f"{image_id}-1-{x}-0-10-10" for path, image_id in FILES.items() for x in (0, 10)}
PART = "a.png#xywh=10,0,10,10"


@pytest.mark.parametrize(
    ("rows", "of_files", "of_parts"),
    [
        (["a.png"], {"a.png"}, set()),
        (["a", "my image"], {"a.png", "my image.png"}, set()),
        ([f'"{PART}"'], set(), {PART}),
        (["a.png", "my image.png", f'"{PART}"'], {"a.png", "my image.png"}, {PART}),
        (["path,note", "a.png,x"], {"a.png"}, set()),
        (["image_id", PARTS[PART]], set(), {PART}),
        (["image_id", FILES["a.png"]], {"a.png"}, set()),
    ],
    ids=["a file", "stems", "a tile", "files and a tile", "header", "id of a tile", "id of a file"],
)
def test_a_table_sets_files_and_their_parts_aside_each_where_it_is_made(tmp_path, rows, of_files, of_parts):
    """The same table is read when files are inspected, when they are cut, and when all of it is told."""
    table = tmp_path / "list.csv"
    table.write_text("\n".join(rows) + "\n")
    assert read_set_aside([str(table)], FILES, parts=False).keys() == of_files
    assert read_set_aside([str(table)], PARTS, parts=True).keys() == of_parts
    assert read_set_aside([str(table)], FILES | PARTS).keys() == of_files | of_parts


@pytest.mark.parametrize(
    ("column", "expected"),
    [("befund", {"a/1.png": "gut", "a/2.png": "riss"}), ("NR", {"a/1.png": "1", "a/2.png": "2"})],
)
def test_a_named_column_has_the_labels(tmp_path, column, expected):
    (tmp_path / "t.csv").write_text("nr;bild;Befund\n1;a/1.png;gut\n2;2.png;riss\n")
    assert read_label_table(tmp_path / "t.csv", {"a/1.png": "x", "a/2.png": "y"}, column).labels == expected


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    (tmp_path / "t.csv").write_text("bild;Befund\na/1.png;gut\n")
    with pytest.raises(UserError, match=r"t.csv: found no column 'befunde', but bild, Befund; allowed: a first row"):
        read_label_table(tmp_path / "t.csv", IMAGES, "befunde")
