"""Tiles, boxes and pages as images: what they cover, that their pixels are those of the file, and what is left out."""

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from tests.micrographs import write_micrographs
from tests.unit.intake.files import through_csv
from workflow_scripts.errors import UserError
from workflow_scripts.intake import regions
from workflow_scripts.intake.boxes import Annotated, Box, Boxes
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.manifest import label
from workflow_scripts.intake.regions import Tiling, cut_boxes, cut_tiles, origins, pages_of
from workflow_scripts.io.memory import reading_processes
from workflow_scripts.preprocess.stack import write_stack

NOISE = np.random.default_rng(0)


def write(path, shape, dtype=np.uint8):
    pixels = NOISE.integers(0, 255, shape).astype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def inspected(folder):
    return inspect(folder, scan(folder))


def cut_up(folder, **how):
    if "boxes" in how:
        return cut_boxes(through_csv(inspected(folder).images), **how)
    return cut_tiles(through_csv(inspected(folder).images), folder, how.pop("tiling", None), **how)


def stacked(folder, tmp_path, regions):
    """Return the images that preprocessing makes of the regions, with no step at all."""
    regions.table.to_csv(tmp_path / "regions.csv", index=False)
    write_stack(
        str(tmp_path / "stack.h5"), table=str(tmp_path / "regions.csv"), folder=str(folder), max_pixels=10**6,
        steps=[], code="", workers=2, progress=lambda done, total: None,
    )  # fmt: skip
    with h5py.File(tmp_path / "stack.h5") as file:
        return file["images"][:]


@pytest.mark.parametrize(("length", "size", "stride"), [(100, 30, 30), (100, 30, 7), (64, 64, 8), (65, 64, 64)])
def test_tiles_cover_a_side_and_stay_inside(length, size, stride):
    starts = origins(length, size, stride)
    covered = {pixel for start in starts for pixel in range(start, start + size)}
    assert covered == set(range(length))
    assert max(np.diff([*starts]), default=0) <= stride


def test_the_pixels_of_tiles_are_those_of_the_file(tmp_path):
    one, two = write(tmp_path / "data/a/1.png", (70, 90)), write(tmp_path / "data/b/2.png", (48, 48))
    regions = cut_up(tmp_path / "data", tiling=Tiling(32, 20))
    images = stacked(tmp_path / "data", tmp_path, regions)
    for row, image in zip(regions.table.itertuples(), images, strict=True):
        whole = one if row.parent == "a/1.png" else two
        assert (image == whole[row.y : row.y + row.height, row.x : row.x + row.width]).all()
        assert row.path == f"{row.parent}#xywh={row.x},{row.y},{row.width},{row.height}"
    assert regions.table["image_id"].is_unique
    assert regions.notes == (f"{len(images)} parts of 2 files are the images",)


def test_a_tile_is_set_aside_by_the_table_that_sets_files_aside(tmp_path):
    """The explorer of tiles exports both; a table of tiles alone leaves all files."""
    for name in ("1.png", "2.png", "3.png"):
        write(tmp_path / "data" / name, (32, 64))
    tile, table = "1.png#xywh=32,0,32,32", tmp_path / "picked.csv"
    folder, tables = tmp_path / "data", [str(table)]
    for rows, files in (
        (f'"{tile}",,yes\n', ["1.png", "2.png", "3.png"]),
        (f'"{tile}",,yes\n2.png,,yes\n', ["1.png", "3.png"]),
    ):
        table.write_text(f"path,label,set_aside\n{rows}")
        found = inspect(folder, scan(folder), excluded=tables)
        assert found.images["path"].tolist() == files
        made = cut_tiles(through_csv(found.images), folder, tiling=Tiling(32, 32), excluded=tables)
        assert len(made.table) == 2 * len(files) - 1
        assert made.set_aside[["path", "reason"]].to_numpy().tolist() == [[tile, "set aside by hand"]]
    aside = pd.concat([found.set_aside, made.set_aside])
    by_hand = label(through_csv(made.table), through_csv(aside), {"rule": "none"}, excluded=tables).by_hand
    assert by_hand[["path", "set_aside"]].to_numpy().tolist() == [[tile, "yes"], ["2.png", "yes"]]


def test_pages_are_images_and_a_broken_one_is_left_out(tmp_path):
    (tmp_path / "data").mkdir()
    pages = NOISE.integers(0, 60_000, (3, 40, 40), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "data/s.tif", pages, photometric="minisblack")
    single = write(tmp_path / "data/t.png", (40, 40))
    regions = cut_up(tmp_path / "data", all_pages=True)
    assert list(regions.table["path"]) == ["s.tif#page=1", "s.tif#page=2", "s.tif#page=3", "t.png"]
    images = stacked(tmp_path / "data", tmp_path, regions)
    np.testing.assert_array_equal(images[:3], np.rint(pages / 65535 * 255))
    np.testing.assert_array_equal(images[3], single)
    with tifffile.TiffWriter(tmp_path / "data/s.tif") as tiff:
        tiff.write(pages[0], photometric="minisblack")
        tiff.write(pages[1].astype(np.complex64))
    regions = cut_up(tmp_path / "data", all_pages=True)
    assert list(regions.table["path"]) == ["s.tif#page=1", "t.png"]
    assert list(regions.set_aside["path"]) == ["s.tif#page=2"]


def test_the_largest_of_all_pages_decides_how_many_processes_read(tmp_path):
    """The second page has 1.5 million pixels of 24 bytes, at most; the job has 100 MB for them."""
    with tifffile.TiffWriter(tmp_path / "s.tif") as tiff:
        tiff.write(NOISE.integers(0, 255, (40, 50), dtype=np.uint8), photometric="minisblack")
        tiff.write(NOISE.random((1000, 1500), dtype=np.float32), photometric="minisblack")
    images = through_csv(inspected(tmp_path).images)
    at_once = [reading_processes(8, pages_of(images, tmp_path, all_pages), 500) for all_pages in (False, True)]
    assert at_once == [8, 2]
    assert reading_processes(8, pages_of(images, tmp_path, True, max_pixels=10**6), 500) == 8
    regions = cut_up(tmp_path, all_pages=True, workers=2).table
    assert regions[["path", "width", "height", "mode"]].to_numpy().tolist() == [
        ["s.tif#page=1", 50, 40, "L"],
        ["s.tif#page=2", 1500, 1000, "F"],
    ]


def test_tiles_of_equal_physical_size_and_none_without_a_scale(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.png", (120, 120))
    tiling = Tiling(1.0, None, um=True)
    regions = cut_up(tmp_path, tiling=tiling, nm_per_pixel={"a.png": 20.0, "b.png": 10.0})
    sides = regions.table.groupby("parent")["width"].unique().map(list).to_dict()
    assert sides == {"a.png": [50], "b.png": [100]}
    assert list(regions.set_aside["path"]) == ["c.png"]
    assert list(regions.set_aside["reason"]) == ["no scale"]
    uneven = (
        "tiles of 1 µm have sides of 50 to 100 pixels, so that clusters may follow the magnification: resize to 50 x 50"
    )
    assert [note.startswith(uneven) for note in regions.notes] == [False, True, False]
    even = cut_up(tmp_path, tiling=tiling, nm_per_pixel={"a.png": 15.0, "b.png": 10.0})  # 67 and 100 pixels
    assert not any("magnification" in note for note in even.notes)
    with pytest.raises(UserError, match=r"^intake: no part of an image is left: the first is 'a.png', no scale: "):
        cut_up(tmp_path, tiling=tiling)


def test_tiles_leave_the_data_stripe_out(tmp_path):
    truths = write_micrographs(tmp_path, 3, seed=3).set_index("file")
    regions = cut_up(tmp_path, tiling=Tiling(64, 64)).table
    for name, of_image in regions.groupby("parent"):
        height = int(truths.loc[name, "stripe_top"]) if "stripe_top" in truths else None
        with Image.open(tmp_path / name) as image:
            whole = image.height
        assert (of_image["y"] + of_image["height"]).max() <= (height or whole - 1)


def test_the_longer_side_of_a_strip_is_cut_by_the_shorter(tmp_path):
    write(tmp_path / "strip.png", (32, 500))
    table = cut_up(tmp_path, tiling=Tiling("shortest", None)).table
    assert set(zip(table["width"], table["height"], strict=True)) == {(32, 32)}
    assert (table["x"].min(), (table["x"] + 32).max(), len(table)) == (0, 500, 16)


def test_the_shorter_side_is_that_without_the_data_stripe(tmp_path):
    truths = write_micrographs(tmp_path, 3, seed=3).set_index("file")
    regions = cut_up(tmp_path, tiling=Tiling("shortest", None))
    assert set(regions.table["parent"]) == set(truths.index)
    assert regions.set_aside.empty
    for name, tiles in regions.table.groupby("parent"):
        assert (tiles["height"] <= truths.loc[name, "bottom"] - truths.loc[name, "top"]).all()


def test_boxes_have_a_margin_and_end_where_the_image_ends(tmp_path):
    pixels = write(tmp_path / "data/a.png", (60, 80))
    write(tmp_path / "data/b.png", (60, 80))
    write(tmp_path / "data/c.png", (60, 80))
    boxes = (
        Box(10, 20, 30, 40, "bolt"),
        Box(70, 10, 90, 30, "nut"),
        Box(10, 20, 30, 40, "nut"),
        Box(99, 0, 120, 20, "nut"),
    )
    found = Boxes("x.json", {"a.png": Annotated(boxes, (80, 60)), "b.png": Annotated(boxes, (60, 80))})
    regions = cut_up(tmp_path / "data", boxes=found, margin=0.1, min_size=4)
    at = regions.table[["x", "y", "width", "height", "box_label"]].to_numpy().tolist()
    assert at == [[8, 18, 24, 24, "bolt"], [68, 8, 12, 24, "nut"]]
    reasons = regions.set_aside.groupby("path")["reason"].agg(list).to_dict()
    assert reasons.pop("b.png") == ["box that does not fit"]
    assert reasons.pop("c.png") == ["no box"]
    assert [each for of_path in reasons.values() for each in of_path] == ["box that does not fit"] * 2
    first = regions.table.iloc[[0]]
    image = stacked(tmp_path / "data", tmp_path, type(regions)(first, regions.set_aside, ()))[0]
    assert (image == pixels[18:42, 8:32]).all()


def test_parts_have_the_label_of_their_file_or_of_their_box(tmp_path):
    for folder in ("cat", "dog"):
        for number in range(3):
            write(tmp_path / f"{folder}/{number}.png", (40, 60))
    whole = inspected(tmp_path)
    tiles = cut_tiles(through_csv(whole.images), tmp_path, tiling=Tiling(20, 20))
    labelled = label(through_csv(tiles.table), whole.set_aside, {"rule": "auto", "file": None})
    assert (labelled.manifest["label"] == labelled.manifest["parent"].str.split("/").str[0]).all()
    boxes = Boxes("x", {"cat/0.png": Annotated((Box(0, 0, 20, 20, "ear"), Box(20, 20, 40, 40, "paw")), None)})
    found = Boxes("x", {"cat/0.png": Annotated(boxes.by_path["cat/0.png"].boxes, (60, 40))})
    crops = cut_boxes(through_csv(whole.images), found)
    labelled = label(through_csv(crops.table), whole.set_aside, {"rule": "auto", "file": None})
    assert list(labelled.manifest["label"]) == ["ear", "paw"]
    table = tmp_path / "corrections.csv"
    pd.DataFrame({"path": crops.table["path"][:1], "label": "tail"}).to_csv(table, index=False)
    labelled = label(
        through_csv(crops.table), whole.set_aside, {"rule": "auto", "file": None}, corrections=[str(table)]
    )
    assert list(labelled.manifest["label"]) == ["tail", "paw"]


def test_a_duplicate_of_a_file_without_a_box_is_set_aside(tmp_path):
    pixels = write(tmp_path / "a.png", (40, 60))
    Image.fromarray(pixels).save(tmp_path / "b.png")
    write(tmp_path / "c.png", (40, 60))
    whole = inspected(tmp_path)
    crops = cut_boxes(
        through_csv(whole.images), Boxes("x", {"c.png": Annotated((Box(0, 0, 20, 20, "ear"),), (60, 40))})
    )
    set_aside = through_csv(pd.concat([whole.set_aside, crops.set_aside]))
    labelled = label(through_csv(crops.table), set_aside, {"rule": "auto", "file": None})
    assert labelled.rejected[["path", "reason"]].to_numpy().tolist() == [
        ["b.png", "duplicate content"],
        ["a.png", "no box"],
    ]


def test_a_corrected_label_of_a_file_is_that_of_its_tiles(tmp_path):
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        write(tmp_path / f"data/{name}.png", (20, 40))
    whole = inspected(tmp_path / "data")
    tiles = cut_tiles(through_csv(whole.images), tmp_path / "data", tiling=Tiling(20, 20))
    corrections = tmp_path / "corrections.csv"
    corrections.write_text('path,label\ncat/0.png,dog\n"cat/0.png#xywh=20,0,20,20",bird\n')
    labelled = label(through_csv(tiles.table), whole.set_aside, {"rule": "folder"}, corrections=[str(corrections)])
    assert list(labelled.manifest["label"]) == ["dog", "bird", "cat", "cat", "dog", "dog", "dog", "dog"]


def test_tiles_that_were_set_aside_are_forgotten_if_no_tile_fits(tmp_path):
    write(tmp_path / "data/a.png", (40, 60))
    excluded = tmp_path / "excluded.csv"
    excluded.write_text('path,set_aside\n"a.png#xywh=0,0,20,20",yes\n')
    with pytest.raises(UserError, match=r"^intake: no part of an image is left: the first is 'a.png', too small: "):
        cut_up(tmp_path / "data", tiling=Tiling(50, 50), excluded=[str(excluded)])


def test_a_tile_is_as_wide_as_its_own_pixels(tmp_path):
    write(tmp_path / "a.png", (40, 60))
    whole = inspected(tmp_path)
    tiles = cut_tiles(through_csv(whole.images), tmp_path, tiling=Tiling(20, 20))
    scales = pd.DataFrame({"path": ["a.png"], "scale_um": ["1"], "nm_per_pixel": ["50"], "field_um": ["3"]})
    manifest = label(through_csv(tiles.table), whole.set_aside, {"rule": "none"}, scales=scales).manifest
    assert set(manifest["field_um"]) == {"1"}


def test_the_workers_do_not_matter(tmp_path):
    for name in "abcd":
        write(tmp_path / f"{name}.png", (50, 60))
    one, three = (cut_up(tmp_path, tiling=Tiling(20, 15), workers=workers) for workers in (1, 3))
    pd.testing.assert_frame_equal(one.table, three.table)


def test_a_part_that_is_too_large_to_be_preprocessed_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(regions, "LARGEST_IMAGE", 50**2)
    write(tmp_path / "a.png", (50, 60))
    write(tmp_path / "b.png", (60, 70))
    made = cut_up(tmp_path, tiling=Tiling("shortest", None))
    assert set(made.table["parent"]) == {"a.png"}
    left_out = made.set_aside[["path", "reason", "detail"]].to_numpy().tolist()
    assert left_out == [["b.png", "too large", "a tile has 60 x 60 pixels, allowed: 2500 in all"]]
    boxes = Boxes("x", {"a.png": Annotated((Box(0, 0, 50, 50, "ear"), Box(0, 0, 60, 50, "paw")), (60, 50))})
    made = cut_up(tmp_path, boxes=boxes)
    assert list(made.table["box_label"]) == ["ear"]
    assert "it has 60 x 50 pixels, allowed: 2500 in all" in list(made.set_aside["detail"])
