"""What the figures on dimension, reconstruction and distances draw, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate, write_autoencoder, write_manifest, write_store
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr

from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.metrics.two_nn import two_nn


def test_dimension_has_points_fits_and_sizes_of_each_features(tmp_path):
    X = np.random.default_rng(0).normal(size=(800, 3))
    X[1] = X[0]
    store = write_store(tmp_path / "f.h5", features=X)
    table = tabulate("intrinsic_dimension", [CELL], {"features": [store]}, smallest=200, fractions=[1.0, 0.5])
    fitted = two_nn(X)
    assert (table["n_points"] == 799).all()
    points, fits, sizes = (table[table["part"] == part] for part in ("point", "fit", "size"))
    assert points["x"].iloc[[0, -1]].tolist() == fitted.log_mu[[0, -1]].tolist()
    assert points["y"].iloc[-1] == pytest.approx(np.log(799))
    assert len(points) < 450
    assert fits["dimension"].tolist() == [fitted.dimension(1.0), fitted.dimension(0.5)]
    assert fits["x"].tolist() == [fitted.log_mu[797], fitted.log_mu[398]]
    assert sizes[["x", "fraction", "n"]].values.tolist() == [
        [200, 0.5, 4], [200, 1, 4], [400, 0.5, 2], [400, 1, 2], [800, 0.5, 1], [800, 1, 1]
    ]  # fmt: skip
    assert sizes["sd"].isna().tolist() == [False] * 4 + [True] * 2
    assert sizes["y"].iloc[-1] == pytest.approx(fitted.dimension(1.0))


def test_the_thick_lines_few_points_have_one_dimension_and_the_many_more(tmp_path):
    table = tabulate("thick_line", [CELL], {}, n_points=[1000, 20_000], noise=0.003)
    fits = table[(table["part"] == "fit") & (table["fraction"] == 0.9)].set_index("series")["dimension"]
    assert fits["1000 points"] == pytest.approx(1, abs=0.1)
    assert fits["20000 points"] > 1.6
    places = table[table["part"] == "place"].groupby("series")
    assert (places["x"].apply(abs).max() < 0.25).all()
    assert places.size()["20000 points"] == pytest.approx(100, abs=30)  # half of a hundredth of the line


def test_reconstruction_marks_the_best_of_each_number_of_codes(tmp_path):
    errors = {"a": (10, 3.0), "b": (10, 2.5), "c": (18, 1.5), "d": (18, 2.0)}
    paths = [write_autoencoder(tmp_path / f"{name}.h5", *facts, ["g", "g"]) for name, facts in errors.items()]
    cells = [{**CELL, "decomposition": name} for name in errors]
    table = tabulate("reconstruction", cells, {"decomposed": paths})
    assert table[["decomposition", "n_codes", "best"]].values.tolist() == [
        ["b", 10, True], ["a", 10, False], ["c", 18, True], ["d", 18, False]
    ]  # fmt: skip
    assert table["share"].tolist() == [25, 30, 15, 20]  # percent of a variance of 10
    assert table["pca_share"].tolist() == [40] * 4
    assert table["share_se"].tolist() == [1] * 4
    assert table["pca_share_se"].tolist() == [2] * 4
    assert (table["epochs"] == 10).all()


def test_reconstruction_compares_autoencoders_of_the_same_features_only(tmp_path):
    paths = [write_autoencoder(tmp_path / f"{i}.h5", 10, error, ["g"]) for i, error in enumerate((3.0, 2.0, 1.0))]
    cells = [CELL, {**CELL, "decomposition": "b"}, {**CELL, "preprocess": "plain"}]
    table = tabulate("reconstruction", cells, {"decomposed": paths})
    assert table[["series", "error", "best"]].values.tolist() == [
        ["clahe", 2, True], ["clahe", 3, False], ["plain", 1, True]
    ]  # fmt: skip


def test_training_counts_epochs_on_over_the_phases(tmp_path):
    path = write_autoencoder(tmp_path / "ae.h5", 10, 1.0, ["1_a", "g"])
    table = tabulate("training", [CELL], {"decomposed": [path]})
    assert table["phase"].tolist() == ["1_a"] * 6 + ["g"] * 6
    assert table["step"].tolist() == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10]
    assert table["epoch"].tolist() == [*range(6), *range(6)]


def test_distances_are_those_of_the_sample_before_and_after(tmp_path):
    rng = np.random.default_rng(0)
    labels = ["b", "a", "", "a", "b", "b", "a", "b"]
    X, reduced = rng.normal(size=(8, 5)), rng.normal(size=(8, 2))
    ids = np.arange(8).astype("S")
    features = write_store(tmp_path / "f.h5", features=X, image_id=ids)
    points = write_store(tmp_path / "p.h5", scores=reduced, image_id=ids)
    inputs = {"features": [features], "points": [points], "manifest": [write_manifest(tmp_path, labels)]}
    table = tabulate("distances", [{**CELL, "reducer": "small"}], inputs, n_images=6)
    matrices = table[table["part"] == "matrix"]
    assert matrices[["points", "n_dimensions", "n"]].values.tolist() == [["features", 5, 6], ["small", 2, 6]]
    pairs = table[(table["part"] == "pair") & (table["points"] == "small")]
    assert len(pairs) == 15
    assert (pairs["i"] > pairs["j"]).all()
    within = pairs[pairs["label_i"] == pairs["label_j"]]
    assert within.groupby("label_i").size().to_dict() == {"a": 3, "b": 3}  # three of each, sorted: a before b
    assert (within.query("label_i == 'a'")["i"] < 3).all()
    expected = squareform([np.linalg.norm(reduced[i] - reduced[j]) for i, j in ((1, 3), (1, 6), (3, 6))])
    for _, pair in within.query("label_i == 'a'").iterrows():
        assert pair["distance"] == pytest.approx(expected[int(pair["i"]), int(pair["j"])])
    across = (pairs["label_i"] != pairs["label_j"]).astype(float)
    assert matrices["correlation"].iloc[1] == pytest.approx(pearsonr(pairs["distance"], across).statistic)


def test_distances_leave_out_what_the_network_has_learned_from(made, tmp_path):
    cells, inputs = made("distances", 3)
    X = np.random.default_rng(0).normal(size=(9, 4))
    for seen, n in (([0, 3], 7), ([0, 1, 2, 3, 4, 5], 0)):
        trained_on = np.isin(np.arange(9), seen)
        store = write_store(tmp_path / "tuned.h5", features=X, image_id=np.arange(9).astype("S"), trained_on=trained_on)
        files = {"features": [store], "points": [store], "manifest": inputs["manifest"][:1]}
        table = tabulate("distances", cells[:1], files)
        assert table.empty if n == 0 else table["n"].max() == n, "with classes of 2, 2 and 3 six are balanced"


def test_distances_need_two_images_of_a_class(made):
    cells, inputs = made("distances", 7)
    tables = [tabulate("distances", cells, inputs, n_images=n) for n in (13, 14)]
    assert [table.empty for table in tables] == [True, False]
    assert tables[1].loc[tables[1]["part"] == "matrix", "correlation"].notna().all()


def test_one_image_of_each_class_gives_no_distances(tmp_path):
    X = np.random.default_rng(0).normal(size=(4, 5))
    features = write_store(tmp_path / "f.h5", features=X, image_id=np.arange(4).astype("S"))
    inputs = {"features": [features], "points": [features], "manifest": [write_manifest(tmp_path, ["a", "b", "c", ""])]}
    assert tabulate("distances", [CELL], inputs).empty


def test_features_that_are_not_reduced_are_drawn_once(made):
    cells, inputs = made("distances", 3)
    table = tabulate("distances", cells, inputs)
    assert table[table["part"] == "matrix"]["points"].tolist() == ["features", "pca50w"]
    assert pd.notna(table["series"]).all()


def test_images_themselves_are_compared_if_wanted(made, tmp_path):
    cells, inputs = made("distances", 3)
    images = np.random.default_rng(0).integers(256, size=(9, 64, 64), dtype=np.uint8)
    stack = write_store(tmp_path / "stack.h5", images=images)
    table = tabulate("distances", cells[:1], {**_first(inputs), "preprocessed": [stack]}, of_images=True)
    matrices = table[table["part"] == "matrix"].set_index("points")
    assert matrices.index.tolist() == ["features", "pca50w", "pixels", "CW-SSIM"]
    assert matrices["n_dimensions"].tolist()[2:] == [64 * 64, pytest.approx(np.nan, nan_ok=True)]
    pixels = table[(table["part"] == "pair") & (table["points"] == "pixels")]
    rows = np.argsort(read_manifest(inputs["manifest"][0])["label"], kind="stable").to_numpy()
    sample = images[rows].astype(float) / 255
    expected = [np.linalg.norm(sample[int(pair.i)] - sample[int(pair.j)]) for pair in pixels.itertuples()]
    np.testing.assert_allclose(pixels["distance"], expected)
    titles = [ax.get_title(loc="left") for ax in draw("distances", table, inputs).axes if ax.images]
    assert titles[3].startswith("CW-SSIM\nr = ")


def _first(inputs):
    return {name: paths[:1] for name, paths in inputs.items()}


def test_the_last_heatmap_is_the_discrete_distance(made):
    cells, inputs = made("distances", 3)
    figure = draw("distances", tabulate("distances", cells, inputs), inputs)
    panels = [ax for ax in figure.axes if ax.images]
    assert panels[-1].get_title(loc="left").startswith("discrete distance")
    of_class = np.repeat(np.arange(3), 3)
    np.testing.assert_array_equal(panels[-1].images[0].get_array(), of_class[:, None] != of_class)
