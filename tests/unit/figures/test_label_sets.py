"""Sets of labels side by side, against counts by hand."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate
from PIL import Image
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.errors import UserError


def write_images(folder, labels):
    """Write image number i into the folder of its label; the pixels are those of the number."""
    for number, label in labels:
        path = folder / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(path)
    return str(folder)


@pytest.fixture
def inputs(tmp_path):
    """A data set of eight images, a folder of others' labels, a table of hashes, and a table of paths."""
    write_images(tmp_path / "own", [(number, "ab"[number > 3]) for number in range(8)])
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((tmp_path / "own").rglob("*.png"))]
    rows = {"image_id": [digest[:16] for digest in digests], "path": [f"{i}.png" for i in range(8)]}
    manifest = pd.DataFrame(rows).assign(label=[*"aaaabbb", ""])
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    others = write_images(tmp_path / "others", [(0, "x"), (1, "x"), (1, "y"), (2, "x"), (5, "y"), (6, "y"), (99, "z")])
    (tmp_path / "others" / "x" / "notes.txt").write_text("not an image")
    pd.DataFrame({"sha256": digests[:6], "label": [*"ababab"]}).to_csv(tmp_path / "hashes.csv", index=False)
    table = pd.DataFrame({"path": ["0.png", "7.png", "8.png"], "label": ["a", "b", "b"]})
    table.to_csv(tmp_path / "table.csv", index=False)
    sets = [others, str(tmp_path / "hashes.csv"), str(tmp_path / "table.csv")]
    return {"manifest": [str(tmp_path / "manifest.csv")], "sets": sets}


def test_counts_and_agreement_of_every_two(inputs):
    sets = dict(zip(["table", "folder", "hashes"], [*inputs["sets"][2:], *inputs["sets"][:2]], strict=True))
    table = tabulate("label_sets", [CELL], inputs, sets=sets)
    of_sets = table[table["part"] == "set"].set_index("name")
    columns = ["classes", "files", "contents", "found", "missing", "conflicting", "conflicting_files"]
    assert of_sets[columns].to_numpy(int).tolist() == [
        *([2, 7, 7, 7, 0, 0, 0], [3, 7, 6, 5, 1, 1, 2], [2, 6, 6, 6, 0, 0, 0], [2, 3, 2, 2, 1, 0, 0])
    ]
    pairs = table[table["part"] == "pair"].set_index(["name", "other"])
    assert len(pairs) == 6
    own = pairs.loc[("this data set", "folder")]
    assert [own["common"], own["same"], own["ari"]] == [4, 0, 1]  # 0 and 2 against 5 and 6, under other names
    hashes = pairs.loc[("this data set", "hashes")]
    assert hashes["ari"] == pytest.approx(adjusted_rand_score([*"aaaabb"], [*"ababab"]))
    assert hashes["same"] == pytest.approx(3 / 6)
    assert np.isnan(pairs.loc[("this data set", "table"), "ari"])  # one common image
    texts = {text.get_text() for ax in draw("label_sets", table, inputs).axes for text in ax.texts}
    assert {"1.00 (4)", "–", "1  folder"} <= texts


def test_parts_of_one_file_are_compared_one_by_one(inputs, tmp_path):
    paths = [f"a.png#xywh={x},0,8,8" for x in range(0, 48, 8)]
    given = {"path": paths, "label": [*"AABBBC"]}
    ids = [f"0123456789abcdef-1-{x}-0-8-8" for x in range(0, 48, 8)]
    place = {"parent": "a.png", "page": 1, "x": range(0, 48, 8), "y": 0, "group": "a.png"}
    pd.DataFrame({"image_id": ids, **given, **place}).to_csv(tmp_path / "tiles.csv", index=False)
    pd.DataFrame(given).to_csv(tmp_path / "same.csv", index=False)
    tiles = {"manifest": [str(tmp_path / "tiles.csv")], "sets": [str(tmp_path / "same.csv")]}
    own, same, pair = tabulate("label_sets", [CELL], tiles, sets={"same": ""}).to_dict("records")
    for counts in (own, same):
        assert [counts[name] for name in ("classes", "contents", "found", "conflicting")] == [3, 6, 6, 0]
    assert [pair["common"], pair["same"], pair["ari"]] == [6, 1, 1]
    for of_files in inputs["sets"][:2]:
        with pytest.raises(UserError, match=r"sets: same: found labels of whole files, allowed: .*a.png#xywh=0,0,8,8"):
            tabulate("label_sets", [CELL], tiles | {"sets": [of_files]}, sets={"same": ""})


def test_a_set_called_as_the_own_labels_does_not_replace_them(inputs):
    table = tabulate("label_sets", [CELL], inputs | {"sets": inputs["sets"][2:]}, sets={"this data set": ""})
    assert list(table["name"][:2]) == ["(this data set)", "this data set"]
    assert list(table["files"][:2]) == [7, 3]


def test_a_folder_without_images_in_folders_is_said(inputs, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("a")
    inputs["sets"] = [str(tmp_path / "empty")]
    with pytest.raises(UserError, match=r"sets: .*empty: .*found the rule folder"):
        tabulate("label_sets", [CELL], inputs, sets={"empty": ""})
