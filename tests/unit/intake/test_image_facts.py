"""Facts about images: brightness and sharpness, files and folders, and a table of the user."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from workflow_scripts.errors import UserError
from workflow_scripts.intake import image_facts
from workflow_scripts.intake.image_facts import appearance, facts_of_files, facts_of_images, facts_of_table
from workflow_scripts.io import store

MANIFEST = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "path": ["new/left/a.png", "new/b.png", "c.png"],
        "width": [8, 9, 8],
        "scale_um": ["1", "", "2.5"],
        "row": [3, 0, 2],
    }
)


def test_appearance_sees_light_and_blur() -> None:
    image = data.camera()[:128, :128]
    seen = appearance(np.stack([image, np.clip(image.astype(int) + 20, 0, 255).astype(np.uint8)]))
    assert seen["brightness"][1] - seen["brightness"][0] == pytest.approx(20, abs=0.5)
    blurred = appearance(np.stack([image, gaussian_filter(image, 2)]))
    assert blurred["sharpness"][1] < blurred["sharpness"][0] - 1
    flat = appearance(np.full((1, 8, 8), 7, np.uint8))
    assert flat["contrast"][0] == 0
    assert np.isnan(flat["sharpness"][0])


def test_images_of_a_subset_are_measured_in_its_order(tmp_path, monkeypatch):
    monkeypatch.setattr(image_facts, "AT_ONCE", 128)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)
    with store.writing(tmp_path / "images.h5", {"settings": {}, "code": "", "manifest": ""}) as file:
        file["images"] = images
    found = facts_of_images(str(tmp_path / "images.h5"), MANIFEST)
    np.testing.assert_allclose(found["brightness"], images[[3, 0, 2]].mean(axis=(1, 2)))
    np.testing.assert_allclose(found["contrast"], images[[3, 0, 2]].std(axis=(1, 2)))


def test_of_a_subset_only_its_own_images_are_read(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2000, 64, 64), dtype=np.uint8)
    with store.writing(tmp_path / "images.h5", {"settings": {}, "code": "", "manifest": ""}) as file:
        store.put(file, "images", images)
    rows = np.array([1, 2, 700, 1999])
    tracemalloc.start()
    found = facts_of_images(str(tmp_path / "images.h5"), pd.DataFrame({"row": rows}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found["brightness"], images[rows].mean(axis=(1, 2)))
    assert peak < images.nbytes / 4


def test_files_say_their_size_their_scale_and_their_folders():
    facts = facts_of_files(MANIFEST)
    assert facts["width"].tolist() == [8, 9, 8]
    np.testing.assert_array_equal(facts["scale_um"], [1, np.nan, 2.5])
    assert facts["folder, level 1"].tolist() == ["new", "new", ""]
    assert facts["folder, level 2"].tolist() == ["left", "", ""]


def test_a_table_goes_by_path_or_id_and_says_what_is_missing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("path,operator\nc.png,x\nnew/left/a.png,y\n")
    assert facts_of_table(str(path), MANIFEST)["operator"].fillna("").tolist() == ["y", "", "x"]
    path.write_text("image_id,room\na,1\nb,2\na,3\n")
    with pytest.raises(UserError, match="found a twice in image_id"):
        facts_of_table(str(path), MANIFEST)
    path.write_text("name,room\na,1\n")
    with pytest.raises(UserError, match="allowed: one of them image_id or path"):
        facts_of_table(str(path), MANIFEST)
    path.write_text("path,operator\nsome/where/c.png,x\n")
    with pytest.raises(UserError, match="found no path of an image, allowed: those of the manifest, such as 'new/left"):
        facts_of_table(str(path), MANIFEST)


def test_a_table_of_excel_is_read_and_a_broken_one_is_one_line(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{name};{value};{day}" for name, value, day in zip(MANIFEST["path"], ("1.5", "", "2"), "äöü", strict=True)]
    path.write_text("\n".join(["path;dose;day", *rows]), encoding="cp1252")
    facts = facts_of_table(str(path), MANIFEST)
    np.testing.assert_array_equal(facts["dose"], [1.5, np.nan, 2])
    assert facts["day"].tolist() == ["ä", "ö", "ü"]
    path.write_text('path;dose\n"a.png;1\nb.png;2\nc.png;3\n')
    with pytest.raises(UserError, match=r"table\.csv: "):
        facts_of_table(str(path), MANIFEST)
