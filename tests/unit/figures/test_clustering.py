"""What is drawn of mutual information, decision graphs and shapes, against values worked out otherwise."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, tabulate, write_manifest, write_scores, write_store
from sklearn.datasets import make_blobs, make_circles
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from workflow_scripts.clusterers import density_peaks
from workflow_scripts.errors import UserError
from workflow_scripts.figures import toy_panel
from workflow_scripts.io import store
from workflow_scripts.io.runs import NOISE, Runs, write_runs
from workflow_scripts.metrics.reference_curves import reference_curves
from workflow_scripts.settings.clusterers.finding_k import Dbscan
from workflow_scripts.settings.clusterers.given_k import DensityPeaks, Linkage
from workflow_scripts.settings.clusterers.kmeans import KMeans

LABELS = ["a"] * 8 + ["b"] * 4
POINTS = np.zeros((12, 2))


def _nmi_curves(tmp_path, scores, labels=LABELS, cells=None, **points):
    cells = cells or [{**CELL, "clusterer": f"c{i}"} for i in range(len(scores))]
    stored = write_store(tmp_path / "points.h5", scores=POINTS, **points)
    inputs = {
        "scores": [write_scores(tmp_path / f"{i}.parquet", rows) for i, rows in enumerate(scores)],
        "points": [stored] * len(cells),
        "manifest": [write_manifest(tmp_path, labels)] * len(cells),
    }
    return tabulate("nmi_curves", cells, inputs)


def test_a_curve_is_the_mean_of_the_best_of_each_repeat(tmp_path):
    rows = [
        {"k": 3, "repeat": 0, "restart": 0, "inertia": 2.0, "nmi_geometric": 0.1},
        {"k": 3, "repeat": 0, "restart": 1, "inertia": 1.0, "nmi_geometric": 0.5},
        {"k": 3, "repeat": 1, "restart": 0, "inertia": 1.0, "nmi_geometric": 0.7},
        {"k": 4, "repeat": 0, "restart": 0, "nmi_geometric": 0.3},
    ]
    table = _nmi_curves(tmp_path, [rows])
    curve = table[table["curve"] == "c0"].set_index("k")
    assert curve["nmi"].to_dict() == pytest.approx({3: 0.6, 4: 0.3})
    assert curve["sd"].loc[3] == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert np.isnan(curve["sd"].loc[4])
    assert not curve["is_reference"].any()
    assert (table["n"] == 12).all()
    assert (table["n_labels"] == 2).all()


def test_references_are_at_the_same_k_and_of_the_labels_that_count(tmp_path):
    rows = [{"k": k, "repeat": 0, "nmi_geometric": 0.5} for k in (2, 4)]
    own = {"k": None, "n_clusters": 3, "repeat": 0, "nmi_geometric": 0.9}
    trained = np.arange(12) < 3  # of these the network has seen the labels
    table = _nmi_curves(tmp_path, [rows, [own]], labels=[*LABELS[:11], ""], trained_on=trained)
    expected = reference_curves(LABELS[3:11], [2, 3, 4], draws=3)
    found = table[table["is_reference"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[["k", "curve", "nmi", "sd"]], expected, check_dtype=False)
    refined = found.set_index(["curve", "k"]).loc[("refinement", 4), "nmi"]
    halves = ["a1", "a1", "a2", "a2", "a2", "b1", "b2", "b2"]
    exact = normalized_mutual_info_score(LABELS[3:11], halves, average_method="geometric")
    assert refined == pytest.approx(exact, abs=1e-12)
    alone = table[table["finds_k"]]
    assert alone[["curve", "k", "nmi"]].to_numpy().tolist() == [["c1", 3.0, 0.9]]


def test_each_features_have_a_panel(tmp_path):
    rows = [{"k": 2, "repeat": 0, "nmi_geometric": 0.5}]
    cells = [{**CELL, "whiten": whiten, "clusterer": name} for whiten in (True, False) for name in ("ward", "single")]
    table = _nmi_curves(tmp_path, [rows] * 4, cells=cells)
    assert table["panel"].unique().tolist() == ["whitened", "not whitened"]
    for _, of_panel in table.groupby("panel"):
        assert of_panel["curve"].tolist() == ["ward", "single", "refinement", "random", "orthogonal"]


def test_without_labels_there_are_no_curves(tmp_path):
    assert _nmi_curves(tmp_path, [[{"k": 2, "repeat": 0}]], labels=[""] * 12).empty


def _peaks(tmp_path, **given):
    points = make_blobs(90, 2, centers=3, random_state=1)[0]
    settings = DensityPeaks(k=[3, 5], **given).dump()
    runs = density_peaks.cluster(points, settings, 0, 1, lambda done, total: None)
    path = str(tmp_path / "peaks.h5")
    write_runs(path, runs, np.array([], dtype=str), store.provenance("", "", {"clusterer": settings}))
    return path, density_peaks.decision_graph(points, settings)


def test_the_decision_graph_has_every_image_and_marks_the_centres(tmp_path):
    path, graph = _peaks(tmp_path, n_neighbors=4)
    table = tabulate("decision_graph", [CELL], {"clusters": [path]}, k=5)
    assert sorted(table["row"]) == list(range(90))
    assert (table["density"] == graph.density[table["row"]]).all()
    assert (table["distance"] == graph.distance[table["row"]]).all()
    assert table["product"].is_monotonic_decreasing
    centres = table.loc[table["is_centre"], "row"]
    assert sorted(graph.cut(5)[centres]) == [0, 1, 2, 3, 4]
    assert (table["measure"] == "Density: 1 / distance to neighbour 4").all()
    assert tabulate("decision_graph", [CELL], {"clusters": [path]})["is_centre"].sum() == 3


def test_only_density_peaks_has_a_decision_graph(tmp_path):
    path = str(tmp_path / "c.h5")
    runs = {2: Runs.single([[0, 1]])}
    write_runs(
        path, runs.items(), np.array([], dtype=str), store.provenance("", "", {"clusterer": {"method": "kmeans"}})
    )
    with pytest.raises(UserError, match="decision_graph: found kmeans, allowed: density_peaks"):
        tabulate("decision_graph", [CELL], {"clusters": [path]})


def test_the_example_of_mutual_information_has_the_scores_of_scikit_learn():
    table = tabulate("nmi_example", [CELL], {})
    points = np.arange(100)
    for row in table[table["part"] == "partition"].itertuples():
        expected = normalized_mutual_info_score(points % 10, points % row.k, average_method="geometric")
        assert row.nmi == pytest.approx(expected, abs=1e-9), row.k
    squares = table[table["part"] == "point"].groupby("k")
    assert set(squares.groups) == {5, 7, 10, 20}
    for k, square in squares:
        drawn = normalized_mutual_info_score(square["column"], square["cluster"], average_method="geometric")
        assert drawn == pytest.approx(normalized_mutual_info_score(points % 10, points % k, average_method="geometric"))


def test_clusterers_on_shapes_get_the_number_of_each():
    clusterers = {
        "single": Linkage(k="2-500", linkage="single").dump(),
        "kmeans": KMeans(k=[9], n_init=3, repeats=4).dump(),
        "dbscan": Dbscan(eps=0.2, min_samples=5).dump(),
    }
    table = tabulate("toy_panel", [CELL], {}, n_points=600, clusterers=clusterers)
    assert len(table) == 6 * 3 * 600
    assert (table["seconds"] > 0).all()
    counts = table.groupby(["shape", "clusterer"], sort=False)["n_clusters"].first()
    for name in ("single", "kmeans"):
        assert counts[:, name].tolist() == [2, 2, 3, 3, 3, 3]
    rings = table[(table["shape"] == "two rings")].groupby("clusterer")["cluster"].apply(np.array)
    truth = make_circles(600, factor=0.5, noise=0.05, random_state=toy_panel.SEED)[1]
    assert adjusted_rand_score(truth, rings["single"]) == 1
    assert adjusted_rand_score(truth, rings["dbscan"]) == 1
    assert adjusted_rand_score(truth, rings["kmeans"]) < 0.1
    assert (table.loc[table["cluster"] == NOISE, "clusterer"] == "dbscan").all()
    places = table.groupby(["shape", "clusterer"])[["x", "y"]].agg(["mean", "std"])
    np.testing.assert_allclose(places.xs("mean", axis=1, level=1), 0, atol=1e-12)


def test_density_peaks_has_a_centre_in_each_blob():
    clusterers = {"peaks": DensityPeaks(k=[9]).dump(), "ward": Linkage(k=[9]).dump()}
    table = tabulate("toy_panel", [CELL], {}, n_points=300, clusterers=clusterers)
    blobs = table[(table["shape"] == "three blobs") & (table["clusterer"] == "peaks")].reset_index(drop=True)
    truth = make_blobs(300, random_state=8)[1]
    assert sorted(truth[blobs.index[blobs["is_centre"]]]) == [0, 1, 2]
    assert table.loc[table["is_centre"], "clusterer"].unique().tolist() == ["peaks"]


def test_a_clusterer_that_refuses_is_said_to(monkeypatch):
    def refuse(*given):
        raise UserError("too many points")

    monkeypatch.setattr("workflow_scripts.clusterers.linkage.cluster", refuse)
    table = tabulate("toy_panel", [CELL], {}, clusterers={"ward": Linkage(k=[2]).dump()})
    assert table["seconds"].isna().all()
    assert (table["n_clusters"] == 0).all()
