"""What figures draw, against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import (
    CELL,
    KINDS,
    draw,
    tabulate,
    write_agreements,
    write_clusters,
    write_manifest,
    write_scores,
    write_store,
)
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.errors import UserError
from workflow_scripts.grid.cells import cell_names

UNLABELLED = ["", "", "", "", ""]


def test_samples_are_spread_over_each_class(tmp_path):
    manifest = write_manifest(tmp_path, ["b", "a", "a", "b", "a", "a", ""])
    table = tabulate("samples", [CELL], {"manifest": [manifest]}, per_class=2)
    assert table[["label", "n", "column", "place", "row"]].values.tolist() == [
        ["a", 4, 0, 0, 1],
        ["a", 4, 0, 1, 5],
        ["b", 2, 1, 0, 0],
        ["b", 2, 1, 1, 3],
    ]


def test_samples_without_labels_are_spread_over_all(tmp_path):
    manifest = write_manifest(tmp_path, [""] * 23)
    table = tabulate("samples", [CELL], {"manifest": [manifest]}, per_class=2)
    assert table["row"].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]
    assert table["label"].isna().all()
    assert (table["n"] == 23).all()


def test_images_named_in_the_settings_are_shown(tmp_path):
    manifest = write_manifest(tmp_path, ["b", "a", "", "b"])
    ids = pd.read_csv(manifest)["image_id"]
    stores = [write_store(tmp_path / "s.h5", images=np.zeros((4, 2, 2), np.uint8))]
    inputs = {"manifest": [manifest], "preprocessed": stores}
    table = tabulate("samples", [CELL], inputs, images=["3.png", ids[2], ids[1]])
    assert table[["row", "column", "place", "path"]].values.tolist() == [
        *([3, 0, 0, "3.png"], [2, 1, 0, "2.png"], [1, 2, 0, "1.png"])
    ]
    assert tabulate("preprocessing", [CELL], inputs, images=[ids[2]])["named"].unique().tolist() == ["2.png"]
    with pytest.raises(UserError, match=r"images: found '33.png', allowed: a path or an id .*, such as 3.png"):
        tabulate("samples", [CELL], inputs, images=["33.png"])


def test_a_class_named_like_a_missing_value_is_a_class(tmp_path):
    manifest = write_manifest(tmp_path, ["NA", "None", "nan"])
    assert tabulate("samples", [CELL], {"manifest": [manifest]})["label"].tolist() == ["NA", "None", "nan"]


def test_classes_by_size_and_images_without_a_label_last(tmp_path):
    manifest = write_manifest(tmp_path, ["b", "a", "", "c", "c", "c", "", ""])
    table = tabulate("class_distribution", [CELL], {"manifest": [manifest]})
    assert table[["label", "n"]].values.tolist() == [["c", 3], ["a", 1], ["b", 1], [None, 3]]
    np.testing.assert_allclose(table["percent"], [60, 20, 20, np.nan])
    only = tabulate("class_distribution", [CELL], {"manifest": [write_manifest(tmp_path, UNLABELLED)]})
    assert only[["label", "n"]].values.tolist() == [[None, 5]]
    whole = tabulate("class_distribution", [CELL], {"manifest": [write_manifest(tmp_path, ["a", "a"])]})
    assert whole.values.tolist() == [["a", 2, 100.0]]


def test_classes_inside_classes_follow_them(tmp_path):
    path = write_manifest(tmp_path, ["b", "a", "a", "a", "b", "a", ""])
    pd.read_csv(path).assign(sublabel=["only", "x", "y", "y", "only", "", "x"]).to_csv(path, index=False)
    table = tabulate("class_distribution", [CELL], {"manifest": [path]})
    expected = [["a", None, 4], ["a", "y", 2], ["a", "x", 1], ["b", None, 2], [None, None, 1]]
    assert table[["label", "sublabel", "n"]].astype(object).where(table.notna(), None).values.tolist() == expected
    figure = draw("class_distribution", table, {"manifest": [path]})
    assert sorted(bar.get_width() for bar in figure.axes[0].patches) == [1, 1, 2, 2, 4]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "y", "x", "b", "without a label"]


def test_formats_are_read_as_they_were_counted(tmp_path):
    (tmp_path / "formats.csv").write_text("format,files,taken_in,duplicates,rejected\nTIFF,5,3,1,1\n.nan,2,0,0,2\n")
    table = tabulate("formats", [CELL], {"formats": [str(tmp_path / "formats.csv")]})
    assert table.values.tolist() == [["TIFF", 5, 3, 1, 1], [".nan", 2, 0, 0, 2]]


def test_histogram_of_half_black_half_white(tmp_path):
    manifest = write_manifest(tmp_path, ["a"])
    image = np.zeros((1, 4, 4), np.uint8)
    image[0, :2] = 255
    red = np.zeros((1, 4, 4, 3), np.uint8)
    red[..., 0] = 255
    stores = [write_store(tmp_path / "grey.h5", images=image), write_store(tmp_path / "red.h5", images=red)]
    cells = [CELL, {**CELL, "preprocess": "colour"}]
    table = tabulate("preprocessing", cells, {"manifest": [manifest], "preprocessed": stores}, classes=1)
    grey, coloured = (of_variant for _, of_variant in table.groupby("variant"))
    assert grey["share"].iloc[[0, -1]].tolist() == [0.5, 0.5]
    assert grey["share"].sum() == 1
    assert (grey["mean"] == 0.5).all()
    assert (grey["sd"] == 0.5).all()
    np.testing.assert_allclose(coloured["mean"], 0.2125)  # the luminance of pure red, ITU-R BT.709
    assert coloured["preprocess"].unique().tolist() == ["colour"]


def test_preprocessing_shows_the_middle_image_of_the_outer_classes(tmp_path):
    manifest = write_manifest(tmp_path, ["a", "a", "a", "b", "c", "c", "c"])
    store = write_store(tmp_path / "s.h5", images=np.zeros((7, 2, 2), np.uint8))
    table = tabulate("preprocessing", [CELL], {"manifest": [manifest], "preprocessed": [store]}, classes=2)
    assert table.drop_duplicates("row")[["label", "row"]].values.tolist() == [["a", 1], ["c", 5]]


def test_explained_variance_marks_where_levels_are_reached(tmp_path):
    store = write_store(tmp_path / "pca.h5", explained_variance_ratio=[0.5, 0.25, 0.125, 0.0625, 0.0625])
    table = tabulate("explained_variance", [CELL], {"decomposed": [store]})
    assert table["explained"].tolist() == [50, 75, 87.5, 93.75, 100]
    assert table["n_components"].tolist() == [1, 2, 3, 4, 5]
    assert table["level"].fillna(0).tolist() == [50, 0, 80, 90, 0]
    # below the chord from .5 to .0625, in the unit square: 0, .32, .36, .25, 0
    assert table["is_elbow"].tolist() == [False, False, True, False, False]


def test_one_component_may_reach_two_levels(tmp_path):
    store = write_store(tmp_path / "pca.h5", explained_variance_ratio=[0.25, 0.6, 0.01])
    table = tabulate("explained_variance", [CELL], {"decomposed": [store]})
    assert table["level"].fillna(0).tolist() == [0, 80, 0]


def clustered(tmp_path, labels, k="3"):
    """Two stored partitions, of which the second has the lower inertia."""
    best = np.array([0, 2, 2, 1, 1])
    clusters = write_clusters(tmp_path / "c.h5", {k: ([[0] * 5, best], [9, 4]), "40": ([[0] * 5], [1])})
    points = write_store(tmp_path / "t.h5", {"method": "tsne"}, scores=np.arange(10.0).reshape(5, 2))
    return {"manifest": [write_manifest(tmp_path, labels)], "map": [points], "clusters": [clusters]}


def test_embedding_names_clusters_by_the_vote_of_the_best_partition(tmp_path):
    table = tabulate("embedding", [CELL], clustered(tmp_path, ["a", "a", "a", "b", ""]), images=["4.png"])
    assert table["inset"].dropna().tolist() == ["4.png"]
    assert table["typical"].tolist() == [False] * 4 + [True]
    assert table["x"].tolist() == [0, 2, 4, 6, 8]
    assert table["y"].tolist() == [1, 3, 5, 7, 9]
    assert table["cluster"].tolist() == [0, 2, 2, 1, 1]
    assert (table["k"] == 3).all()
    assert table["name"].tolist() == ["a-2", "a", "a", "b", "b"]
    assert table["rank"].tolist() == [2, 1, 1, 1, 1]
    assert table["predicted"].tolist() == ["a", "a", "a", "b", "b"]


def test_embedding_keeps_a_class_whose_own_name_ends_in_a_number(tmp_path):
    table = tabulate("embedding", [CELL], clustered(tmp_path, ["a-2", "a-2", "a-2", "b", "b"]))
    assert table["name"].tolist() == ["a-2-2", "a-2", "a-2", "b", "b"]
    assert table["rank"].tolist() == [2, 1, 1, 1, 1]


def test_embedding_without_labels_numbers_its_clusters(tmp_path):
    table = tabulate("embedding", [CELL], clustered(tmp_path, UNLABELLED))
    assert table["name"].tolist() == ["0", "2", "2", "1", "1"]
    assert table["predicted"].isna().all()
    assert (table["rank"] == 1).all()


def test_noise_has_a_name_of_its_own(tmp_path):
    inputs = clustered(tmp_path, ["a", "a", "a", "b", "b"])
    noisy = write_clusters(tmp_path / "n.h5", {"auto": ([[-1, 0, 0, 1, 1]], [np.nan])})
    table = tabulate("embedding", [CELL], {**inputs, "clusters": [noisy]})
    assert table["name"].tolist() == ["noise", "a", "a", "b", "b"]
    assert table["k"].isna().all()


def test_confusion_counts_supports_and_accuracy(tmp_path):
    table = tabulate("confusion", [CELL], clustered(tmp_path, ["a", "a", "b", "b", "b"]))
    # clusters: {a}, {a, b} (a tie, to a), {b, b}
    assert table[["label", "predicted", "count", "support"]].values.tolist() == [
        ["a", "a", 2, 2],
        ["b", "a", 1, 3],
        ["a", "b", 0, 2],
        ["b", "b", 2, 3],
    ]
    assert table["share"].tolist() == [1, 1 / 3, 0, 2 / 3]
    assert (table["accuracy"] == 4 / 5).all()
    # the clusters of two images take a class each, the first cluster none: 1 + 2 of 5
    assert (table[["largest_class", "accuracy_matched"]] == 3 / 5).all(axis=None)
    np.testing.assert_allclose(table["ari"], adjusted_rand_score(list("aabbb"), [0, 2, 2, 1, 1]))
    assert (table["n_stored"] == 2).all()


def test_confusion_of_a_wanted_k_and_of_one_that_is_not_there(tmp_path):
    inputs = clustered(tmp_path, ["a", "a", "b", "b", "b"])
    assert (tabulate("confusion", [CELL], inputs, k=40)["accuracy"] == 3 / 5).all()
    with pytest.raises(UserError, match="found 5, allowed: 3, 40"):
        tabulate("confusion", [CELL], inputs, k=5)


def test_confusion_without_labels_is_empty(tmp_path):
    assert tabulate("confusion", [CELL], clustered(tmp_path, UNLABELLED)).empty


def score_files(tmp_path, cells, values):
    return {
        "scores": [
            write_scores(
                tmp_path / f"{i}.parquet",
                [{"n_components_used": cell["n_components"], "accuracy_majority": v, "inertia": 1} for v in of_cell],
            )
            for i, (cell, of_cell) in enumerate(zip(cells, values, strict=True))
        ]
    }


def test_sensitivity_mean_and_sd_over_repeats(tmp_path):
    cells = [{**CELL, "n_components": n} for n in (1, 10)]
    inputs = score_files(tmp_path, cells, [[0.1, 0.2, 0.6], [0.5, 0.5, 0.5]])
    table = tabulate("sensitivity", cells, inputs, hue=None, metrics=["accuracy_majority"])
    assert table["x"].tolist() == [1, 1, 1, 10, 10, 10]
    np.testing.assert_allclose(table["value"], [10, 20, 60, 50, 50, 50])
    np.testing.assert_allclose(table["mean"], [30] * 3 + [50] * 3)
    np.testing.assert_allclose(table["sd"], [np.sqrt(700)] * 3 + [0] * 3, atol=1e-9)
    assert (table["n_repeats"] == 3).all()
    assert (table["hue"] == "").all()
    assert table["fixed"].iloc[0] == "clahe, squeezenet, fire9_avg, pca, whitened, kmeans, k = 7, best of 10 restarts"


def test_sensitivity_leaves_out_cells_that_differ_in_another_choice(tmp_path):
    """Of a study that varies one axis at a time."""
    changes = [{}, {"n_components": 5}, {"n_components": 9}, {"preprocess": "plain"}, {"whiten": False}]
    cells = [{**CELL, **change} for change in changes]
    inputs = score_files(tmp_path, cells, [[i / 10] for i in range(5)])
    one = {"metrics": ["accuracy_majority"]}
    by_n = tabulate("sensitivity", cells, inputs, x="n_components", hue=None, **one)
    assert by_n[["x", "value"]].values.tolist() == [[50, 0], [5, 10], [9, 20]]
    by_preprocess = tabulate("sensitivity", cells, inputs, x="preprocess", hue=None, **one)
    assert by_preprocess[["x", "value"]].values.tolist() == [["clahe", 0], ["plain", 30]]
    by_both = tabulate("sensitivity", cells, inputs, x="preprocess", hue="whiten", **one)
    assert by_both[["x", "hue"]].values.tolist() == [
        ["clahe", "whitened"],
        ["plain", "whitened"],
        ["clahe", "not whitened"],
    ]
    named = [{**cell, "reducer": f"pca{cell['n_components']}{'w' if cell['whiten'] else ''}"} for cell in cells]
    by_reducer = tabulate("sensitivity", named, inputs, x="reducer", hue=None, **one)
    assert by_reducer["x"].tolist() == ["pca50w", "pca5w", "pca9w", "pca50"]


def test_sensitivity_takes_the_best_restart_of_a_repeat_and_no_fold(tmp_path):
    rows = [
        {"repeat": 0, "restart": 0, "inertia": 5, "accuracy_majority": 0.9},
        {"repeat": 0, "restart": 1, "inertia": 4, "accuracy_majority": 0.3},
        {"repeat": 1, "restart": 0, "inertia": 2, "accuracy_majority": 0.5},
        {"repeat": 1, "restart": 1, "inertia": 3, "accuracy_majority": 0.8},
        {"repeat": 1, "restart": 0, "inertia": 1, "accuracy_majority": 0.1, "fold": 2},
    ]
    path = write_scores(tmp_path / "s.parquet", [{"k": k, **row} for k in (6, 7) for row in rows])
    one = {"hue": None, "metrics": ["accuracy_majority"]}
    table = tabulate("sensitivity", [CELL], {"scores": [path]}, x="k", **one)
    assert table[["x", "value"]].values.tolist() == [[6, 30], [6, 50], [7, 30], [7, 50]]
    table = tabulate("sensitivity", [CELL], {"scores": [path]}, x="clusterer", k=7, **one)
    assert table["value"].tolist() == [30, 50]
    assert "k = 7" in table["fixed"].iloc[0]


def test_sensitivity_counts_capped_numbers_of_components_once(tmp_path):
    cells = [{**CELL, "n_components": n} for n in (1799, 1800)]
    paths = [write_scores(tmp_path / f"{i}", [{"n_components_used": 1799, "ari": 0.5}]) for i in range(2)]
    table = tabulate("sensitivity", cells, {"scores": paths}, hue=None, metrics=["ari"])
    assert table[["x", "value", "n_repeats"]].values.tolist() == [[1799, 0.5, 1]]


def test_sensitivity_without_labels_shows_what_needs_none(tmp_path):
    path = write_scores(tmp_path / "s.parquet", [{"n_components_used": 5, "silhouette": 0.25, "inertia": 3}])
    table = tabulate("sensitivity", [CELL], {"scores": [path]}, hue=None)
    assert table[["metric", "value"]].values.tolist() == [["silhouette", 0.25], ["inertia", 3]]


def test_a_cells_repeats_are_compared_with_the_best_of_the_other_cells(tmp_path):
    rng = np.random.default_rng(0)
    cells = [{**CELL, "layer": f"layer_{i}"} for i in range(3)]
    repeats = rng.integers(0, 3, (3, 2, 40))
    clusters = [write_clusters(tmp_path / f"{i}.h5", {"7": (repeats[i], [1.0, 2.0])}) for i in range(3)]
    inputs = {"clusters": clusters, "agreement": [write_agreements(tmp_path / "agreement.h5", cells, clusters)]}
    table = tabulate("specification_curve", cells, inputs, metric="agreement")
    table = table.sort_values("name", ignore_index=True)
    for i in range(3):
        others = [j for j in range(3) if j != i]
        of_repeats = [
            np.mean([adjusted_rand_score(partition, repeats[j, 0]) for j in others]) for partition in repeats[i]
        ]
        row = table.loc[i]
        assert row["value"] == pytest.approx(of_repeats[0])  # of the lowest inertia
        assert [row["low"], row["high"]] == pytest.approx(sorted(of_repeats))


def test_restarts_relative_inertia_best_and_correlation(tmp_path):
    pairs = [(10, 0.5), (8, 0.75), (12, 0.25), (9, 0.9)]
    path = write_scores(tmp_path / "s.parquet", [{"inertia": i, "accuracy_majority": a} for i, a in pairs])
    table = tabulate("restarts", [CELL], {"scores": [path]})
    assert table["relative_inertia"].tolist() == [25, 0, 50, 12.5]
    np.testing.assert_allclose(table["value"], [50, 75, 25, 90])
    assert table["best"].tolist() == [False, True, False, False]
    dx, dy = np.array([10, 8, 12, 9]) - 9.75, np.array([0.5, 0.75, 0.25, 0.9]) - 0.6
    np.testing.assert_allclose(table["r"], (dx @ dy) / np.sqrt((dx @ dx) * (dy @ dy)))


def test_restarts_are_named_by_the_choice_in_which_the_cells_differ(tmp_path):
    path = write_scores(tmp_path / "s.parquet", [{"inertia": 1, "accuracy_majority": 0.5}])
    table = tabulate("restarts", [CELL, {**CELL, "whiten": False}], {"scores": [path, path]})
    assert table["series"].tolist() == ["whitened", "not whitened"]
    assert table["r"].isna().all()


def test_restarts_without_labels_are_empty(tmp_path):
    path = write_scores(tmp_path / "s.parquet", [{"inertia": 1}, {"inertia": 2}])
    assert tabulate("restarts", [CELL], {"scores": [path]}).empty


def test_cells_that_do_not_differ_are_named_by_all_their_choices():
    assert cell_names([CELL], ("preprocess", "n_components", "whiten")) == ["clahe, 50 components, whitened"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labelled", [True, False])
def test_tables_survive_parquet(kind, labelled, made, tmp_path):
    cells, inputs = made(kind, 3, labelled)
    table = tabulate(kind, cells, inputs)
    table.to_parquet(tmp_path / "t.parquet", index=False)
    assert list(pd.read_parquet(tmp_path / "t.parquet").columns) == list(table.columns)


def test_islands_of_the_class_that_has_most(tmp_path):
    rng = np.random.default_rng(0)
    places = np.repeat([[0, 0], [9, 0], [0, 9], [20, 20]], [10, 30, 20, 40], axis=0) + rng.normal(0, 0.3, (100, 2))
    manifest = write_manifest(tmp_path, ["a"] * 60 + ["b"] * 40)
    grey = np.repeat(np.array([40, 80, 120, 160], np.uint8), [10, 30, 20, 40])
    stored = write_store(tmp_path / "s.h5", images=np.broadcast_to(grey[:, None, None], (100, 2, 2)).copy())
    points = write_store(tmp_path / "t.h5", {"method": "tsne"}, scores=places)
    inputs = {"manifest": [manifest], "map": [points], "preprocessed": [stored]}
    table = tabulate("islands", [CELL], inputs)
    assert (table["class"] == "a").all()
    island = table.loc[table["part"] == "image", "island"].fillna(0).to_numpy(int)
    assert [set(island[start:end]) - {0} for start, end in ((0, 10), (10, 40), (40, 60), (60, 100))] == [
        *({3}, {1}, {2}, set())
    ]
    means = table[table["part"] == "bin"].groupby("island")["mean"].first()
    np.testing.assert_allclose(means, np.array([80, 120, 40]) / 255)
    assert tabulate("islands", [CELL], inputs, label="b", n_islands=1)["island"].max() == 1
    of_b = tabulate("islands", [CELL], inputs, label="b")
    is_b = (of_b["part"] == "image") & (of_b["label"] == "b")
    assert of_b.loc[is_b, "island"].eq(1).all()  # without gaps: one island
    with pytest.raises(UserError, match="islands: label: found 'c', allowed: a, b"):
        tabulate("islands", [CELL], inputs, label="c")
