"""Labels from another data set, matched by content: matched, unmatched and conflicting contents."""

import hashlib

import pytest
from bad_images import COLOUR, GREY, encoded

from tests.unit.intake.files import label_inspected, write_files
from workflow_scripts.errors import UserError
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.known import match, read_known
from workflow_scripts.intake.listing import scan
from workflow_scripts.settings import parse

A, B, C = (encoded(pixels, "PNG") for pixels in (COLOUR, GREY, COLOUR[::-1]))


def test_what_becomes_of_each_content():
    images = {"a.png": ("1", "p1"), "b.png": ("2", "p2"), "c.tif": ("3", "p2"), "d.png": ("4", "")}
    known = [("1", "Cr"), ("1", "Cr"), ("p2", "In"), ("4", "Cr"), ("4", "In"), ("9", "Sc")]
    assert match(images, known) == [
        ("1", "matched", "Cr", 2, "a.png"),
        ("4", "conflicting", "Cr|In", 2, "d.png"),
        ("9", "unmatched", "Sc", 1, ""),
        ("p2", "matched", "In", 1, "b.png"),
    ]


@pytest.fixture
def table(tmp_path):
    """Write a table in which A has a label, B has two different labels, C has none, and one content has no image."""
    rows = [(hashlib.sha256(A).hexdigest().upper(), "Cr"), (hashlib.sha256(B).hexdigest(), "In")]
    rows += [(hashlib.sha256(B).hexdigest(), "Sc"), ("0" * 64, "Cr")]
    path = tmp_path / "known.csv"
    path.write_text("sha256,label\n" + "".join(f"{sha256},{label}\n" for sha256, label in rows))
    return path


def test_a_table_of_hashes(tmp_path, table):
    folder = tmp_path / "images"
    write_files(folder, x__one=A, x__two=B, x__three=C)
    labelled = label_inspected(inspect(folder, scan(folder)), rule="hash", file=str(table))
    assert dict(zip(labelled.manifest["path"], labelled.manifest["label"], strict=True)) == {
        "x/one.png": "Cr", "x/three.png": "", "x/two.png": "",
    }  # fmt: skip
    assert labelled.notes == (
        "labels: content of known.csv (1 class (Cr 1), 2 of 3 images without a label (x/three.png); 4 labelled "
        "files, 3 contents: 1 matched, 1 unmatched, 1 conflicting)",
    )
    assert sorted(labelled.matches[["status", "labels", "files", "image"]].to_numpy().tolist()) == [
        ["conflicting", "In|Sc", 2, "x/two.png"],
        ["matched", "Cr", 1, "x/one.png"],
        ["unmatched", "Cr", 1, ""],
    ]


def test_pixels_match_where_bytes_do_not(tmp_path):
    folder = tmp_path / "images"
    write_files(folder, one=A, two=B)
    other = tmp_path / "other"
    (other / "Cr").mkdir(parents=True)
    (other / "Cr" / "one.bmp").write_bytes(encoded(COLOUR, "BMP"))
    (known,) = inspect(other, scan(other)).images.to_dict("records")
    table = tmp_path / "known.csv"
    table.write_text(f"sha256,pixels_id,label,path\n{known['image_id']},{known['pixels_id']},Cr,Cr/one.bmp\n")
    labelled = label_inspected(inspect(folder, scan(folder)), rule="hash", file=str(table))
    assert list(labelled.manifest["label"]) == ["Cr", ""]
    table.write_text(f"sha256,label\n{known['image_id']},Cr\n")
    assert set(label_inspected(inspect(folder, scan(folder)), rule="hash", file=str(table)).manifest["label"]) == {""}


def test_copies_left_out_have_the_label_of_their_content(tmp_path, table):
    folder = tmp_path / "images"
    write_files(folder, one=A, two=A, three=C)
    rejected = label_inspected(inspect(folder, scan(folder)), rule="hash", file=str(table)).rejected
    assert list(rejected["reason"]) == ["duplicate content"]


def test_tables_that_cannot_be_used(tmp_path):
    table = tmp_path / "known.csv"
    table.write_text("md5,label\nabc,Cr\n")
    with pytest.raises(UserError, match=r"found columns \['md5', 'label'\], allowed: sha256 and label"):
        list(read_known(table))
    table.write_text("sha256,label\nabc,Cr\n")
    with pytest.raises(UserError, match=r"line 2: found 'abc', allowed: a SHA-256"):
        list(read_known(table))
    with pytest.raises(UserError, match="cannot be read"):
        list(read_known(tmp_path / "nowhere.csv"))


def test_rows_without_a_label_are_left_out(tmp_path):
    table = tmp_path / "known.csv"
    table.write_text(f"sha256,label\n{'a' * 64},A\n{'b' * 64},\n{'c' * 64}, \n{'d' * 64}\n")
    assert list(read_known(table)) == [("a" * 16, "A")]


def test_the_rule_needs_a_file(tmp_path):
    with pytest.raises(UserError, match="labels: file: missing, allowed: a folder of labelled images"):
        parse({"intake": {"labels": {"rule": "hash"}}})
