"""Images that look alike: pairs that are listed, images that are left out on request, and images that stay."""

import re
from dataclasses import replace
from time import process_time

import numpy as np
import pandas as pd
import pytest
from bad_images import COLOUR, GREY, encoded
from PIL import Image, ImageDraw

from tests.unit.intake.files import label_inspected, write_files
from workflow_scripts.intake import duplicates
from workflow_scripts.intake.duplicates import PAIR_COLUMNS, look_alikes
from workflow_scripts.intake.facts import Facts
from workflow_scripts.intake.inspection import FORMAT_COLUMNS, inspect
from workflow_scripts.intake.listing import scan


def _facts(**looks):
    """Return facts of images with the given perceptual hashes, or with the given hashes of look and pixels."""
    rows = {path: look if isinstance(look, tuple) else (look, path) for path, look in looks.items()}
    return {
        path: Facts(path, "PNG", 1, 1, "L", 1, 1, pixels, f"{look:016x}", "0" * 64, 0.5, 0.2, 1.0, 200, 1.0, 1.0)
        for path, (look, pixels) in rows.items()
    }


def _dropped(facts, distance, visual):
    return {path: (copy.first, str(copy.reason)) for path, copy in look_alikes(facts, distance, visual).dropped.items()}


CHAIN = _facts(a=0b0000, b=0b0011, c=0b1111, d=0b1111, e=0xFF00)
"""b is near to both a and c, which are not near to each other; d has the hash of c."""


def test_pairs_name_all_earlier_ones_and_the_first_of_the_same_hash():
    pairs = look_alikes(CHAIN, 2, "report").pairs
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert pairs.to_numpy().tolist() == [["b", "a", "near", 2], ["c", "b", "near", 2], ["d", "c", "near", 0]]


def test_what_is_near_to_a_dropped_one_stays():
    assert _dropped(CHAIN, 2, "report") == _dropped(CHAIN, 2, "drop_same_pixels") == {}
    assert _dropped(CHAIN, 2, "drop") == {"b": ("a", "near-duplicate"), "d": ("c", "near-duplicate")}


def test_same_pixels_are_listed_once_and_stay_with_the_first_that_stays():
    facts = _facts(a=(0, "p"), b=(1, "q"), c=(1, "q"), d=(0, "p"))
    alike = look_alikes(facts, 1, "report")
    assert alike.pairs.to_numpy().tolist() == [
        ["b", "a", "near", 1],
        ["c", "b", "same pixels", 0],
        ["d", "a", "same pixels", 0],
    ]
    assert alike.notes == ("look-alikes: 2 images with the pixels of an earlier one, 1 near pair",)
    assert _dropped(facts, 1, "drop_same_pixels") == {"c": ("b", "duplicate pixels"), "d": ("a", "duplicate pixels")}
    near = ("a", "near-duplicate")
    assert _dropped(facts, 1, "drop") == {"b": near, "c": near, "d": ("a", "duplicate pixels")}


def test_a_pair_is_near_only_where_the_finer_hash_says_so_too():
    facts = _facts(a=0, b=0, c=0b1)
    facts["b"] = replace(facts["b"], fine_look=f"{2**25 - 1:064x}")
    facts["c"] = replace(facts["c"], fine_look=f"{2**24 - 1:064x}")
    alike = look_alikes(facts, 1, "drop")
    assert alike.pairs.to_numpy().tolist() == [
        ["b", "a", "roughly alike", 0],
        ["c", "a", "near", 1],
        ["c", "b", "near", 1],
    ]
    assert {path: copy.first for path, copy in alike.dropped.items()} == {"c": "a"}
    assert alike.notes == (
        "look-alikes: 0 images with the pixels of an earlier one, 2 near pairs, 1 pair only roughly alike",
    )


def _drawn(shape, folder):
    """Draw an object with a texture of its own in the middle of a white ground."""
    image = Image.new("L", (256, 256), 245)
    draw = ImageDraw.Draw(image)
    box = (78, 78, 178, 178)
    getattr(draw, "ellipse" if shape % 2 else "rounded_rectangle")(box, fill=120, outline=60, width=4)
    rng = np.random.default_rng(shape)
    for x, y in rng.integers(88, 150, (12, 2)).tolist():
        draw.ellipse((x, y, x + 14, y + 14), fill=int(rng.integers(70, 200)))
    image.save(folder / f"{shape}.png")
    return image


def test_objects_on_a_plain_ground_are_no_copies_of_each_other_and_copies_are(tmp_path):
    drawn = [_drawn(shape, tmp_path) for shape in range(30)]
    for shape, image in enumerate(drawn[:10]):
        image.save(tmp_path / f"{shape}_copy.jpg", quality=80)
        image.resize((180, 180)).save(tmp_path / f"{shape}_small.png")
    inspected = inspect(tmp_path, scan(tmp_path), visual_duplicates="drop", near_distance=8)
    pairs = inspected.near_duplicates
    pairs["same"] = [
        re.match(r"\d+", path)[0] == re.match(r"\d+", other)[0] for path, other in pairs[["path", "other"]].to_numpy()
    ]
    assert (pairs.loc[~pairs["same"], "kind"] == "roughly alike").sum() > 20
    assert set(pairs.loc[~pairs["same"], "kind"]) == {"roughly alike"}
    assert set(inspected.images["path"].str.extract(r"(\d+)")[0]) == {str(shape) for shape in range(30)}
    assert len(inspected.images) == 30


def test_images_that_are_all_alike_make_no_more_pairs_than_images():
    facts = _facts(**{f"blank_{number:03d}": 0 for number in range(300)})
    assert len(look_alikes(facts, 4, "report").pairs) == 299
    assert len(_dropped(facts, 4, "drop")) == 299


def test_a_long_list_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 10)
    alike = look_alikes(_facts(**{f"p{number:02d}": 1 << number for number in range(20)}), 2, "drop")
    assert len(alike.pairs) == 10
    assert alike.notes == (
        "look-alikes: 0 images with the pixels of an earlier one, 190 near pairs; only 10 are listed: lower "
        "intake.near_distance",
    )
    assert len(alike.dropped) == 19


A, B = encoded(GREY, "PNG"), encoded(COLOUR, "PNG")


@pytest.fixture
def folder(tmp_path):
    """Write an image, a copy of its bytes, its pixels in another format, and another image."""
    write_files(tmp_path, x__1=A, y__copy=A, y__other=B)
    (tmp_path / "y" / "pixels.bmp").write_bytes(encoded(GREY, "BMP"))
    (tmp_path / "y" / "scan.pdf").write_bytes(b"%PDF-1.7 ...")
    return tmp_path


def test_by_default_look_alikes_are_reported_and_stay(folder):
    inspected = inspect(folder, scan(folder))
    assert list(inspected.images["path"]) == ["x/1.png", "y/other.png", "y/pixels.bmp"]
    assert inspected.near_duplicates.to_numpy().tolist() == [["y/pixels.bmp", "x/1.png", "same pixels", 0]]


@pytest.mark.parametrize("visual", ["drop_same_pixels", "drop"])
def test_dropped_look_alikes_are_set_aside_with_their_labels_compared(folder, visual):
    inspected = inspect(folder, scan(folder), visual_duplicates=visual)
    assert list(inspected.images["path"]) == ["x/1.png", "y/other.png"]
    rejected = label_inspected(inspected, rule="folder").rejected
    same = "which stays; labels 'x' there, 'y' here"
    assert rejected.to_numpy().tolist() == [
        ["y/copy.png", "duplicate with another label", f"same bytes as x/1.png, {same}"],
        ["y/pixels.bmp", "duplicate with another label", f"same pixels as x/1.png, {same}"],
        ["y/scan.pdf", "format PDF is not read", rejected["detail"].iloc[2]],
    ]
    assert list(label_inspected(inspected, rule="none").rejected["reason"])[:2] == [
        "duplicate content",
        "duplicate pixels",
    ]


def test_a_copy_of_a_dropped_look_alike_is_as_near_as_that(tmp_path):
    write_files(tmp_path, a=A)
    for name in ("b", "c"):
        (tmp_path / f"{name}.bmp").write_bytes(encoded(GREY, "BMP"))
    set_aside = inspect(tmp_path, scan(tmp_path), visual_duplicates="drop_same_pixels").set_aside
    assert set_aside[["path", "detail", "same_as"]].to_numpy().tolist() == [
        ["b.bmp", "same pixels as a.png", "a.png"],
        ["c.bmp", "same pixels as a.png", "a.png"],
    ]


def test_kept_copies_have_the_same_pixels(tmp_path):
    write_files(tmp_path, a=A, b=A)
    inspected = inspect(tmp_path, scan(tmp_path), duplicates="keep")
    assert len(inspected.images) == 2
    assert inspected.near_duplicates.to_numpy().tolist() == [["b.png", "a.png", "same pixels", 0]]


def test_formats_are_counted_by_content_and_by_what_became_of_them(folder):
    (folder / "cut.tif").write_bytes(encoded(COLOUR, "TIFF")[:-1000])
    (folder / "named_wrongly.jpg").write_bytes(encoded(COLOUR[::-1], "PNG"))
    (folder / "text.jpg").write_bytes(b"text")
    (folder / "notes.txt").write_bytes(b"text")
    formats = inspect(folder, scan(folder)).formats
    assert tuple(formats.columns) == FORMAT_COLUMNS
    expected = [
        ["PNG", 4, 3, 1, 0],
        [".txt", 1, 0, 0, 1],
        ["BMP", 1, 1, 0, 0],
        ["PDF", 1, 0, 0, 1],
        ["TIFF", 1, 0, 0, 1],
        ["other", 1, 0, 0, 1],
    ]
    assert formats.to_numpy().tolist() == expected
    assert formats["files"].sum() == len(scan(folder))
    assert isinstance(formats, pd.DataFrame)


def test_millions_of_pairs_that_are_only_roughly_alike_take_seconds():
    """Images of single objects on a dark ground all have nearly the same coarse hash; one by one, 8 million pairs took
    20 s."""
    drawn = np.random.default_rng(0).integers(0, 256, (4000, 32), dtype=np.uint8)
    one = _facts(one=0)["one"]
    facts = {f"{n}.png": replace(one, pixels=str(n), fine_look=fine.tobytes().hex()) for n, fine in enumerate(drawn)}
    start = process_time()
    alike = look_alikes(facts, 4, "report")
    assert process_time() - start < 8
    assert len(alike.pairs) == 200_000
    assert alike.notes == (
        "look-alikes: 0 images with the pixels of an earlier one, 0 near pairs, 7,998,000 pairs only roughly alike; "
        "only 200000 are listed: lower intake.near_distance",
    )
