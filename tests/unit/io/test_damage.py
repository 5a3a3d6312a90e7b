"""Reading of stores that were cut short or overwritten, or in which bits have flipped."""

import h5py
import numpy as np
import pandas as pd
import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.runs import ROWS, Runs, read_runs, write_runs
from workflow_scripts.io.tables import arrow_column, read_parquet, write_parquet
from workflow_scripts.reduce import pca

IDS = np.array([f"{i:016x}" for i in range(60)])
ATTRIBUTES = store.provenance("c0de", store.manifest_digest(IDS), {"clusterer": {"method": "kmeans"}})


@pytest.fixture
def clusters(tmp_path):
    """Return the path of a store of clusters, and a function that reads all of it."""
    random = np.random.default_rng(0)
    labels, inertia = random.integers(0, 3, (4, 60)), random.random(4)
    runs = {k: Runs.single(labels % k, np.arange(4), inertia) for k in (2, 3)}
    write_runs(str(tmp_path / "kmeans.h5"), runs.items(), IDS, ATTRIBUTES)

    def read():
        with store.reading(tmp_path / "kmeans.h5") as file:
            attributes = store.attribute(file, "settings"), store.image_ids(file).tolist()
            return attributes, [[getattr(of_k, name).tolist() for name in ROWS] for of_k in read_runs(file).values()]

    return tmp_path / "kmeans.h5", read


def test_a_flipped_bit_is_seen_or_does_nothing(clusters):
    path, read = clusters
    whole, content = path.read_bytes(), read()
    random, n_seen = np.random.default_rng(1), 0
    for place in random.choice(len(whole), 400, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            found = repr(read())
        except UserError as error:
            found = str(error).replace(str(path), "PATH")
        assert found == repr(content) or found.endswith("delete it and run again"), f"byte {place} of {len(whole)}"
        n_seen += found != repr(content)
    assert n_seen > 100


@pytest.mark.parametrize("kept", [0, 7, 500, -1])
def test_a_file_that_was_cut_short_is_named(clusters, kept):
    path, read = clusters
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"kmeans\.h5: damaged \(.*\); delete it and run again"):
        read()


def test_a_file_of_another_kind_is_named(clusters):
    path, read = clusters
    path.write_text("image_id,label\n" * 100)
    with pytest.raises(UserError, match=r"kmeans\.h5: damaged \(.*signature.*\); delete it and run again"):
        read()


def test_other_errors_stay_what_they_are(clusters, tmp_path):
    path, _ = clusters
    with (
        pytest.raises(UserError, match=r"none\.h5: it has gone since the run began"),
        store.reading(tmp_path / "none.h5"),
    ):
        pass
    with pytest.raises(KeyError, match="features"), store.reading(path) as file:
        file["features"]
    with pytest.raises(OSError, match="disk is full"), store.reading(path):
        raise OSError(28, "the disk is full")


def test_a_flipped_bit_of_the_components_is_seen(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    with store.writing(tmp_path / "features.h5", ATTRIBUTES) as file:
        store.put(file, "image_id", IDS.astype("S"))
        file["features"] = X
    path = tmp_path / "pca.h5"
    pca.decompose(
        str(tmp_path / "features.h5"), str(path), {"max_components": None, "scale": None}, "c", lambda done, total: None
    )
    components = pca.read_tensors("", str(path), 5)["components"]
    axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:5]
    assert np.abs(components) == pytest.approx(np.abs(axes), abs=1e-5)
    damaged = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        damaged[file["components"].id.get_chunk_info(0).byte_offset + 5] ^= 16
    path.write_bytes(damaged)
    with pytest.raises(UserError, match=r"pca\.h5: damaged"):
        pca.read_tensors("", str(path), 5)


def test_a_store_without_axes_says_what_to_do(tmp_path):
    with store.writing(tmp_path / "old.h5", ATTRIBUTES) as file:
        file["scores"] = np.zeros((3, 2))
    with pytest.raises(UserError, match=r"old\.h5: made without the axes of the PCA; delete it and run again"):
        pca.read_tensors("", str(tmp_path / "old.h5"), None)


def test_a_damaged_table_is_named(tmp_path):
    path = tmp_path / "scores.parquet"
    write_parquet(pd.DataFrame({"k": np.arange(1000)}), str(path))
    for damaged in (b"", path.read_bytes()[:-40], b"PAR1" + bytes(200)):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"scores\.parquet: damaged \(.*\); delete it and run again"):
            read_parquet(str(path))


def test_types_that_parquet_changes_are_no_damage(tmp_path):
    days = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], dtype="datetime64[s]")
    table = pd.DataFrame({"class": pd.Categorical(["a", "b", "a"]), "names": [["x"], [], ["y", "z"]], "day": days})
    write_parquet(table, str(tmp_path / "a.parquet"))
    read = read_parquet(str(tmp_path / "a.parquet"))
    assert read["class"].tolist() == ["a", "b", "a"]
    assert [list(names) for names in read["names"]] == [["x"], [], ["y", "z"]]
    assert (read["day"] == table["day"]).all()


@pytest.mark.parametrize(("kind", "value"), [("Int64", 1.5), ("boolean", 2), ("boolean", "no"), ("float64", 2**53 + 1)])
def test_a_column_takes_no_number_that_would_change(kind, value):
    with pytest.raises(ValueError, match=f"column of {kind}: found {value!r}"):
        arrow_column([None, 1, value], kind)
    assert arrow_column([None, 1.0, np.nan, True], kind).to_pylist() == [None, 1, None, 1]
