"""The table of what intake did: what was taken in, how it was labelled, and what was set aside."""

import numpy as np
import pandas as pd
from bad_images import COLOUR, GREY, encoded

from tests.unit.intake.files import label_inspected, write_files
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.summary import COLUMNS

A, B, C = (encoded(pixels, "PNG") for pixels in (COLOUR, GREY, COLOUR[::-1]))


def test_the_summary_tells_the_rule_what_was_refused_and_what_was_set_aside(tmp_path):
    """Two classes by prefix in one folder, an image without a number, a file that is no image, and a copy."""
    images = [np.random.default_rng(seed).integers(0, 256, (32, 32), np.uint8) for seed in range(5)]
    names = ("Cr_1", "Cr_2", "Cr_3", "In_1", "In_2")
    files = {f"data__{name}": encoded(image, "PNG") for name, image in zip(names, images, strict=True)}
    write_files(tmp_path, **files, data__Cr_9=files["data__Cr_1"], data__text=b"text")
    summary = label_inspected(inspect(tmp_path, scan(tmp_path)), rule="auto").intake_summary
    assert tuple(summary.columns) == COLUMNS
    rows = [
        tuple(None if value is pd.NA else value for value in row) for row in summary.to_numpy(dtype=object).tolist()
    ]
    assert rows[:4] == [
        ("taken in", 5, ""),
        ("labels", 5, "prefix of the file's name"),
        ("about labels", None, "no labels.csv"),
        ("about labels", None, "folder, level -1: one class for all"),
    ]
    assert rows[4:6] == [("class", 3, "Cr"), ("class", 2, "In")]
    assert rows[6] == ("set aside", 1, "duplicate content; the first is data/Cr_9.png: same bytes as data/Cr_1.png")
    assert rows[7][:2] == ("set aside", 1)
    assert rows[7][2].startswith("not an image; the first is data/text.png: ")
    assert len(rows) == 8


def test_the_summary_counts_images_without_a_label(tmp_path):
    write_files(tmp_path, a=A, b=B, c=C)
    (tmp_path / "t.csv").write_text("path,label\na.png,=1+1\nb.png,none\n")
    labelled = label_inspected(inspect(tmp_path, scan(tmp_path)), rule="csv", file=str(tmp_path / "t.csv"))
    rows = set(map(tuple, labelled.intake_summary[["subject", "detail"]].to_numpy()))
    assert {("class", "=1+1"), ("class", "none"), ("without a label", "the first is c.png")} < rows
