"""Saved models against the artefacts that they are made of, scikit-learn and plain loops."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, image_ids, write_manifest, write_scores
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import PowerTransformer, StandardScaler, normalize

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.models.fitting import choose, fit_model
from workflow_scripts.models.saved import COLUMNS, FORMAT_VERSION, SavedModel, load_model, save_model
from workflow_scripts.reduce import autoencoder, ica, kernel_pca, pca
from workflow_scripts.settings.decompositions.autoencoder import Autoencoder
from workflow_scripts.settings.decompositions.components import Ica, KernelPca, Pca

N, WIDTH, CLASSES = 90, 20, ("Cr", "In", "Pa")
CODES = Autoencoder(widths=(12, 8, 4), tied=True, phases=[{"g": 3}]).dump()
DECOMPOSITIONS = {
    **{"pca": Pca().dump(), "codes": CODES, "none": None, "ica": Ica(n_components=4, scale="standard").dump()},
    "kernel": KernelPca(n_components=4, scale="yeo-johnson").dump(),
    **{scale: Pca(scale=scale).dump() for scale in ("standard", "power", "yeo-johnson", "l2")},
}
SCALERS = {
    "standard": lambda features: StandardScaler().fit_transform(features),
    "power": lambda features: np.where(features < 0, -1, 1) * np.abs(features) ** 0.5,
    "yeo-johnson": lambda features: PowerTransformer().fit_transform(features),
    "l2": normalize,
}
BACKBONE = {"model": "squeezenet1_1", "weights": "default", "sha256": None, "seed": 0}


def _features(seed=0, n=N):
    """Three classes in seven of twenty dimensions."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    centres = np.random.default_rng(7).normal(0, 6, (3, 7))
    features = rng.normal(0, 0.5, (n, WIDTH))
    features[:, :7] += centres[classes]
    return features.astype(np.float32), np.array(CLASSES)[classes]


def _cell(**choices):
    return {**CELL, "clusterer": "kmeans", "n_components": 5, "whiten": False, **choices}


@pytest.fixture
def fitted(tmp_path):
    """Return a function that makes the artefacts and the model of a cell from its choices."""

    def make(k=(4,), labels=None, runs=None, ari=(0.5,), moved=0, **choices):
        cell, (features, classes) = _cell(**choices), _features()
        features += moved
        manifest = write_manifest(tmp_path, list(classes) if labels is None else labels)
        ids = pd.read_csv(manifest)["image_id"]
        attributes = store.provenance("", store.manifest_digest(ids), {})
        with store.writing(tmp_path / "f.h5", attributes) as file:
            file["image_id"], file["features"] = ids.to_numpy("S16"), features
        with store.writing(tmp_path / "n.h5", {"batch_size": 4, "weights_sha256": "ab"}):
            pass  # as the features of all images, where those of the cell are of a subset
        decomposition = DECOMPOSITIONS[cell["decomposition"]]
        points = tmp_path / ("d.h5" if decomposition else "f.h5")
        if decomposition:
            modules = {"pca": pca, "autoencoder": autoencoder, "ica": ica, "kernel_pca": kernel_pca}
            modules[decomposition["method"]].decompose(
                str(tmp_path / "f.h5"), str(points), decomposition, "", lambda *_: None
            )
        whole = read_points(str(points), cell["n_components"], cell["whiten"]).values
        found = runs or {number: _kmeans(whole, number) for number in k}
        write_runs(str(tmp_path / "c.h5"), found.items(), ids.to_numpy(str), attributes)
        rows = [
            {"k": number, "repeat": r, "ari": a, "silhouette": -a}
            for number, a in zip(k, ari, strict=True)
            for r in (0, 1)
        ]
        sources = {"manifest": manifest, "features": tmp_path / "f.h5", "clusters": tmp_path / "c.h5"}
        sources["network"] = tmp_path / "n.h5"
        sources["points"] = points
        sources["scores"] = write_scores(tmp_path / "s.parquet", [{**row, "fold": None} for row in rows])
        settings = {"preprocess": {"steps": []}, "backbone": BACKBONE, "decomposition": decomposition}
        return fit_model({name: str(path) for name, path in sources.items()}, cell, settings), whole, found

    return make


def _kmeans(points, k, repeats=2):
    found = [KMeans(k, n_init=5, random_state=repeat).fit(points) for repeat in range(repeats)]
    runs = Runs.single(np.array([fit.labels_ for fit in found]), inertia=np.array([fit.inertia_ for fit in found]))
    return Runs(**{**vars(runs), "centers": np.array([fit.cluster_centers_ for fit in found])})


@pytest.mark.parametrize("scale", ["standard", "yeo-johnson"])
def test_features_far_from_zero_go_where_they_were(fitted, scale):
    moved = np.linspace(200, 1000, WIDTH, dtype=np.float32)  # powers from -4 to 38: numbers beyond single precision
    model, points, _ = fitted(decomposition=scale, moved=moved)
    np.testing.assert_allclose(model.points(_features()[0] + moved), points, atol=1e-4)


@pytest.mark.parametrize(
    "choices",
    [
        *({}, {"whiten": True}, {"n_components": 3}, {"decomposition": "none", "n_components": None}),
        *({"decomposition": name, "n_components": None} for name in ("codes", "ica", "kernel")),
        *({"decomposition": name, "whiten": True} for name in SCALERS),
    ],
    ids=["pca", "whitened", "few", "features", "autoencoder", "ica", "kernel", *SCALERS],
)
def test_what_a_model_was_made_of_goes_where_it_was(fitted, choices):
    model, points, runs = fitted(**choices)
    features, _ = _features()
    np.testing.assert_allclose(model.points(features), points, atol=1e-4)
    if n := choices.get("n_components", 5):
        scaled = SCALERS.get(choices.get("decomposition"), lambda given: given)(features.astype(float))
        theirs = PCA(n, whiten=choices.get("whiten", False), svd_solver="full").fit_transform(scaled)
        np.testing.assert_allclose(np.abs(model.points(features)), np.abs(theirs), atol=1e-4)
    row = int(np.argmin(runs[4].inertia))
    said = model.predict(features)
    assert tuple(said.columns) == COLUMNS
    np.testing.assert_array_equal(said["cluster"], runs[4].labels[row])
    centres = runs[4].centers[row][said["cluster"]]
    np.testing.assert_allclose(said["distance"], np.linalg.norm(points - centres, axis=1), rtol=1e-3)


def test_new_pictures_get_the_class_of_their_cluster(fitted):
    model, _, _ = fitted(decomposition="none", n_components=None)
    features, classes = _features(seed=1, n=300)
    said = model.predict(features)
    assert (said["predicted"] == classes).mean() > 0.99
    assert set(said["name"]) == {cluster["name"] for cluster in model.facts["clusters"]}
    assert sum(name.endswith("-2") for name in set(said["name"])) == 1


def test_the_margin_is_to_the_nearest_cluster_of_another_class(fitted):
    model, points, _ = fitted(decomposition="none", n_components=None)
    votes = [cluster["predicted"] for cluster in model.facts["clusters"]]
    centres = model.tensors["centers"].astype(float)
    for point, said in zip(points, model.predict(points).to_dict("records"), strict=True):
        distances = np.linalg.norm(point - centres, axis=1)
        others = [d for d, vote in zip(distances, votes, strict=True) if vote != said["predicted"]]
        assert said["margin"] == pytest.approx(1 - distances.min() / min(others), rel=1e-6)


def test_without_labels_each_cluster_is_a_class_of_its_own(fitted):
    model, points, _ = fitted(labels=[""] * N, ari=[np.nan], decomposition="none", n_components=None)
    said = model.predict(points)
    distances = np.sort(np.linalg.norm(points[:, None] - model.tensors["centers"], axis=2), axis=1)
    np.testing.assert_allclose(said["margin"], 1 - distances[:, 0] / distances[:, 1], rtol=1e-5)
    assert said["predicted"].isna().all()
    assert model.facts["clusterer"]["chosen_by"] == "silhouette"


def test_one_class_has_no_margin(fitted):
    model, points, _ = fitted(labels=["Cr"] * N, decomposition="none", n_components=None)
    assert model.predict(points)["margin"].isna().all()


def test_few_like_those_seen_are_outliers_and_all_unlike_them(fitted):
    for choices in ({}, {"whiten": True}, {"decomposition": "none", "n_components": None}):
        model, _, _ = fitted(**choices)
        features, _ = _features(seed=3, n=3000)
        assert 0 < model.predict(features)["outlier"].mean() < 0.05
        elsewhere = features.copy()
        elsewhere[:, -1] += 12  # far from all images, in a direction that no component has
        said = model.predict(elsewhere)
        assert said["outlier"].all()
        assert (said["outlier"] == (said["novelty"] > 1)).all()


def test_what_is_held_out_has_the_novelty_of_new_images(fitted):
    model, _, _ = fitted()
    features, _ = _features()
    ids = model.facts["held_out"]
    assert len(ids) == len(set(ids)) == N // 3
    rows = [list(image_ids(N)).index(image) for image in ids]
    again = model.in_thresholds(model.tensors["held_out"])
    np.testing.assert_array_equal(model.predict(features[rows])["novelty"].to_numpy(), again)
    assert not any((kept == features[row]).all() for row in rows for kept in model.tensors["kept_images"])


def test_the_best_k_is_that_of_the_highest_mean_ari(fitted):
    model, _, _ = fitted(k=(2, 3, 4), ari=(0.3, 0.9, 0.5))
    assert model.facts["clusterer"]["chosen_k"] == 3
    assert len(model.facts["clusters"]) == model.tensors["centers"].shape[0] == 3


def test_a_clusterer_without_centres_k_or_inertia():
    labels = np.array([[0, 0, 1, -1], [1, 1, 0, 0]])
    scores = pd.DataFrame(
        {"k": [None, None], "ari": [0.1, 0.2], "silhouette": [0.3, 0.4], "repeat": [0, 1], "inertia": np.nan}
    )
    assert choose(scores.assign(inertia=np.nan), {None: Runs.single(labels)}) == (
        None,
        0,
        {"chosen_by": "ari", "mean_ari": pytest.approx(0.15)},
    )


def test_only_the_best_restart_of_a_repeat_counts_for_k():
    labels = np.zeros((2, 4), dtype=int)
    runs = {k: replace(Runs.single(labels, inertia=np.array([2.0, 1.0])), repeat=np.zeros(2, int)) for k in (2, 3)}
    scores = pd.DataFrame(
        {"k": [2, 2, 3, 3], "ari": [0.9, 0.4, 0.1, 0.5], "repeat": 0, "inertia": [2.0, 1.0, 2.0, 1.0]}
    )
    assert choose(scores.assign(repeat=0), runs) == (3, 1, {"chosen_by": "ari", "mean_ari": 0.5})


def test_noise_alone_makes_no_model(fitted):
    with pytest.raises(UserError, match="kmeans found only noise"):
        fitted(runs={4: Runs.single(np.full((2, N), -1))})


def test_noise_and_empty_clusters_make_no_centre(fitted):
    features, _ = _features()
    labels = np.where(np.arange(N) % 10 == 0, -1, np.where(np.arange(N) % 3 == 0, 0, 2))
    model, _, _ = fitted(runs={4: Runs.single(labels[None])}, decomposition="none", n_components=None)
    assert [cluster["cluster"] for cluster in model.facts["clusters"]] == [0, 2]
    for number, cluster in enumerate((0, 2)):
        mean = features[labels == cluster].mean(axis=0)
        np.testing.assert_allclose(model.tensors["centers"][number], mean, rtol=1e-4, atol=1e-5)
    assert set(model.predict(features)["cluster"]) == {0, 2}


def test_a_saved_model_is_the_same_and_holds_no_code(fitted, tmp_path):
    model, _, _ = fitted(whiten=True)
    paths = [(str(tmp_path / f"{n}.json"), str(tmp_path / f"{n}.safetensors")) for n in "ab"]
    for pair in paths:
        save_model(model, *pair)
    (facts, tensors), (other_facts, other_tensors) = paths
    assert Path(facts).read_bytes() == Path(other_facts).read_bytes()
    assert Path(tensors).read_bytes() == Path(other_tensors).read_bytes()
    json.loads(Path(facts).read_text())
    header = Path(tensors).read_bytes()
    json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
    features, _ = _features(seed=1)
    pd.testing.assert_frame_equal(load_model(facts, tensors).predict(features), model.predict(features))


def test_what_is_no_model_says_so(tmp_path):
    facts, tensors = tmp_path / "model.json", tmp_path / "model.safetensors"
    model = SavedModel({"a": 1}, {"b": np.zeros(2, np.float32)})
    save_model(model, str(facts), str(tensors))
    facts.write_text(facts.read_text().replace(f'"format_version": {FORMAT_VERSION}', '"format_version": 7'))
    with pytest.raises(UserError, match=f"format version 7, allowed: {FORMAT_VERSION}"):
        load_model(str(facts), str(tensors))
    facts.write_text("{")
    with pytest.raises(UserError, match=re.escape(str(facts))):
        load_model(str(facts), str(tensors))
    save_model(model, str(facts), str(tensors))
    tensors.write_bytes(b"nothing")
    with pytest.raises(UserError, match="the model cannot be read"):
        load_model(str(facts), str(tensors))
