"""Detection of masks in the folder layouts of public data sets."""

from time import process_time

import numpy as np
import pytest
import skimage.data
from bad_images import encoded
from PIL import Image

from workflow_scripts.errors import UserError
from workflow_scripts.intake.facts import Facts
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.masks import find_masks

SHADES = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)


def _write(root, path, pixels):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(root / path)


def _image(seed):
    return np.roll(SHADES, 7 * seed, axis=1) ^ np.uint8(seed)


def _mask(seed):
    mask = np.zeros((48, 64), np.uint8)
    mask[seed : seed + 9, 5:20] = 255
    return mask


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("MT_Break/Imgs/exp1_{}.jpg", "MT_Break/Imgs/exp1_{}.png"),
        ("images/{}.png", "masks/{}.png"),
        ("train/good/{}.png", "ground_truth/train/good/{}_mask.png"),
        ("JPEGImages/{}.jpg", "SegmentationObject/{}.png"),
        ("Defect_images/{}.png", "Mask_images/{}_mask.png"),
        ("train_img/{}.jpg", "train_lab/{}.png"),
        ("a/{}.bmp", "a/{}_GT.bmp"),
    ],
)
def test_masks_are_set_aside_with_the_name_of_their_image(tmp_path, image, mask):
    for seed in range(1, 4):
        _write(tmp_path, image.format(seed), _image(seed))
        _write(tmp_path, mask.format(seed), _mask(seed))
    inspected = inspect(tmp_path, scan(tmp_path))
    assert sorted(inspected.images["path"]) == [image.format(seed) for seed in range(1, 4)]
    rejected = inspected.set_aside.set_index("path")
    assert set(rejected["reason"]) == {"mask"}
    assert rejected.loc[mask.format(2), "detail"] == f"mask of {image.format(2)}"
    assert len(inspect(tmp_path, scan(tmp_path), masks="keep").images) == 6


def test_many_masks_of_the_same_name_take_seconds():
    """Comparing each of them with each image would take two minutes for 10 000 masks, and hours for 100 000."""
    same = ("PNG", 10, 10, "L", 1, 1, "", "", "", 0.5, 0.1, 1.0)
    image, mask = (Facts("", *same, levels, 1.0, 1.0) for levels in (200, 2))
    facts = {
        f"{folder}/case{n}/slice.png": fact for n in range(10_000) for folder, fact in (("a", image), ("gt", mask))
    }
    start = process_time()
    masks = find_masks(facts)
    assert process_time() - start < 20
    assert masks == {f"gt/case{n}/slice.png": f"a/case{n}/slice.png" for n in range(10_000)}


def test_of_two_namesakes_a_mask_belongs_to_the_nearer(tmp_path):
    for part in ("a", "b"):
        _write(tmp_path, f"{part}/images/1.png", _image(1 + (part == "b")))
        _write(tmp_path, f"{part}/masks/1.png", _mask(1 + (part == "b")))
    rejected = inspect(tmp_path, scan(tmp_path)).set_aside
    assert list(rejected["detail"]) == ["mask of a/images/1.png", "mask of b/images/1.png"]


def test_binary_images_without_a_partner_are_images(tmp_path):
    for seed in range(1, 4):
        _write(tmp_path, f"writing/{seed}.png", _mask(seed))
        _write(tmp_path, f"photos/{seed + 10}.png", _image(seed))
    assert len(inspect(tmp_path, scan(tmp_path)).images) == 6


def test_uniform_images_are_set_aside_by_name(tmp_path):
    _write(tmp_path, "white.png", np.full((48, 64), 255, np.uint8))
    _write(tmp_path, "black.png", np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(UserError, match=r"2 uniform; the first is 'black\.png'"):
        inspect(tmp_path, scan(tmp_path))
    (tmp_path / "shades.png").write_bytes(encoded(SHADES, "PNG"))
    inspected = inspect(tmp_path, scan(tmp_path))
    assert list(inspected.set_aside["reason"]) == ["uniform", "uniform"]
    assert inspected.near_duplicates.empty


def test_a_few_images_like_no_others_are_named(tmp_path):
    for seed in range(60):
        _write(tmp_path, f"data/{seed}.png", _image(seed))
    _write(tmp_path, "doc/plot.png", np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8))
    (note,) = [note for note in inspect(tmp_path, scan(tmp_path)).notes if "unusual size" in note]
    assert note == "1 image in 1 folder has an unusual size (exclude?): doc/plot.png"


def test_thumbnails_are_named_and_copies_of_programs_are_no_images(tmp_path):
    for number, photograph in enumerate((skimage.data.brick(), skimage.data.grass(), skimage.data.moon())):
        _write(tmp_path, f"data/{number}.png", photograph)
        _write(tmp_path, f"data/thumbnails/{number}.png", np.asarray(Image.fromarray(photograph).resize((64, 64))))
        _write(tmp_path, f"data/.ipynb_checkpoints/{number}.png", photograph)
        _write(tmp_path, f"__MACOSX/data/._{number}.png", photograph)
    inspected = inspect(tmp_path, scan(tmp_path))
    assert len(inspected.images) == 6
    (note,) = [note for note in inspected.notes if "thumbnails" in note]
    assert note.startswith("3 images are smaller copies of others with the same name (thumbnails; exclude?): ")
    assert note.endswith("data/thumbnails/0.png, data/thumbnails/1.png, data/thumbnails/2.png")
