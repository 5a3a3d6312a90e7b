"""The table that people take home: its columns are a promise, its values are scikit-learn's, a null is null."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hdbscan.validity import validity_index
from scipy.optimize import linear_sum_assignment
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.io.tables import as_frame, write_csv, write_parquet
from workflow_scripts.metrics.table import score_clusters

# fmt: off
PROMISE = [
    "dataset", "preprocess", "backbone", "layer", "subset", "reducer", "n_components", "n_components_used", "whiten",
    "clusterer", "k", "n_clusters", "noise_fraction", "fold", "split", "repeat", "restart", "n_init", "seed",
    "inertia", "n_iter",
    "accuracy_majority", "accuracy_matched", "ari", "ami", "nmi_arithmetic", "nmi_geometric", "purity", "homogeneity",
    "completeness", "silhouette", "silhouette_low", "silhouette_high", "calinski_harabasz", "davies_bouldin", "dbcv",
    "dbcv_low", "dbcv_high", "bic", "aic", "largest_cluster", "largest_class",
]
WHOLE = {
    "n_components", "n_components_used", "k", "n_clusters", "fold", "repeat", "restart", "n_init", "seed", "n_iter",
    "support",
}
TEXT = {"dataset", "preprocess", "backbone", "layer", "subset", "reducer", "clusterer", "split", "label"}
# fmt: on
AGREEMENT = [*PROMISE[PROMISE.index("accuracy_majority") : PROMISE.index("silhouette")], "largest_class"]

N = 60
IDS = np.array([f"i{number}" for number in range(N)])
RNG = np.random.default_rng(5)
CLASSES = RNG.choice(["Cr", "In", "Pa", "007"], N)
POINTS = RNG.normal(size=(N, 6)) * [5, 4, 3, 2, 1, 0.5]
CELL = {
    "dataset": "d", "preprocess": "p", "backbone": "b", "layer": "l", "subset": "all", "reducer": "pca4w",
    "clusterer": "c", "n_components": 4, "whiten": True,
}  # fmt: skip


def _some_runs(k):
    """Two repeats of three restarts, each with labels of its own."""
    rows = 6
    return Runs(
        labels=RNG.integers(0, k, (rows, N)).astype(np.uint8),
        inertia=np.array([5.0, 3.0, 4.0, 8.0, 9.0, 7.0]),
        n_iter=np.arange(10, 10 + rows, dtype=np.int32),
        converged=np.ones(rows, dtype=bool),
        repeat=np.repeat([0, 1], 3),
        restart=np.tile([0, 1, 2], 2),
        seed=np.repeat([1, 2**32 - 1], 3).astype(np.uint32),
        centers=np.zeros((2, k, 4)),
    )


RUNS = {k: _some_runs(k) for k in (2, 5)}


class Files:
    """The stores and the manifest of one job."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest_digest = store.manifest_digest(IDS)

    def score(self, labels=CLASSES, clusterer=None, manifest=None, runs=RUNS, **cell):
        settings = {"clusterer": clusterer or {"keep": "all", "n_init": 3}}
        points, clusters, table = (str(self.folder / name) for name in ("points.h5", "clusters.h5", "manifest.csv"))
        with store.writing(points, store.provenance("c", self.manifest_digest, {})) as file:
            file["image_id"] = IDS.astype("S")
            file["scores"] = POINTS
            file["explained_variance"] = POINTS.var(axis=0, ddof=1)
        write_runs(clusters, runs.items(), IDS, store.provenance("c", manifest or self.manifest_digest, settings))
        pd.DataFrame({"image_id": IDS, "label": labels}).to_csv(table, index=False)
        cell = OneCell(CELL | cell, {"clusters": clusters, "points": points, "manifest": table})
        return map(as_frame, score_clusters(cell))


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_columns_are_the_promised_ones_and_a_row_is_a_clustering(files):
    scores, _ = files.score()
    assert list(scores.columns) == PROMISE
    assert len(scores) == 12
    assert scores["k"].tolist() == [2] * 6 + [5] * 6
    for name in ("repeat", "restart", "seed", "inertia", "n_iter"):
        assert scores[name].tolist() == [value for k in (2, 5) for value in getattr(RUNS[k], name).tolist()]
    for name, value in CELL.items():
        assert (scores[name] == value).all()
    assert (scores["n_components_used"] == 4).all()
    assert (scores["n_init"] == 1).all()


def test_a_method_without_seed_or_iterations_has_null_there(files):
    scores, _ = files.score(clusterer={"method": "linkage"}, runs={2: Runs.single(RUNS[2].labels[:1])})
    assert scores[["seed", "n_iter", "n_init", "inertia"]].isna().all(axis=None)
    assert scores["ari"].notna().all()


def test_agreement_is_scikit_learns(files):
    scores, _ = files.score()
    expected = {
        "ari": metrics.adjusted_rand_score,
        "ami": metrics.adjusted_mutual_info_score,
        "nmi_arithmetic": metrics.normalized_mutual_info_score,
        "homogeneity": metrics.homogeneity_score,
        "completeness": metrics.completeness_score,
        "accuracy_majority": lambda y, c: contingency_matrix(y, c).max(axis=0).sum() / N,
        "accuracy_matched": lambda y, c: _matched(contingency_matrix(y, c)) / N,
    }
    partitions = [labels for k in (2, 5) for labels in RUNS[k].labels]
    for name, score in expected.items():
        np.testing.assert_allclose(scores[name], [score(CLASSES, labels) for labels in partitions], err_msg=name)


def _matched(table):
    return table[linear_sum_assignment(-table)].sum()


INTERNAL = {
    "silhouette": metrics.silhouette_score,
    "calinski_harabasz": metrics.calinski_harabasz_score,
    "davies_bouldin": metrics.davies_bouldin_score,
    "dbcv": lambda X, labels: validity_index(X, labels.astype(int)),
}


@pytest.mark.parametrize("name", INTERNAL)
def test_what_needs_no_labels_is_of_what_was_clustered_and_of_the_best_of_each_repeat(files, name):
    scores, _ = files.score()
    best = scores[name].notna()
    assert scores.loc[best, ["k", "repeat", "restart"]].to_numpy().tolist() == [
        [2, 0, 1], [2, 1, 2], [5, 0, 1], [5, 1, 2]
    ]  # fmt: skip
    whitened = POINTS[:, :4] / POINTS[:, :4].std(axis=0, ddof=1)
    expected = [INTERNAL[name](whitened, RUNS[k].labels[row]) for k in (2, 5) for row in (1, 5)]
    np.testing.assert_allclose(scores.loc[best, name], expected)


def test_dbcv_is_null_where_it_would_take_long(files, monkeypatch):
    monkeypatch.setattr("workflow_scripts.metrics.table.DBCV_PAIRS", 4 * N**2 - 1)
    scores, _ = files.score()
    assert scores["dbcv"].isna().all()
    assert scores["silhouette"].notna().sum() == 4


def test_what_a_clusterer_says_of_itself_has_its_columns(files, monkeypatch):
    for k, runs in RUNS.items():
        monkeypatch.setitem(RUNS, k, replace(runs, diagnostics={"bic": np.arange(6.0) + k}))
    scores, _ = files.score()
    assert scores["bic"].tolist() == [*(np.arange(6.0) + 2), *(np.arange(6.0) + 5)]
    assert scores["aic"].isna().all()


def test_classes_of_the_best_of_each_repeat_are_scikit_learns(files):
    _, classes = files.score()
    assert [tuple(row) for row in classes[["k", "repeat"]].drop_duplicates().to_numpy()] == [
        (2, 0), (2, 1), (5, 0), (5, 1)
    ]  # fmt: skip
    for (k, repeat), rows in classes.groupby(["k", "repeat"]):
        labels = RUNS[k].labels[{0: 1, 1: 5}[repeat]]
        names, table = np.unique(CLASSES), contingency_matrix(CLASSES, labels)
        predicted = names[table.argmax(axis=0)][labels]
        precision, recall, f1, support = metrics.precision_recall_fscore_support(
            CLASSES, predicted, labels=names, zero_division=np.nan
        )
        assert rows["label"].tolist() == names.tolist()
        assert rows["support"].tolist() == support.tolist()
        np.testing.assert_allclose(rows["precision"], precision)
        np.testing.assert_allclose(rows["recall"], recall)
        np.testing.assert_allclose(rows["f1"], np.nan_to_num(f1))


def test_the_best_of_n_init_say_so(files):
    scores, _ = files.score(clusterer={"keep": "best", "n_init": 500})
    assert (scores["n_init"] == 500).all()


@pytest.mark.parametrize(("wanted", "used"), [(4, 4), (100, 6), (None, 6)])
def test_components_asked_for_and_used(files, wanted, used):
    scores, classes = files.score(n_components=wanted)
    for table in (scores, classes):
        assert (table["n_components"].isna() if wanted is None else table["n_components"] == wanted).all()
        assert (table["n_components_used"] == used).all()


def _written(folder, table):
    """The parquet file's own types and nulls, without pandas's notes about them."""
    path = str(folder / "table.parquet")
    write_parquet(table, path)
    found = pq.read_table(path)
    return {field.name: field.type for field in found.schema}, {
        name: found[name].null_count for name in found.column_names
    }


@pytest.mark.parametrize("labels", [CLASSES, np.full(N, "")], ids=["labels", "no labels"])
def test_types_do_not_depend_on_what_is_there(files, labels):
    for table in files.score(labels=labels):
        types, _ = _written(files.folder, table)
        for name, found in types.items():
            if name in TEXT:
                assert pa.types.is_large_string(found), name
            elif name == "whiten":
                assert found == pa.bool_()
            else:
                assert found == (pa.int64() if name in WHOLE else pa.float64()), name


def test_whitening_is_null_where_it_does_not_apply(files):
    for table in files.score(whiten=None):
        types, nulls = _written(files.folder, table)
        assert types["whiten"] == pa.bool_()
        assert nulls["whiten"] == len(table)


def test_without_labels_agreement_is_null_and_the_rest_is_there(files):
    scores, classes = files.score(labels=np.full(N, ""))
    _, nulls = _written(files.folder, scores)
    of_others = dict.fromkeys(INTERNAL, 12 - 4)
    never = ("fold", "split", "silhouette_low", "silhouette_high", "dbcv_low", "dbcv_high", "bic", "aic")
    assert {name: count for name, count in nulls.items() if count} == {
        **dict.fromkeys(AGREEMENT, 12), **of_others, **dict.fromkeys(never, 12)
    }  # fmt: skip
    assert (scores["n_clusters"] == [len(np.unique(labels)) for k in (2, 5) for labels in RUNS[k].labels]).all()
    assert classes.empty


def test_with_some_labels_only_these_count(files):
    known = np.arange(N) % 3 == 0
    scores, classes = files.score(labels=np.where(known, CLASSES, ""))
    expected = [metrics.adjusted_rand_score(CLASSES[known], labels[known]) for k in (2, 5) for labels in RUNS[k].labels]
    np.testing.assert_allclose(scores["ari"], expected)
    assert (classes.groupby(["k", "repeat"])["support"].sum() == known.sum()).all()


def test_labels_that_look_like_something_else_stay_text(files):
    _, classes = files.score(labels=np.resize(["007", "NA", "nan", "1e3"], N))
    assert set(classes["label"]) == {"007", "NA", "nan", "1e3"}


def test_clusters_of_another_manifest_are_refused(files):
    with pytest.raises(UserError, match=r"clusters\.h5: made from another manifest"):
        files.score(manifest="other")


def test_the_same_bytes_each_time_and_nothing_left_beside(files):
    for write, name in ((write_parquet, "a.parquet"), (write_csv, "a.csv")):
        contents = set()
        for _ in range(2):
            write(next(files.score()), str(files.folder / name))
            contents.add((files.folder / name).read_bytes())
        assert len(contents) == 1
    assert not any(path.name.startswith(".") for path in files.folder.iterdir())


def test_csv_for_people_holds_the_same(files):
    scores, _ = files.score()
    path = str(files.folder / "scores.csv")
    write_csv(scores, path)
    assert "4.0" not in (files.folder / "scores.csv").read_text().split("\n")[1].split(",")[5:8]
    found = pd.read_csv(path)
    assert list(found.columns) == PROMISE
    np.testing.assert_array_equal(found["ari"], scores["ari"])
