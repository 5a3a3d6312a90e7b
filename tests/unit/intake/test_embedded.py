"""The embedded data set: many different crops with the pixels of the photographs, the same each time."""

import hashlib

import numpy as np
import pytest
from skimage import data

from workflow_scripts.intake.embedded import PHOTOGRAPHS, SIDES, write_embedded
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.manifest import label
from workflow_scripts.io.images import read_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("embedded")
    write_embedded(path)
    return path


def test_enough_of_everything(folder):
    inspection = inspect(folder, scan(folder), workers=2)
    assert inspection.set_aside.empty
    manifest = label(inspection.images, inspection.set_aside, {"rule": "auto"}).manifest
    counts = manifest["label"].value_counts()
    assert set(counts.index) == set(PHOTOGRAPHS)
    assert len(counts) >= 8
    assert len(manifest) >= 300
    assert counts.min() >= 10
    assert counts.nunique() > 4
    sides = manifest[["width", "height"]].to_numpy()
    assert sides.min() >= SIDES[0]
    assert sides.max() <= SIDES[1]
    assert len(np.unique(sides, axis=0)) > 50
    assert set(manifest["mode"]) == {"L", "RGB"}


def test_the_same_bytes_each_time(folder, tmp_path):
    assert write_embedded(tmp_path) == len(scan(folder))

    def digests(root):
        return {entry.path: hashlib.sha256((root / entry.path).read_bytes()).digest() for entry in scan(root)}

    assert digests(folder) == digests(tmp_path)


@pytest.mark.parametrize(("name", "photograph"), [("coins", data.coins), ("tissue", data.immunohistochemistry)])
def test_crops_are_pixels_of_the_photograph(folder, name, photograph):
    pixels = photograph()
    for path in sorted((folder / name).iterdir())[:5]:
        crop = read_image(path)
        windows = np.argwhere(
            (pixels[: -SIDES[0], : -SIDES[0]] == crop[0, 0])
            .reshape(*np.subtract(pixels.shape[:2], SIDES[0]), -1)
            .all(-1)
        )
        height, width = crop.shape[:2]
        assert any(np.array_equal(pixels[y : y + height, x : x + width], crop) for y, x in windows)


def test_no_crop_is_empty(folder):
    for entry in scan(folder):
        pixels = read_image(folder / entry.path)
        assert pixels.astype(float).mean(axis=tuple(range(2, pixels.ndim))).std() > 4
