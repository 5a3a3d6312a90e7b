"""Intake as a whole: the tables of both of its jobs, which do not depend on the number of workers."""

import hashlib
import os
import tempfile
from pathlib import Path

import bad_images
import numpy as np
import pandas as pd
import pytest
from bad_images import COLOUR, GREY, MAX_PIXELS, MIN_SIZE, encoded, tiff

from tests.unit.intake.files import label_inspected, through_csv, write_files
from workflow_scripts.errors import UserError
from workflow_scripts.intake import inspection
from workflow_scripts.intake.fingerprints import pixel_digest
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import Entry, scan
from workflow_scripts.intake.manifest import COLUMNS, REJECTED_COLUMNS, label
from workflow_scripts.io.tables import read_csv, read_texts, write_csv

A, B, C = (encoded(pixels, "PNG") for pixels in (COLOUR, GREY, COLOUR[::-1]))


def _take_in(root, rule="none", **options):
    return label_inspected(inspect(root, scan(root), **options), rule=rule)


def test_bad_images_end_in_one_of_the_two_tables(tmp_path):
    expected = bad_images.write_bad_images(tmp_path)
    intake = _take_in(tmp_path, min_size=MIN_SIZE, max_pixels=MAX_PIXELS)
    reasons = dict(zip(intake.rejected["path"], intake.rejected["reason"], strict=True))
    assert reasons == {name: truth.reason for name, truth in expected.items() if truth.reason}
    rows = intake.manifest.set_index("path")
    assert set(rows.index) == {name for name, truth in expected.items() if not truth.reason}
    for name, row in rows.iterrows():
        data = (tmp_path / name).read_bytes()
        assert row["image_id"] == hashlib.sha256(data).hexdigest()[:16]
        assert (int(row["height"]), int(row["width"])) == expected[name].pixels.shape[:2]
        assert (int(row["bytes"]), int(row["pages"])) == (len(data), expected[name].pages)


def test_tables_survive_csv_and_do_not_depend_on_workers_or_order(tmp_path):
    bad_images.write_bad_images(tmp_path)
    entries = scan(tmp_path)
    limits = {"min_size": MIN_SIZE, "max_pixels": MAX_PIXELS}
    one = inspect(tmp_path, entries, workers=1, **limits)
    four = inspect(tmp_path, entries[::-1], workers=4, **limits)
    assert one.notes == four.notes
    for table, other in ((one.images, four.images), (one.set_aside, four.set_aside)):
        pd.testing.assert_frame_equal(table, other)
    labelled = label_inspected(one, rule="auto")
    for table in (one.images, one.set_aside, labelled.manifest, labelled.rejected):
        assert list(table["path"]) == sorted(table["path"])
        table.to_csv(tmp_path / "table.csv", index=False)
        again = pd.read_csv(tmp_path / "table.csv", keep_default_na=False, dtype=str)
        assert again.to_numpy().tolist() == table.astype(str).to_numpy().tolist()


def test_columns_and_modes(tmp_path):
    write_files(tmp_path, a=A, b=B)
    (tmp_path / "c.tif").write_bytes(tiff(np.stack([GREY, GREY]).astype(np.float64), photometric="minisblack"))
    inspected = inspect(tmp_path, scan(tmp_path))
    assert tuple(inspected.images.columns) == inspection.COLUMNS
    assert tuple(inspected.set_aside.columns) == inspection.SET_ASIDE_COLUMNS
    assert any("1 file with several pages" in note and "c.tif" in note for note in inspected.notes)
    intake = label_inspected(inspected, rule="none")
    assert tuple(intake.manifest.columns) == COLUMNS
    assert list(intake.manifest["mode"]) == ["RGB", "L", "L;float64"]
    assert list(intake.manifest["label"]) == ["", "", ""]
    assert intake.rejected.empty
    assert tuple(intake.rejected.columns) == REJECTED_COLUMNS


def test_first_by_path_of_the_same_bytes_stays(tmp_path):
    write_files(tmp_path, x__1=A, x__2=A, y__3=A, y__4=B)
    intake = _take_in(tmp_path, "folder")
    assert list(intake.manifest["path"]) == ["x/1.png", "y/4.png"]
    assert intake.rejected.to_numpy().tolist() == [
        ["x/2.png", "duplicate content", "same bytes as x/1.png"],
        ["y/3.png", "duplicate with another label", "same bytes as x/1.png, which stays; labels 'x' there, 'y' here"],
    ]


def test_a_file_stays_and_not_a_link_to_it(tmp_path):
    write_files(tmp_path, x__2=A, y__4=B)
    (tmp_path / "a.png").symlink_to(tmp_path / "x" / "2.png")
    (tmp_path / "linked").symlink_to(tmp_path / "y")
    intake = _take_in(tmp_path, "none")
    assert list(intake.manifest["path"]) == ["x/2.png", "y/4.png"]
    assert list(intake.rejected["detail"]) == ["same bytes as x/2.png", "same bytes as y/4.png"]
    assert list(inspect(tmp_path, scan(tmp_path), duplicates="keep").images["image_id"].str.len()) == [18, 18, 16, 16]


def test_duplicates_are_set_aside_whatever_their_labels(tmp_path):
    write_files(tmp_path, x__1=A, x__2=A, y__3=A, y__4=B, y__5=b"text")
    inspected = inspect(tmp_path, scan(tmp_path))
    content, pixels = hashlib.sha256(A).hexdigest()[:16], pixel_digest(COLOUR)
    assert inspected.set_aside.to_numpy().tolist() == [
        ["x/2.png", "PNG", "duplicate content", "same bytes as x/1.png", content, pixels, "x/1.png"],
        ["y/3.png", "PNG", "duplicate content", "same bytes as x/1.png", content, pixels, "x/1.png"],
        ["y/5.png", "other", "not an image", inspected.set_aside["detail"].iloc[2], "", "", ""],
    ]
    assert not any("set aside" in note for note in inspected.notes)  # the label job counts them, with conflicts


@pytest.mark.parametrize("duplicates", ["drop", "keep"])
def test_a_table_labels_all_copies_by_the_id_of_their_content(tmp_path, duplicates):
    write_files(tmp_path, x__1=A, x__2=A, y__3=A, y__4=B)
    first, second = (hashlib.sha256(data).hexdigest()[:16] for data in (A, B))
    (tmp_path / "labels.csv").write_text(f"image_id,label\n{first},Cr\n{second},In\n")
    intake = label_inspected(
        inspect(tmp_path, scan(tmp_path), duplicates), rule="csv", file=str(tmp_path / "labels.csv")
    )
    assert list(intake.manifest["label"]) == (["Cr", "Cr", "Cr", "In"] if duplicates == "keep" else ["Cr", "In"])
    assert list(intake.rejected["reason"]) == ([] if duplicates == "keep" else ["duplicate content"] * 2)


def test_a_table_that_names_a_copy_and_not_the_first(tmp_path):
    write_files(tmp_path, a=A, b=A, c=B)
    (tmp_path / "labels.csv").write_text("path,label\nb.png,Cr\nc.png,In\n")
    intake = label_inspected(inspect(tmp_path, scan(tmp_path)), rule="csv", file=str(tmp_path / "labels.csv"))
    assert list(intake.manifest["label"]) == ["", "In"]
    assert intake.rejected.to_numpy().tolist() == [
        ["b.png", "duplicate with another label", "same bytes as a.png, which stays; labels '' there, 'Cr' here"]
    ]


def test_kept_duplicates_get_numbers(tmp_path):
    write_files(tmp_path, x__1=A, x__2=A, y__3=A, y__4=B)
    inspected = inspect(tmp_path, scan(tmp_path), duplicates="keep")
    intake = label_inspected(inspected, rule="folder")
    first, second = (hashlib.sha256(data).hexdigest()[:16] for data in (A, B))
    assert list(intake.manifest["image_id"]) == [first, f"{first}-2", f"{first}-3", second]
    assert list(intake.manifest["label"]) == ["x", "x", "y", "y"]
    assert intake.rejected.empty
    assert "2 duplicates kept: x/2.png, y/3.png" in inspected.notes


def test_notes_tell_the_labels_and_the_rejected(tmp_path):
    write_files(tmp_path, Cr_1=A, Cr_2=B, In_1=C, In_2=encoded(GREY[::-1], "PNG"), In_3=b"", In_4=b"text")
    intake = _take_in(tmp_path, "auto")
    assert list(intake.manifest["label"]) == ["Cr", "Cr", "In", "In"]
    assert intake.notes == (
        "labels: prefix of the file's name (2 classes (Cr 2, In 2), 0 of 4 images without a label; no labels.csv; no "
        "folders)",
        "2 files rejected: 1 not an image, 1 truncated",
    )


def test_a_table_of_labels_below_the_top_is_named(tmp_path):
    write_files(tmp_path, data__images__1=A, data__images__2=B)
    (tmp_path / "data" / "labels.csv").write_text("path,label\nimages/1.png,Cr\nimages/2.png,In\n")
    sentence = "data/labels.csv is not at the top of the data and so not read: name it in intake.labels.file to use it"
    assert sentence in _take_in(tmp_path, "auto").notes
    assert sentence not in _take_in(tmp_path, "folder").notes


def test_other_files_are_not_opened(tmp_path):
    write_files(tmp_path, a=A)
    os.mkfifo(tmp_path / "table.csv")  # to open it would wait for ever
    intake = label_inspected(inspect(tmp_path, [Entry("a.png", 0, 0), Entry("table.csv", 0, 0)]), rule="none")
    assert intake.rejected.to_numpy().tolist() == [["table.csv", "not an image", "a .csv file"]]


def test_a_file_that_vanishes(tmp_path):
    write_files(tmp_path, a=A, b=B)
    entries = scan(tmp_path)
    (tmp_path / "a.png").unlink()
    intake = label_inspected(inspect(tmp_path, entries), rule="none")
    assert intake.rejected.to_numpy().tolist() == [["a.png", "unreadable", "No such file or directory"]]


def test_a_name_that_is_not_utf8(tmp_path):
    write_files(tmp_path, a=A)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).write_bytes(B)
    intake = _take_in(tmp_path)
    assert intake.rejected.to_numpy().tolist() == [["\\udcff.png", "unreadable", "its name is not UTF-8"]]
    intake.rejected.to_csv(tmp_path / "rejected.csv")


def test_a_name_with_a_carriage_return(tmp_path):
    """macOS puts an empty file `Icon` with a carriage return at the end into folders with an icon of their own."""
    write_files(tmp_path / "data", a=A)
    (tmp_path / "data/b\r.png").write_bytes(B)
    (tmp_path / "data/Icon\r").touch()
    inspected = inspect(tmp_path / "data", scan(tmp_path / "data"))
    tables = []
    for table in (inspected.images, inspected.set_aside):
        write_csv(table, str(tmp_path / "table.csv"))
        tables.append(read_csv(tmp_path / "table.csv"))
        assert read_texts(str(tmp_path / "table.csv"), "path") == (list(table["path"]),)
    labelled = label(*tables, {"rule": "none"})
    assert list(labelled.manifest["path"]) == ["a.png", "b\r.png"]
    assert labelled.rejected.to_numpy().tolist() == [["Icon\r", "truncated", "the file is empty"]]


@pytest.fixture
def unprivileged():
    """Yield a folder, in a process that does not run as root, because root can read every file."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        os.seteuid(os.getuid())


def test_a_file_that_may_not_be_read(unprivileged):
    write_files(unprivileged, a=A, b=B)
    (unprivileged / "a.png").chmod(0)
    entries = scan(unprivileged)
    if os.geteuid() == 0:
        os.seteuid(65534)
    intake = label_inspected(inspect(unprivileged, entries), rule="none")
    assert intake.rejected.to_numpy().tolist() == [["a.png", "unreadable", "Permission denied"]]


def test_a_folder_that_may_not_be_listed(unprivileged):
    write_files(unprivileged, a=A, closed__b=B)
    (unprivileged / "closed").chmod(0)
    if os.geteuid() == 0:
        os.seteuid(65534)
    with pytest.raises(UserError, match=r"closed cannot be listed \(Permission denied\)"):
        scan(unprivileged)
    assert [entry.path for entry in scan(unprivileged, exclude=["closed"])] == ["a.png"]


def test_nothing_left_is_the_users_mistake(tmp_path):
    write_files(tmp_path, a=b"", b=b"text")
    message = r"1 not an image, 1 truncated; the first is 'a.png', truncated: the file is empty"
    with pytest.raises(UserError, match=message):
        _take_in(tmp_path)
    with pytest.raises(UserError, match="found no file"):
        inspect(tmp_path, [])


def test_progress_counts_every_file(tmp_path):
    write_files(tmp_path, a=A, b=B, c=b"text", d=A)
    seen = []
    _take_in(tmp_path, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_steel_defects(neu_images):
    entries = scan(neu_images)
    kept = label_inspected(inspect(neu_images, entries, duplicates="keep", workers=2), rule="auto")
    assert len(kept.manifest) == 1800
    ids = kept.manifest.set_index("path")["image_id"]
    assert ids.is_unique
    assert list(ids.index[ids.str.len() == 18]) == ["patches_105.jpg"]  # a copy has a number
    patches = [entry for entry in entries if entry.path.startswith("patches_")]
    dropped = label_inspected(inspect(neu_images, patches, workers=2), rule="auto")
    assert dropped.rejected["path"].tolist() == ["patches_105.jpg"]
    assert dropped.rejected["detail"].tolist() == ["same bytes as patches_101.jpg"]


def test_of_several_tables_of_corrections_the_last_one_counts(tmp_path):
    write_files(tmp_path, a__1=A, b__2=B)
    (tmp_path / "first.csv").write_text("path,label\na/1.png,c\nb/2.png,c\n")
    (tmp_path / "second.csv").write_text("path,label\nb/2.png,d\na/1.png,\n")
    files = [str(tmp_path / name) for name in ("first.csv", "second.csv")]
    inspected = inspect(tmp_path, scan(tmp_path))
    tables = through_csv(inspected.images), through_csv(inspected.set_aside)
    labelled = label(*tables, {"rule": "folder"}, corrections=files)
    assert labelled.manifest["label"].tolist() == ["c", "d"]


def test_the_label_of_an_image_that_is_set_aside_stays_with_it(tmp_path):
    """The only label of the table, by a short name: no other image gets it, and the next export has the path."""
    write_files(tmp_path, a__1=A, b__1=B, b__2=C)
    (tmp_path / "picked.csv").write_text("path,label,set_aside\nb/2,c,yes\n")
    files = [str(tmp_path / "picked.csv")]
    inspected = inspect(tmp_path, scan(tmp_path, exclude=["*.csv"]), excluded=files)
    labelled = label(
        through_csv(inspected.images),
        through_csv(inspected.set_aside),
        {"rule": "none"},
        corrections=files,
        excluded=files,
    )
    assert labelled.manifest[["path", "label"]].to_numpy().tolist() == [["a/1.png", ""], ["b/1.png", ""]]
    rows = labelled.by_hand.drop(columns="image_id").to_numpy().tolist()
    assert rows == [["b/2.png", "c", "", "before", ""], ["b/2.png", "", "yes", "before", ""]]
    assert labelled.by_hand["image_id"].tolist() == inspected.set_aside["image_id"].tolist() * 2


def test_sublabels_come_from_a_rule_of_their_own(tmp_path):
    write_files(tmp_path, steel__hot__a=A, steel__cold__b=B)
    inspected = inspect(tmp_path, scan(tmp_path))
    tables = through_csv(inspected.images), through_csv(inspected.set_aside)
    sublabels = {"rule": "folder", "level": 1}
    rows = label(*tables, {"rule": "folder", "level": 0}, sublabels=sublabels).manifest.set_index("path")
    assert list(rows.columns) == [*(name for name in COLUMNS if name != "path"), "sublabel"]
    assert dict(rows["label"]) == {"steel/cold/b.png": "steel", "steel/hot/a.png": "steel"}
    assert dict(rows["sublabel"]) == {"steel/cold/b.png": "cold", "steel/hot/a.png": "hot"}
