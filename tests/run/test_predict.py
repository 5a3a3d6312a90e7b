"""New pictures through the models of a real run: named where they are like the old ones, outliers where not."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from tests.conftest import CLASSES, PER_CLASS
from workflow_scripts.intake.embedded import write_embedded
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.store import reading
from workflow_scripts.models.saved import COLUMNS

OTHERS = ("cat", "moon", "retina")
STUDY = "clusters"
"""Its clusterer has three k, of which four is right. The other study with a model keeps all restarts of one k."""


@pytest.fixture(scope="module")
def predicted(tmp_path_factory, finished):
    """A project whose models have named some pictures that they were made of, more of their classes, and others."""
    folder = tmp_path_factory.mktemp("predict")
    project = finished.copy(folder / "project")
    config = project.folder / "config" / "config.yaml"
    settings, studies = yaml.safe_load(config.read_text()), (STUDY, "restarts")
    settings["studies"] = {name: settings["studies"][name] for name in studies}
    config.write_text(yaml.safe_dump(settings))
    write_embedded(folder / "embedded")
    for name in (*CLASSES, *OTHERS):
        (folder / "new" / name).mkdir(parents=True)
        for crop in sorted((folder / "embedded" / name).iterdir())[PER_CLASS - 5 : PER_CLASS + 8]:
            shutil.copy(crop, folder / "new" / name)
    (folder / "new" / "cut.png").write_bytes((folder / "embedded" / "cat" / "cat_000.png").read_bytes()[:200])
    (folder / "new" / "scan.pdf").write_bytes(b"%PDF-1.7")
    said = project.run("models", "predict", "monitor", "--config", f"new_images={folder / 'new'}", "batch_size=13")
    assert "\nPredictions: results/small/predictions\n" in said
    return project


@pytest.fixture(scope="module")
def table(predicted):
    (path,) = (predicted.folder / "results" / "small" / "predictions").glob(f"*/{STUDY}.csv")
    found = pd.read_csv(path)
    return found.assign(truth=found["path"].str.split("/").str[0])


def test_every_picture_has_a_row_and_every_other_file_a_reason(predicted, table):
    assert tuple(table.columns) == ("image_id", "path", *COLUMNS, "truth")
    new = predicted.folder.parent / "new"
    assert table["path"].tolist() == sorted(str(path.relative_to(new)) for path in new.glob("*/*.png"))
    (path,) = (predicted.folder / "results" / "small" / "new_images").glob("*/rejected.csv")
    rejected = pd.read_csv(path)
    assert dict(zip(rejected["path"], rejected["reason"], strict=True)) == {
        "cut.png": "truncated",
        "scan.pdf": "format PDF is not read",
    }


def test_a_model_has_the_k_that_fits_and_no_code(predicted):
    folder = predicted.folder / "results" / "small" / "models" / STUDY
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors", ".md"}
    facts = json.loads((folder / "model.json").read_text())
    assert facts["clusterer"]["chosen_k"] == 4
    assert sorted(cluster["predicted"] for cluster in facts["clusters"]) == sorted(CLASSES)
    assert len(facts["backbone"]["weights_sha256"]) == 64


def test_the_card_has_the_scores_of_the_tables_and_the_hash_of_the_weights(predicted):
    results = predicted.folder / "results" / "small"
    card = (results / "models" / STUDY / "model_card.md").read_text()
    table = pd.read_csv(results / "tables" / f"{STUDY}.csv")
    of_model = table[(table["k"] == 4) & (table["clusterer"] == "by_k") & table["fold"].isna()]
    assert f"| adjusted Rand index | {of_model['ari'].mean():.3f} |" in card
    weights = json.loads((results / "weights" / "squeezenet.json").read_text())
    assert f"`{weights['weights_sha256']}`" in card


def test_pictures_that_the_model_was_made_of_go_where_they_were(predicted, table):
    results = predicted.folder / "results" / "small"
    with reading(results / "clusters/clahe/squeezenet/fire9_avg/pca10/by_k.h5") as file:
        runs, ids = read_runs(file)[4], file["image_id"].asstr()[:]
    clusters = dict(zip(ids, runs.labels[np.argmin(runs.inertia)], strict=True))
    known = table[table["image_id"].isin(clusters)]
    assert len(known) == 5 * len(CLASSES)
    assert known["cluster"].tolist() == known["image_id"].map(clusters).tolist()


def test_unseen_pictures_of_the_classes_are_named_and_others_are_outliers(table):
    like = table["truth"].isin(CLASSES)
    assert (table["predicted"] == table["truth"])[like].mean() > 0.95
    assert table["outlier"][like].mean() < 0.15
    assert table["outlier"][~like].mean() > 0.9
    assert roc_auc_score(~like, table["novelty"]) > 0.99


def test_batches_of_other_classes_are_noticed(predicted):
    (path,) = (predicted.folder / "results" / "small" / "monitor").glob(f"*/{STUDY}.csv")
    chart = pd.read_csv(path, keep_default_na=False)
    ends = chart[["first", "last"]].map(lambda path: path.split("/")[0])
    others = ends.isin(OTHERS).all(axis=1)
    assert others.any()
    assert chart.loc[others, "alarms"].str.contains("novelty").all()
    page = path.with_suffix(".html").read_text()
    assert "has images unlike those of the model" in page
    assert page.count("data:image/jpeg") > 10


def test_a_second_run_has_nothing_to_do_and_no_folder_is_a_mistake(predicted, tmp_path):
    new = predicted.folder.parent / "new"
    assert not predicted.jobs("predict", "--config", f"new_images={new}")
    for said in ([], ["--config", f"new_images={tmp_path / 'nowhere'}"]):
        done = predicted.snakemake("predict", "--cores", "1", *said)
        assert done.returncode != 0
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
        assert "config: new_images: found" in line
