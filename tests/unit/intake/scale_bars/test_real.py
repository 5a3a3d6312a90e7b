"""Scale bars of real micrographs from many makers of microscopes."""

import shutil
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.micrographs import judged_real
from workflow_scripts.intake.scale_bars.read import read_scale
from workflow_scripts.intake.scale_bars.stripe import grey_levels, image_rows
from workflow_scripts.intake.scale_bars.table import read_scales
from workflow_scripts.io.images import read_image

ROWS = {
    **{"01": 1152, "02": 699, "09": 718, "12": 718, "13": 480, "14": 960, "15": 682, "16": 960, "18": 1024, "19": 1024},
    **dict.fromkeys(("03", "04", "05", "06", "07", "08"), 964),
    **{"20": 901, "21": 960, "22": 350, "24": 512, "25": 528, "26": 204, "27": 428},
}
"""Rows of image above the stripe: where the mean change from row to row is sharpest; of 01 and 18 the tags agree."""

pytestmark = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not there (Debian: tesseract-ocr)"
)


def test_scales_are_right_or_missing_but_not_wrong(real_micrographs):
    truths = pd.read_csv(real_micrographs / "truth.csv")
    images = pd.DataFrame({"image_id": truths["file"], "path": truths["file"]})
    readings = read_scales(images, real_micrographs, workers=2)
    outcome = judged_real(readings, truths)
    table = truths.assign(outcome=outcome, **readings.add_prefix("read_")).to_string()
    is_published = truths["look"].str.startswith("published")
    assert (outcome != "wrong").all(), table
    assert (outcome[~is_published] == "right").mean() >= 0.85, table
    assert (outcome[is_published] == "right").mean() >= 0.5, table


@pytest.mark.parametrize("change", ["half the size", "negative", "strong compression"])
def test_changed_images_are_not_read_wrong(real_micrographs, tmp_path, change):
    truths = pd.read_csv(real_micrographs / "truth.csv")[::3]
    factor = 0.5 if change == "half the size" else 1
    readings = []
    for file in truths["file"]:
        image = Image.fromarray(grey_levels(read_image(real_micrographs / file)))
        changed(image, change).save(tmp_path / "a.png")
        readings.append(read_scale(tmp_path / "a.png"))
    table = pd.DataFrame([vars(reading) for reading in readings], index=truths.index)
    outcome = judged_real(table, truths.assign(nm_per_pixel=truths["nm_per_pixel"] / factor), factor)
    assert (outcome != "wrong").all(), truths.assign(outcome=outcome, **table.add_prefix("read_")).to_string()
    assert (outcome == "right").mean() >= (0.4 if factor < 1 else 0.8)


def changed(image, change):
    if change == "half the size":
        return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    if change == "negative":
        return Image.fromarray(255 - np.asarray(image))
    compressed = BytesIO()
    image.save(compressed, "jpeg", quality=60)
    return Image.open(compressed)


@pytest.mark.parametrize("number", ROWS)
def test_a_crop_loses_no_image_and_leaves_no_stripe(real_micrographs, number):
    (file,) = (path for path in real_micrographs.glob(f"{number}_*") if path.suffix != ".txt")
    rows = image_rows(grey_levels(read_image(file)))
    assert (rows.start, rows.stop) == (0, pytest.approx(ROWS[number], abs=1))
