"""Groups of perturbed images against those that a saved model gives to files of turned images."""

import numpy as np
import pandas as pd
import pytest
import torch
from bad_images import encoded
from figure_artefacts import CELL, write_scores
from sklearn.cluster import KMeans

from workflow_scripts.backbones.forward import prepare
from workflow_scripts.io import store
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.models.fitting import fit_model
from workflow_scripts.models.perturbing import drawn, perturbed_groups
from workflow_scripts.models.predicting import predict_images
from workflow_scripts.preprocess.perturbations import VERSIONS
from workflow_scripts.preprocess.pipeline import run_steps

STEPS = [{"step": "grey"}, {"step": "resize", "size": [48, 48], "anti_aliasing": True}]
NETWORK = {"model": "squeezenet1_1", "weights": "random", "seed": 0}
LAYER = "fire5"
N = 12


def striped(number):
    """Stripes along the rows or, every second image, along the columns, in noise."""
    image = np.tile(np.arange(60) // 6 % 2 * 120, (60, 1)) + np.random.default_rng(number).integers(0, 60, (60, 60))
    return (image.T if number % 2 else image).astype(np.uint8)


@pytest.fixture
def cell(tmp_path):
    """The artefacts of a cell that clusters flat features as they are, the cell and its settings."""
    images = [striped(number) for number in range(N)]
    (tmp_path / "images").mkdir()
    for number, image in enumerate(images):
        (tmp_path / "images" / f"{number}.png").write_bytes(encoded(image, "PNG"))
    forward, _ = prepare({**NETWORK, "batch_size": 4}, [LAYER], (48, 48), torch.device("cpu"))
    features = forward(np.stack([run_steps(image, STEPS) for image in images]))[LAYER]
    ids = [f"{number:016x}" for number in range(N)]
    labels = [f"class {number % 2}" for number in range(N)]
    manifest = pd.DataFrame({"image_id": ids, "path": [f"{number}.png" for number in range(N)], "label": labels})
    manifest.assign(width=48, height=48).to_csv(tmp_path / "manifest.csv", index=False)
    weights = {"batch_size": 4, "weights_sha256": "random 0"}
    attributes = store.provenance("", store.manifest_digest(ids), {"clusterer": {"method": "kmeans"}}, **weights)
    with store.writing(tmp_path / "f.h5", attributes) as file:
        file["image_id"], file["features"] = np.array(ids, dtype="S"), features
    fitted = KMeans(2, n_init=3, random_state=0).fit(features)
    runs = Runs.single(fitted.labels_[None], inertia=[fitted.inertia_])
    write_runs(str(tmp_path / "c.h5"), [(2, runs)], np.array(ids), attributes)
    scores = write_scores(tmp_path / "s.parquet", [{"k": 2, "ari": 1.0, "silhouette": 0.5}])
    of_features = dict.fromkeys(("features", "network", "points"), str(tmp_path / "f.h5"))
    sources = {**of_features, "manifest": str(tmp_path / "manifest.csv"), "clusters": str(tmp_path / "c.h5")}
    choices = {**CELL, "decomposition": "none", "n_components": None, "whiten": False, "layer": LAYER}
    settings = {"preprocess": {"steps": STEPS}, "backbone": NETWORK, "decomposition": None}
    return {**sources, "scores": scores}, choices, settings


def perturbed(cell, folder, n_images=N):
    options = {"seed": 0, "max_pixels": 10**6, "device": "cpu", "workers": 2, "progress": lambda done, total: None}
    return perturbed_groups(*cell, folder / "images", n_images=n_images, **options)


def test_turned_images_are_where_the_model_puts_files_of_turned_images(cell, tmp_path):
    table = perturbed(cell, tmp_path)
    assert len(table) == N * len(VERSIONS)
    model = fit_model(*cell)
    turns = {("as it is", np.nan): np.asarray, ("rotate", 90): np.rot90, ("flip", np.nan): np.fliplr}
    for (name, strength), turn in turns.items():
        paths = [tmp_path / f"{name}_{number}.png" for number in range(N)]
        for number, path in enumerate(paths):
            path.write_bytes(encoded(np.ascontiguousarray(turn(striped(number))), "PNG"))
        named = predict_images({"a": model}, paths, 10**6, "cpu", 1, lambda network: lambda done, total: None)["a"]
        rows = table[(table["perturbation"] == name) & (table["strength"].isna() | (table["strength"] == strength))]
        expected = rows["group_perturbed"] if len(rows) else table["group"][:N]
        np.testing.assert_array_equal(expected, named["cluster"])
    assert table["group"].nunique() == 2


def test_a_part_of_the_images_has_the_same_groups(cell, tmp_path):
    some = perturbed(cell, tmp_path, 4)
    everything = perturbed(cell, tmp_path).set_index(["image_id", "perturbation", "strength"])
    assert some["image_id"].nunique() == 4
    assert some.drop_duplicates("image_id")["label"].value_counts().tolist() == [2, 2]
    rows = everything.loc[list(zip(some["image_id"], some["perturbation"], some["strength"], strict=True))]
    np.testing.assert_array_equal(rows["group_perturbed"], some["group_perturbed"])


def test_labels_have_their_shares_of_the_images_drawn():
    labels = np.array(["a"] * 600 + ["b"] * 300 + [""] * 100)
    np.random.default_rng(1).shuffle(labels)
    rows = drawn(labels, 100, 0)
    assert len(set(rows)) == 100
    assert {name: (labels[rows] == name).sum() for name in ("a", "b", "")} == pytest.approx(
        {"a": 60, "b": 30, "": 10}, abs=1
    )
    assert set(drawn(labels, 100, 1)) != set(rows)
    assert len(drawn(labels, 5000, 0)) == 1000
