"""Names of images and of parts of files."""

import pytest

from workflow_scripts.intake.image_index import ImageIndex, file_of, is_of_part

ID = "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a/b.tif#page=2", "a/b.tif"),
        ("a.png#xywh=0,0,10,10", "a.png"),
        ("a.tif#page=2&xywh=0,0,10,10", "a.tif"),
        (f"{ID}-1-0-0-10-10", ID),
        ("a#1.png", "a#1.png"),
        ("a#page=1/b.png", "a#page=1/b.png"),
        (f"{ID}-2", f"{ID}-2"),
        ("scan-1-2-3-4-5", "scan-1-2-3-4-5"),
    ],
)
def test_the_file_of_a_part(name, file):
    assert file_of(name) == file
    assert is_of_part(name) == (name != file)


def test_an_image_is_named_by_its_path_ends_of_it_its_stem_or_its_id():
    index = ImageIndex({"a/1.png": "id1", "b/1.png": "id2", "b/e\u0301.png": "id3"})
    for name in ("b/\u00e9.png", "\u00e9", "b\\e\u0301", "/data/b/\u00e9.png", "id3"):
        assert index.images_named(name) == {"b/e\u0301.png"}
    assert index.images_named("1.png") == {"a/1.png", "b/1.png"}
    assert index.images_named("c/1.png") == set()
    assert index.of_files() is index
