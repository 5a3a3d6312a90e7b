"""The listing of the data folder: its files, their order, and changes of its digest."""

import os
import subprocess
import sys

import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.intake.listing import Entry, listing_digest, scan

FILES = [
    "b.png",
    "a.JPG",
    "notes.txt",
    "train/x/1.png",
    "train/x/masks/1.png",
    "train/y/2.png",
    "test/y/3.png",
    "test/y/3_mask.png",
]


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate([*FILES, ".hidden.png", ".cache/4.png", "train/.DS_Store"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(number))
    return tmp_path


def _paths(root, **patterns):
    return [entry.path for entry in scan(root, **patterns)]


def test_all_but_hidden_files_sorted_by_path(root):
    assert _paths(root) == sorted(FILES)
    assert Entry("b.png", 0, (root / "b.png").stat().st_mtime_ns) in scan(root)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", [name for name in FILES if name.endswith(".png")]),
        ("*.jpg", ["a.JPG"]),
        ("train", [name for name in FILES if name.startswith("train")]),
        ("train/", [name for name in FILES if name.startswith("train")]),
        ("train/*/*.png", ["train/x/1.png", "train/y/2.png"]),
        ("train/**/*.png", ["train/x/1.png", "train/x/masks/1.png", "train/y/2.png"]),
        ("**/1.png", ["train/x/1.png", "train/x/masks/1.png"]),
        ("**/y/*", ["test/y/3.png", "test/y/3_mask.png", "train/y/2.png"]),
        ("./b.png", ["b.png"]),
        ("?.png", ["b.png", "test/y/3.png", "train/x/1.png", "train/x/masks/1.png", "train/y/2.png"]),
        ("[13].png", ["test/y/3.png", "train/x/1.png", "train/x/masks/1.png"]),
        ("[!1b].png", ["test/y/3.png", "train/y/2.png"]),
        ("t*st/**", ["test/y/3.png", "test/y/3_mask.png"]),
    ],
)
def test_patterns(root, pattern, expected):
    assert _paths(root, include=[pattern]) == sorted(expected)
    assert _paths(root, exclude=[pattern]) == sorted(set(FILES) - set(expected))


def test_labels_at_the_top_are_no_file_of_the_data(root):
    before = listing_digest(scan(root))
    (root / "labels.csv").touch()
    assert listing_digest(scan(root)) == before
    with pytest.raises(UserError, match="no file in"):
        scan(root, include=["labels.csv"])
    (root / "train" / "labels.csv").touch()
    assert _paths(root) == sorted([*FILES, "train/labels.csv"])


def test_names_with_the_letters_of_patterns(tmp_path):
    for name in ("a[1].png", "a1.png", "a+b.png", "aab.png", "new\nline.png"):
        (tmp_path / name).touch()
    assert _paths(tmp_path, include=["a+b.png"]) == ["a+b.png"]
    assert _paths(tmp_path, include=["a[[]1].png"]) == ["a[1].png"]
    assert _paths(tmp_path, include=["new?line.*"]) == ["new\nline.png"]


def test_include_and_exclude_together(root):
    assert _paths(root, include=["*.png"], exclude=["masks", "*_mask.png", "b.png"]) == [
        "test/y/3.png",
        "train/x/1.png",
        "train/y/2.png",
    ]


def test_links_are_followed_and_loops_are_not(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "5.png").touch()
    (root / "linked").symlink_to(elsewhere)
    (root / "train" / "loop").symlink_to(root)
    (elsewhere / "self").symlink_to(elsewhere)
    (root / "dead.png").symlink_to("nowhere")
    entries = scan(root)
    assert [entry.path for entry in entries] == sorted([*FILES, "dead.png", "linked/5.png"])
    assert Entry("dead.png", 0, 0) in entries


def test_pipes_are_left_out(root):
    os.mkfifo(root / "pipe.png")
    assert _paths(root) == sorted(FILES)


@pytest.mark.parametrize("name", ["missing", "b.png", "empty"])
def test_nothing_to_list(root, name):
    (root / "empty").mkdir()
    with pytest.raises(UserError, match=f"{name}.*allowed: a folder of images"):
        scan(root / name)


def test_patterns_that_leave_nothing(root):
    with pytest.raises(UserError, match=r"\*\.tiff"):
        scan(root, include=["*.tiff"])


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "train/x/1.png").write_bytes(b"more bytes than before"),
        lambda root: os.utime(root / "train/x/masks/1.png", ns=(1, 1)),
        lambda root: (root / "train/x/1.png").rename(root / "train/x/0.png"),
        lambda root: (root / "train/x/1.png").unlink(),
        lambda root: (root / "train/x/new.png").touch(),
    ],
    ids=["edited", "touched", "renamed", "removed", "added"],
)
def test_digest_sees_every_change(root, change):
    before = listing_digest(scan(root))
    assert listing_digest(scan(root)) == before
    change(root)
    assert listing_digest(scan(root)) != before


def test_digest_does_not_see_hidden_files(root):
    before = listing_digest(scan(root))
    (root / ".new").touch()
    assert listing_digest(scan(root)) == before


def test_imports_the_standard_library_only():
    """The module is imported by a Python without site-packages."""
    code = "import workflow_scripts.intake.listing, workflow_scripts.intake.labels"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)
