"""What the figures of a whole study draw, against values worked out by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate, write_clusters, write_manifest, write_scores, write_store

from workflow_scripts.errors import UserError
from workflow_scripts.figures.embedding import typical
from workflow_scripts.io.cells import OneCell


def by_k(folder, accuracy):
    """Scores of two repeats of each k, and a partition of four images for each."""
    rows = [
        {"k": k, "repeat": r, "accuracy_majority": a, "inertia": 1}
        for k, pair in accuracy.items()
        for r, a in enumerate(pair)
    ]
    partitions = {str(k): ([[0, 1, 1, 1], [0, 0, 1, 1]], [2.0, 1.0]) for k in accuracy}
    return {
        "scores": [write_scores(folder / "scores.parquet", rows)],
        "clusters": [write_clusters(folder / "clusters.h5", partitions)],
        "manifest": [write_manifest(folder, ["a", "a", "b", "b"])],
    }


def test_the_best_k_is_that_of_the_highest_mean(tmp_path):
    inputs = by_k(tmp_path, {2: (0.9, 0.1), 3: (0.6, 0.6), 4: (0.5, 0.6)})
    assert OneCell.first([CELL], inputs).wanted_k({"k": "best", "by": "accuracy_majority"}) == 3
    assert OneCell.first([CELL], inputs).wanted_k({"k": 4}) == 4
    assert OneCell.first([CELL], inputs).wanted_k({"k": None}) is None
    table = tabulate("confusion", [CELL], inputs, k="best", by="accuracy_majority")
    assert set(table["k"]) == {3}
    assert set(table["chosen_by"]) == {"accuracy_majority"}


def test_the_best_k_goes_by_the_best_restart_of_each_repeat(tmp_path):
    found = {2: ((0.9, 2.0), (0.4, 1.0)), 3: ((0.1, 2.0), (0.5, 1.0))}
    rows = [
        {"k": k, "repeat": 0, "restart": i, "accuracy_majority": accuracy, "inertia": inertia}
        for k, restarts in found.items()
        for i, (accuracy, inertia) in enumerate(restarts)
    ]
    inputs = {"scores": [write_scores(tmp_path / "scores.parquet", rows)]}
    assert OneCell.first([CELL], inputs).wanted_k({"k": "best", "by": "accuracy_majority"}) == 3


def test_without_labels_the_best_k_is_left_to_the_smallest(tmp_path):
    inputs = by_k(tmp_path, {2: (np.nan, np.nan), 3: (np.nan, np.nan)})
    assert OneCell.first([CELL], inputs).wanted_k({"k": "best", "by": "accuracy_majority"}) is None


def test_typical_images_are_nearest_the_centre_of_their_cluster():
    points = np.array([[0.0, 0], [4, 0], [6, 0], [9, 0], [0, 9], [0, 8]])
    names = np.array(["a", "a", "a", "a", "b", "b"])
    # The mean of a's points is at 4.75; b's two are equally near theirs, of which the first is taken.
    assert typical(points, names, ["a", "b", "c"]) == [1, 4]


def test_class_scores_are_means_over_repeats_in_percent(tmp_path):
    rows = [("a", 3, 7, 0, 0.5, 1.0, 0.6), ("a", 3, 7, 1, 1.0, 1.0, 0.8), ("a", 3, 8, 0, 0, 0, 0)]
    columns = ["label", "support", "k", "repeat", "precision", "recall", "f1"]
    pd.DataFrame(rows, columns=columns).assign(fold=None).to_parquet(tmp_path / "classes.parquet")
    table = tabulate("class_scores", [CELL], {"class_scores": [str(tmp_path / "classes.parquet")]}, k=7)
    row = table.iloc[0]
    assert len(table) == 1
    assert row["n_repeats"] == 2
    assert row["precision_mean"] == 75
    assert row["recall_mean"] == 100
    assert row["f1_mean"] == pytest.approx(70)
    assert row["precision_sd"] == pytest.approx(100 * np.sqrt(0.125))
    assert row["recall_sd"] == 0


def test_best_of_n_begins_with_the_mean_and_ends_with_the_lowest_inertia(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"repeat": 0, "restart": i, "inertia": i, "accuracy_majority": a} for i, a in enumerate(rng.random(30))]
    path = write_scores(tmp_path / "s.parquet", rows)
    table = tabulate("best_of_n", [CELL], {"scores": [path]}).set_index("n")
    accuracy = 100 * np.array([row["accuracy_majority"] for row in rows])
    pairs = [accuracy[min(i, j)] for i in range(30) for j in range(30) if i != j]
    assert table.loc[1, "expected"] == pytest.approx(accuracy.mean())
    assert table.loc[2, "expected"] == pytest.approx(np.mean(pairs))
    assert table.loc[30, "expected"] == pytest.approx(accuracy[0])
    assert (table["low"] <= table["high"]).all()
    assert set(table["n_restarts"]) == {30}


def test_maps_have_each_cells_own_coordinates(tmp_path):
    methods = [{"method": "tsne"}, {"method": "umap"}]
    stores = [write_store(tmp_path / f"{i}.h5", of, scores=[[i, 0.0], [i, 1.0]]) for i, of in enumerate(methods)]
    cells = [CELL, {**CELL, "preprocess": "plain"}]
    table = tabulate("maps", cells, {"manifest": [write_manifest(tmp_path, ["a", ""])] * 2, "map": stores})
    assert table[["series", "map", "x", "y"]].values.tolist() == [
        *(["clahe", "t-SNE", 0, 0], ["clahe", "t-SNE", 0, 1]),
        *(["plain", "UMAP", 1, 0], ["plain", "UMAP", 1, 1]),
    ]
    assert table["label"].fillna("none").tolist() == ["a", "none"] * 2


def test_folds_keep_every_split_apart(tmp_path):
    rows = [
        {
            "fold": fold,
            "split": split,
            "repeat": r,
            "accuracy_majority": 0.1 * fold + 0.5 * (split == "train") + 0.02 * r,
        }
        for fold, split, r in product((0, 1), ("train", "validation"), (0, 1))
    ]
    table = tabulate("folds", [CELL], {"validated": [write_scores(tmp_path / "v.parquet", rows)]})
    means = table.drop_duplicates(["fold", "split"]).set_index(["fold", "split"])["mean"]
    assert means.to_dict() == pytest.approx(
        {(0, "training"): 51, (0, "held out"): 1, (1, "training"): 61, (1, "held out"): 11}
    )
    assert set(table["n_repeats"]) == {2}


def factorial(folder, response):
    """A product of three numbers of components and two whitenings, two repeats and k = 7 and 8 each."""
    cells = [{**CELL, "n_components": c, "whiten": w} for c in (1, 10, 100) for w in (True, False)]
    paths = []
    for i, cell in enumerate(cells):
        rows = [
            {
                "k": k,
                "repeat": r,
                "accuracy_majority": response(cell["n_components"], cell["whiten"], k) + 0.01 * r,
                "inertia": 1,
            }
            for k in (7, 8)
            for r in (0, 1)
        ]
        paths.append(write_scores(folder / f"{i}.parquet", rows))
    return cells, {"scores": paths}


def test_effects_are_ranked_and_spans_are_in_points(tmp_path):
    cells, inputs = factorial(tmp_path, lambda n, w, k: 0.3 * (n == 10) + 0.1 * w)
    table = tabulate("effects", cells, inputs, metrics=["accuracy_majority"], pairs=1)
    first = table.drop_duplicates("term").set_index("term")
    assert first.index[0] == "n_components"
    assert first.loc["n_components", "rank"] == 1
    # Variances: 0.09 * 2/9 = 0.02 of n_components and 0.0025 of whitening.
    assert first.loc["n_components", "mean"] == pytest.approx(100 * 0.02 / 0.0225)
    assert first.loc["whiten", "mean"] == pytest.approx(100 * 0.0025 / 0.0225)
    assert first.loc["k", "mean"] == pytest.approx(0, abs=1e-9)
    assert first.loc["n_components", "span_mean"] == pytest.approx(30)
    assert (first["order"] == 2).sum() == 1
    assert set(first["n_cells"]) == {12}


def test_the_heatmap_shows_the_two_strongest_choices(tmp_path):
    cells, inputs = factorial(tmp_path, lambda n, w, k: 0.3 * (n == 10) + 0.02 * w + 0.1 * (k == 8))
    table = tabulate("heatmap", cells, inputs)
    assert (table["x_axis"].iloc[0], table["y_axis"].iloc[0]) == ("n_components", "k")
    mean = table.set_index(["x", "y"])["mean"]
    # Whitening's mean of 0.01 and the repeats' of 0.005 are in every field.
    assert mean["10 components", "8"] == pytest.approx(41.5)
    assert mean["1 component", "7"] == pytest.approx(1.5)
    assert set(table["n"]) == {4}


@pytest.mark.parametrize(("n_columns", "n_numbers"), [(3, 6), (19, 0)])
def test_the_heatmap_has_numbers_where_its_fields_are_wide_enough(n_columns, n_numbers, tmp_path):
    rows = [(f"{x}", y, 12.3) for x in range(n_columns) for y in ("20 components", "5 components")]
    table = pd.DataFrame(rows, columns=["x", "y", "mean"])
    table = table.assign(x_axis="k", y_axis="n_components", metric="purity", n=4)
    drawn = draw("heatmap", table, {"manifest": [write_manifest(tmp_path, ["a", "b"])]}, width=85)
    assert len(drawn.axes[0].texts) == n_numbers


def test_effects_of_clusterers_that_find_k(tmp_path):
    cells = [{**CELL, "clusterer": name, "whiten": w} for name in ("dbscan", "optics") for w in (True, False)]
    rows = [{"k": None, "repeat": 0, "accuracy_majority": 0.3 * (cell["clusterer"] == "optics")} for cell in cells]
    paths = [write_scores(tmp_path / f"{i}.parquet", [row]) for i, row in enumerate(rows)]
    table = tabulate("effects", cells, {"scores": paths}, metrics=["accuracy_majority"], pairs=1)
    first = table.set_index("term")
    assert first.loc["clusterer", "share"] == pytest.approx(100)
    assert first.loc["whiten", "share"] == pytest.approx(0)


def test_a_heatmap_needs_two_choices_that_vary(tmp_path):
    cells, _ = factorial(tmp_path, lambda n, w, k: 0.1)
    paths = [write_scores(tmp_path / "one.parquet", [{"k": 7, "repeat": 0, "accuracy_majority": 0.1}])] * 2
    with pytest.raises(UserError, match="found whiten as the only choice"):
        tabulate("heatmap", cells[:2], {"scores": paths})
