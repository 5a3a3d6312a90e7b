"""The tables that compare clusterers and clusters, against scikit-learn and hdbscan; noise is noise in all of them."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate, write_clusters, write_manifest, write_scores, write_store
from hdbscan.validity import validity_index
from sklearn import metrics
from sklearn.datasets import make_blobs
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.io.runs import OWN_K

POINTS, TRUTH = make_blobs(120, 3, centers=4, cluster_std=1.5, random_state=6)
CLASSES = np.array(["a", "a", "b", "c"])[TRUTH]
PARTITION = np.where(np.arange(120) % 10 == 0, -1, TRUTH + 2)  # numbers with a gap, and every tenth image noise
CLUSTERED = PARTITION >= 0


@pytest.fixture
def inputs(tmp_path):
    ids = np.arange(120).astype("S")
    return {
        "manifest": [write_manifest(tmp_path, list(CLASSES))],
        "points": [write_store(tmp_path / "points.h5", {"method": "pca"}, scores=POINTS, image_id=ids)],
        "clusters": [write_clusters(tmp_path / "clusters.h5", {OWN_K.removeprefix("k="): ([PARTITION], [np.nan])})],
    }


def test_scores_of_clusters_are_the_libraries(inputs):
    table = tabulate("cluster_scores", [CELL], inputs).set_index("cluster")
    assert table.index.tolist() == [2, 3, 4, 5]
    assert sorted(table["name"]) == ["a", "a-2", "b", "c"]
    silhouettes = metrics.silhouette_samples(POINTS[CLUSTERED], PARTITION[CLUSTERED])
    _, dbcv = validity_index(POINTS, np.where(CLUSTERED, PARTITION - 2, -1), per_cluster_scores=True)
    for cluster, row in table.iterrows():
        members = POINTS[cluster == PARTITION]
        assert row["size"] == len(members)
        assert row["purity"] == 1
        assert row["cohesion"] == pytest.approx(np.linalg.norm(members - members.mean(axis=0), axis=1).mean())
        assert row["silhouette"] == pytest.approx(silhouettes[PARTITION[CLUSTERED] == cluster].mean())
        assert row["dbcv"] == pytest.approx(dbcv[cluster - 2])
        assert (row["n"], row["n_noise"]) == (120, 12)
    assert table["k"].isna().all()


def test_the_profile_is_scikit_learns_sorted_and_without_noise(inputs):
    table = tabulate("silhouette_profile", [CELL], inputs)
    expected = metrics.silhouette_samples(POINTS[CLUSTERED], PARTITION[CLUSTERED])
    manifest = pd.read_csv(inputs["manifest"][0], dtype=str)
    by_id = pd.Series(expected, index=manifest["image_id"][CLUSTERED])
    np.testing.assert_allclose(table["silhouette"], by_id[table["image_id"]])
    assert table["name"].drop_duplicates().tolist() == ["a", "a-2", "b", "c"]
    for _, of_cluster in table.groupby("cluster"):
        assert of_cluster["silhouette"].is_monotonic_decreasing
        assert of_cluster["mean"].unique() == pytest.approx([of_cluster["silhouette"].mean()])
    assert "12 noise images left out" in _notes(draw("silhouette_profile", table, inputs))


def _notes(figure):
    return " ".join(figure.get_supxlabel().split())


def test_one_cluster_has_no_profile(inputs, tmp_path):
    one = write_clusters(tmp_path / "one.h5", {OWN_K.removeprefix("k="): ([np.minimum(PARTITION, 0)], [np.nan])})
    table = tabulate("silhouette_profile", [CELL], {**inputs, "clusters": [one]})
    assert table.empty
    draw("silhouette_profile", table, inputs)
    scores = tabulate("cluster_scores", [CELL], {**inputs, "clusters": [one]})
    assert scores["dbcv"].isna().all()
    assert scores["silhouette"].isna().all()
    draw("cluster_scores", scores, inputs)


def test_nothing_but_noise_is_drawn(inputs, tmp_path):
    noise = write_clusters(tmp_path / "noise.h5", {OWN_K.removeprefix("k="): ([np.full(120, -1)], [np.nan])})
    for kind in ("cluster_scores", "silhouette_profile"):
        table = tabulate(kind, [CELL], {**inputs, "clusters": [noise]})
        assert table.empty
        draw(kind, table, inputs)
    everywhere = {**inputs, "clusters": [noise], "map": inputs["points"]}
    on_map, counts = (tabulate(kind, [CELL], everywhere) for kind in ("embedding", "confusion"))
    assert set(on_map["name"]) == set(counts.loc[counts["count"] > 0, "predicted"]) == {"noise"}
    draw("embedding", on_map, everywhere)
    draw("confusion", counts, everywhere)


def test_noise_is_never_a_class(inputs, tmp_path):
    table = tabulate("confusion", [CELL], inputs)
    assert table.groupby("predicted")["count"].sum()["noise"] == 12
    assert "noise" not in set(table["label"])
    on_map = tabulate("embedding", [CELL], {**inputs, "map": inputs["points"]})
    assert set(on_map.loc[~CLUSTERED, "name"]) == {"noise"}
    assert on_map.loc[~CLUSTERED, "predicted"].isna().all()
    draw("embedding", on_map, {**inputs, "map": inputs["points"]})


def test_clusterers_stand_side_by_side(inputs, tmp_path):
    kmeans = [{"k": k, "repeat": r, "ari": 0.1 * k + r, "n_clusters": k, "noise_fraction": 0, "inertia": 5.0}
              for k in (3, 4) for r in range(3)]  # fmt: skip
    dbscan = [{"k": None, "ari": 0.25, "n_clusters": 2, "noise_fraction": 0.5}]
    paths = [write_scores(tmp_path / f"{i}.parquet", rows) for i, rows in enumerate((kmeans, dbscan))]
    cells = [{**CELL, "clusterer": name} for name in ("kmeans", "dbscan")]
    for k, first in ((None, 3), (4, 4)):
        table = tabulate("clusterer_scores", cells, {**inputs, "scores": paths}, k=k, metrics=["ari", "dbcv"])
        assert table["name"].tolist() == ["kmeans", "dbscan"]
        assert table["k"].tolist() == [first, pd.NA]
        assert table["n_clusters"].tolist() == [first, 2]
        assert table["noise"].tolist() == [0, 0.5]
        np.testing.assert_allclose(table["ari_mean"], [0.1 * first + 1, 0.25])
        np.testing.assert_allclose(table["ari_sd"], [1, np.nan])
        assert table["dbcv_mean"].isna().all()


def test_the_k_distance_curve_says_what_it_is_worth(inputs):
    table = tabulate("k_distance", [{**CELL, "n_components": None}], inputs, min_samples=5)
    expected = np.sort(NearestNeighbors(n_neighbors=5).fit(POINTS).kneighbors(POINTS)[0][:, 4])
    np.testing.assert_allclose(table["distance"], expected)
    np.testing.assert_allclose(table["share"], np.linspace(0, 100, 120))
    first = table.iloc[0]
    (at_knee,) = table.loc[np.isclose(table["share"], first["knee"]), "distance"]
    assert at_knee == first["eps"]
    figure = draw("k_distance", table, inputs)
    assert ("no density gap" in figure.axes[0].get_title(loc="left")) == (not first["is_gap"])
