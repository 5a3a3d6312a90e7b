"""DBSCAN on deep features of a tenth of the steel images: no density gap to cut on, where Ward finds the classes."""

from pathlib import Path

import pandas as pd
import pytest

from tests.workflow import ROOT, Project


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, neu_images: Path) -> Path:
    project = Project.of_steel(tmp_path_factory.mktemp("clusterers") / "project", neu_images)
    studies = ("config/studies/clusterers.yaml", str(ROOT / "tests" / "run" / "clusterers.yaml"))
    project.run("study_gap", "--configfile", *studies, "--config", "data=steel", "name=steel")
    return project.folder / "results" / "steel"


@pytest.fixture(scope="module")
def scores(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "tables" / "gap.parquet").groupby("clusterer").first()


def test_the_curve_has_no_gap_and_the_log_says_so(results):
    curve = pd.read_parquet(results / "tables" / "gap" / "k_distance.parquet")
    assert not curve["is_gap"].any()
    log = results / "logs/clusters/clahe/squeezenet/fire9_avg/pca50/dbscan.log"
    assert "no density gap to cut on" in log.read_text()


def test_dbscan_finds_no_class_where_ward_does(scores):
    assert scores.loc["dbscan", "n_clusters"] <= 2
    assert scores.loc["dbscan", "ari"] < 0.1
    assert scores.loc["ward", "ari"] > 0.5


def test_all_images_are_in_the_confusion_matrix_noise_as_noise(results, scores):
    counts = pd.read_parquet(results / "tables" / "gap" / "confusion.parquet")
    assert counts["count"].sum() == 180
    noise = counts.loc[counts["predicted"] == "noise", "count"].sum()
    assert noise == 180 * scores.loc["dbscan", "noise_fraction"]


def test_columns_that_do_not_apply_are_null(scores):
    assert pd.isna(scores.loc["dbscan", "k"])
    assert scores.loc["ward", ["silhouette", "calinski_harabasz", "davies_bouldin", "dbcv"]].notna().all()
    assert set(scores.index[scores["bic"].notna()]) == {"mixture_full"}
    assert scores[["silhouette_low", "dbcv_low"]].isna().all(axis=None)
