"""Labels brought from a folder of labelled images by their content, through the workflow."""

import shutil

import pandas as pd
import pytest
from PIL import Image

from tests.conftest import CLASSES, PER_CLASS

MANIFEST = "results/small/manifest.csv"
FIGURE = "results/small/figures/compared/sets.png"


@pytest.fixture
def project(tmp_path, fresh):
    """The fresh project; a folder beside it has some of its images under other names, sorted by class."""
    project = fresh.copy(tmp_path / "project")
    known = tmp_path / "known"
    for name in CLASSES:
        (known / name).mkdir(parents=True)
        for number, crop in enumerate(sorted((project.folder / "pictures" / name).iterdir())):
            if number == 0:
                Image.open(crop).save(known / name / f"{number}.tif")  # the same pixels, other bytes
            elif number < 10:
                shutil.copy(crop, known / name / f"{number}.png")
    shutil.copy(known / "brick" / "5.png", known / "grass" / "brick.png")
    Image.effect_noise((90, 90), 50).save(known / "grass" / "nobodys.png")
    project.edit(
        "config/config.yaml", "n_clusters: 4", f"n_clusters: 4\nintake: {{labels: {{rule: hash, file: {known}}}}}"
    )
    figures = f"studies:\n  compared: {{figures: {{sets: {{kind: label_sets, sets: {{known: {known}}}}}}}}}"
    project.edit("config/config.yaml", "studies:", figures)
    project.run(MANIFEST, FIGURE)
    return project


def test_matched_unmatched_and_conflicting(project):
    manifest = pd.read_csv(project.folder / MANIFEST, keep_default_na=False)
    assert len(manifest) == PER_CLASS * len(CLASSES)
    truth = manifest["path"].str.split("/").str[0]
    labelled = manifest["label"] != ""
    assert (manifest["label"] == truth)[labelled].all()
    assert truth[labelled].value_counts().to_dict() == {"brick": 9, "galaxies": 10, "grass": 10, "gravel": 10}
    matches = pd.read_csv(project.folder / "results/small/label_matches.csv", keep_default_na=False)
    assert matches["status"].value_counts().to_dict() == {"matched": 39, "conflicting": 1, "unmatched": 1}
    assert matches.set_index("status").loc["conflicting", ["labels", "files"]].tolist() == ["brick|grass", 2]
    log = (project.folder / "results/small/logs/manifest.log").read_text()
    sets = pd.read_csv(project.folder / "results/small/tables/compared/sets.csv").set_index("name").loc["known"]
    counts = sets[["classes", "files", "contents", "found", "conflicting"]]
    assert counts.to_dict() == {"classes": 4, "files": 42, "contents": 41, "found": 36, "conflicting": 1}
    assert "42 labelled files, 41 contents: 39 matched, 1 unmatched, 1 conflicting" in log


def test_another_labelled_picture_labels_again_and_takes_nothing_in_again(project):
    assert not project.jobs(MANIFEST, FIGURE)
    shutil.copy(project.folder / "pictures" / "brick" / "brick_012.png", project.folder.parent / "known" / "brick")
    assert project.jobs(MANIFEST) == {"known_labels": 1, "label": 1}
    assert project.jobs(FIGURE) == {"known_labels": 1, "label": 1, "figure_table": 1, "figure": 1}
    project.run(MANIFEST)
    manifest = pd.read_csv(project.folder / MANIFEST, keep_default_na=False)
    assert (manifest["label"] == "brick").sum() == 10
