"""Models of every kind of feature: the images that they are made of get the clusters of the study again."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from bad_images import encoded
from figure_artefacts import CELL, image_ids, write_manifest, write_scores
from sklearn.cluster import KMeans

from workflow_scripts.backbones.codebook import ENCODINGS, PREFIX
from workflow_scripts.backbones.descriptors import describe_all
from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.joined import join_backbones, join_layers
from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.models.fitting import fit_model
from workflow_scripts.models.predicting import predict_images
from workflow_scripts.models.saved import load_model, save_model
from workflow_scripts.preprocess.pipeline import run_steps
from workflow_scripts.reduce import pca
from workflow_scripts.settings.backbones import settings_model
from workflow_scripts.settings.backbones.descriptors import DESCRIPTORS
from workflow_scripts.settings.decompositions.components import Pca

N, SIDE, K = 12, 64, 3
STEPS = [{"step": "grey"}]
PASS = ["fire5_avg", "fire5_max", "fire5_gem", "fire5_gram", "fire9_avg_l2", "fire5_vlad4", "fire5_fisher2"]
NETWORK = {"model": "squeezenet1_1", "weights": "random", "layers": [PASS, ["fire5_vlad4+fire5_fisher2+fire5_avg"]]}
GIVEN = {
    "network": NETWORK,
    "orbit": {
        **NETWORK,
        "orbit": True,
        "pyramid": [1, 0.5],
        "layers": [["fire9_avg", "fire9_vlad4"], ["fire9_vlad4+fire9_avg"]],
    },
    **{name: {"descriptor": name, **({"cell": 16} if name == "hog" else {})} for name in DESCRIPTORS},
    "turned": {"descriptor": "lbp", "orbit": True},
    "both": {"join": {"network": "fire5_vlad4", "turned": "features", "orbit": "fire9_vlad4+fire9_avg"}},
}
BACKBONES = {name: settings_model(given).model_validate(given) for name, given in GIVEN.items()}
LAYERS = [(name, layer) for name, settings in BACKBONES.items() for layers in settings.passes for layer in layers]


def _textures():
    """Return three kinds of images, (N, SIDE, SIDE): noise, stripes and a bright ground."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (N, SIDE, SIDE))
    images[1::K] += 120 * (np.arange(SIDE) % 8 < 4)
    images[2::K] += 160
    return images.astype(np.uint8)


def _write_features(folder: Path, images: np.ndarray, attributes: dict) -> None:
    for name, backbone in BACKBONES.items():
        paths = {layer: folder / f"{name}.{layer}.h5" for of, layer in LAYERS if of == name}
        if parts := backbone.parts:
            files = {of: str(folder / f"{of}.{part}.h5") for of, part in parts.items()}
            join_backbones(files, "features", paths["features"], "")
            continue
        if "descriptor" in GIVEN[name]:
            describe_all(images, image_ids(N), backbone.dump(), paths["features"], attributes)
            continue
        for layers in backbone.passes:
            if len(parts := parts_of(layers[0])) > 1:
                join_layers([str(paths[part]) for part in parts], layers[0], paths[layers[0]], "")
            else:
                made = {layer: paths[layer] for layer in layers}
                extract(images, image_ids(N), backbone.network(), made, attributes, "cpu")


def _saved(folder: Path, name: str, layer: str, manifest: str, attributes: dict):
    """Return the labels of k-means on the layer's components, and the model of them, saved and loaded."""
    features, points = folder / f"{name}.{layer}.h5", folder / f"{name}.{layer}.points.h5"
    decomposition = Pca(scale="power").dump()
    pca.decompose(str(features), str(points), decomposition, "", lambda *_: None)
    fitted = KMeans(K, n_init=5, random_state=0).fit(read_points(str(points), 5, False).values)
    runs = Runs(**{**vars(Runs.single(fitted.labels_[None])), "centers": fitted.cluster_centers_[None]})
    write_runs(str(folder / "clusters.h5"), [(K, runs)], np.array(image_ids(N)), attributes)
    sources = {"manifest": manifest, "features": features, "network": features, "points": points}
    sources |= {"clusters": folder / "clusters.h5", "scores": folder / "scores.parquet"}
    write_scores(folder / "scores.parquet", [{"k": K, "repeat": 0, "ari": 1.0, "silhouette": 1.0, "fold": None}])
    parts = {of: {**BACKBONES[of].network(), "layer": part} for of, part in BACKBONES[name].parts.items()}
    backbone = {"join": parts} if parts else BACKBONES[name].network()
    settings = {"preprocess": {"steps": STEPS}, "backbone": backbone, "decomposition": decomposition}
    cell = {**CELL, "backbone": name, "layer": layer, "n_components": 5, "whiten": False}
    model = fit_model({key: str(path) for key, path in sources.items()}, cell, settings)
    files = str(folder / "model.json"), str(folder / "model.safetensors")
    save_model(model, *files)
    return fitted.labels_, load_model(*files)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """The labels, the model and the predictions for the images it is made of, of every backbone and layer."""
    folder = tmp_path_factory.mktemp("features")
    paths = [folder / f"{number:02d}.png" for number in range(N)]
    for path, pixels in zip(paths, _textures(), strict=True):
        path.write_bytes(encoded(pixels, "PNG"))
    images = np.stack([run_steps(pixels, STEPS) for pixels in _textures()])
    attributes = store.provenance("", store.manifest_digest(image_ids(N)), {})
    _write_features(folder, images, attributes)
    manifest = write_manifest(folder, ["a", "b", "c"] * (N // 3))
    found = {key: _saved(folder, *key, manifest, attributes) for key in LAYERS}
    models = {"/".join(key): model for key, (_, model) in found.items()}
    tables = predict_images(models, paths, 10**6, "cpu", 1, lambda network: lambda done, total: None)
    return {key: (labels, model, tables["/".join(key)]) for key, (labels, model) in found.items()}


@pytest.mark.parametrize(("backbone", "layer"), LAYERS, ids=map("/".join, LAYERS))
def test_images_of_the_model_get_their_clusters_again(predicted, backbone, layer):
    labels, model, table = predicted[backbone, layer]
    np.testing.assert_array_equal(table["cluster"], labels)
    assert len(set(labels)) == K
    layers = list(GIVEN[backbone].get("join", {}).values()) or [layer]
    assert sum(name.startswith(PREFIX) for name in model.tensors) == sum(
        len(fields(ENCODINGS[encoding])) for encoding in re.findall("vlad|fisher", " ".join(layers))
    )
    held_out = [image_ids(N).index(image) for image in model.facts["held_out"]]
    np.testing.assert_allclose(table["novelty"][held_out], model.in_thresholds(model.tensors["held_out"]), rtol=1e-4)
