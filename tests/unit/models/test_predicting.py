"""New images through networks: shared passes, checked weights, and chunks that do not change the result."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from bad_images import COLOUR, GREY, encoded

from workflow_scripts.backbones.forward import prepare
from workflow_scripts.errors import UserError
from workflow_scripts.models import new_features
from workflow_scripts.models.predicting import predict_images
from workflow_scripts.models.saved import SavedModel
from workflow_scripts.preprocess.pipeline import run_steps

STEPS = [{"step": "grey"}, {"step": "resize", "size": [64, 64], "anti_aliasing": True}]
NETWORK = {"model": "squeezenet1_1", "weights": "random", "seed": 0, "batch_size": 4, "weights_sha256": "random 0"}
PICTURES = [np.roll(GREY, shift) for shift in range(0, 50, 10)] + [COLOUR]


@pytest.fixture
def paths(tmp_path):
    found = [tmp_path / f"{number}.png" for number in range(len(PICTURES))]
    for path, pixels in zip(found, PICTURES, strict=True):
        path.write_bytes(encoded(pixels, "PNG"))
    return found


def _features(layers):
    images = np.stack([run_steps(pixels, STEPS) for pixels in PICTURES])
    forward, _ = prepare(NETWORK, layers, images.shape[1:3], torch.device("cpu"))
    return {layer: vectors.astype(float) for layer, vectors in forward(images).items()}


def _model(layer, features):
    """Return a model with two clusters, centred on the first and on the last image."""
    centers = features[layer][[0, -1]].astype(np.float32)
    clusters = [{"cluster": n, "size": 1, "name": name, "predicted": name} for n, name in enumerate(("grey", "colour"))]
    facts = {"preprocess": {"steps": STEPS}, "backbone": {**NETWORK, "layer": layer}, "clusters": clusters}
    facts |= {"reduction": {"whiten": False, "settings": None}, "novelty": {"threshold": 1.0}}
    return SavedModel(facts, {"centers": centers, "kept_images": centers, "spread": np.ones(2, np.float32)})


def _name(models, paths, workers=1):
    passes = []

    def progress(network):
        passes.append(network)
        return lambda done, total: None

    return predict_images(models, paths, 10**6, "cpu", workers, progress), passes


def test_two_layers_of_a_network_share_a_pass_and_say_what_the_features_say(paths, monkeypatch):
    layers = ["fire5_avg", "fire9_avg"]
    features = _features(layers)
    models = {layer: _model(layer, features) for layer in layers}
    tables, passes = _name(models, paths)
    assert passes == ["squeezenet1_1"]
    for layer, table in tables.items():
        assert table["name"].iloc[[0, -1]].tolist() == ["grey", "colour"]
        expected = models[layer].predict(features[layer])
        pd.testing.assert_frame_equal(table, expected, rtol=1e-4, atol=1e-4, check_exact=False)
    monkeypatch.setattr(new_features, "ROWS", 4)  # a whole batch, and the rest
    again, _ = _name(models, paths, workers=2)
    for layer, table in tables.items():
        pd.testing.assert_frame_equal(again[layer], table, check_exact=True)


def test_another_preprocessing_is_another_pass(paths):
    model = _model("fire9_avg", _features(["fire9_avg"]))
    smaller = [STEPS[0], {**STEPS[1], "size": [48, 48]}]
    other = replace(model, facts={**model.facts, "preprocess": {"steps": smaller}})
    tables, passes = _name({"one": model, "other": other, "like one": model}, paths)
    assert len(passes) == 2
    assert not tables["one"].equals(tables["other"])
    assert tables["one"].equals(tables["like one"])


def test_other_weights_than_the_models_are_a_mistake(paths):
    model = _model("fire9_avg", _features(["fire9_avg"]))
    other = {**model.facts, "backbone": {**model.facts["backbone"], "weights_sha256": "ab12"}}
    with pytest.raises(UserError, match="weights: found SHA-256 random 0 for random, the model was made with ab12"):
        _name({"one": replace(model, facts=other)}, paths)
