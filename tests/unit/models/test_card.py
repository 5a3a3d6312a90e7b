"""The card of a model says what its facts and its scores say."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.models.card import model_card

FACTS = {
    "dataset": "plates",
    "study": "main",
    "code": "c0de",
    "images": 6,
    "manifest": "d1gest",
    "held_out": ["a", "b"],
    "cell": {"subset": "all", "backbone": "net", "layer": "fire9_avg"},
    "preprocess": {"steps": [{"step": "grey"}, {"step": "clahe", "clip_limit": 0.01, "nbins": None}]},
    "backbone": {"model": "squeezenet1_1", "layer": "fire9_avg", "weights_sha256": "5ha", "seed": 0, "licence": "mit"},
    "reduction": {"settings": {"method": "pca"}, "n_components": 5, "whiten": True},
    "clusterer": {"clusterer": {"method": "kmeans", "n_init": 50}, "chosen_k": 3, "chosen_by": "ari", "seed": 7},
    "clusters": [{"name": "a|b", "size": 4, "predicted": "a|b"}, {"name": "-", "size": 2, "predicted": None}],
    "novelty": {"threshold": 1.25, "rate": 0.01},
}
WEIGHTS = {"weights": "default", "weights_sha256": "5ha", "licence": "BSD-3-Clause"}
SCORES = pd.DataFrame({
    "k": [3, 3, 3, 4], "repeat": [0, 1, 1, 0], "inertia": [1.0, 1.0, 2.0, 1.0], "ari": [0.5, 0.7, 0.0, 0.9],
    "silhouette": [0.1, 0.2, 0.0, 0.3], "accuracy_majority": np.nan,
})  # fmt: skip
MANIFEST = pd.DataFrame({"label": ["a|b", "a|b", "a|b", "c", "c", None]})


def test_a_card_has_the_settings_the_scores_and_the_licence():
    card = model_card(FACTS, MANIFEST, SCORES, {"net": WEIGHTS})
    for line in (
        "# Model card: main of plates",
        "Labels: a|b (3), c (2). 2 images are held out",
        "| preprocessing | grey, clahe(clip_limit=0.01) |",
        "| network | net: squeezenet1_1(seed=0) |",
        "| reduction | pca, 5 components, whitened |",
        "| clusterer | kmeans(n_init=50) |",
        "| number of clusters | 3, chosen among 2 by the adjusted Rand index |",
        "| SHA-256 | `5ha` |",
        "| licence | BSD-3-Clause |",
        r"| a\|b | 4 | a\|b |",
        "Of 2 repeats",
        "| adjusted Rand index | 0.600 | 0.500 | 0.700 |",
        "| mean silhouette | 0.150 | 0.100 | 0.200 |",
        "(novelty above 1.25), or 1 in 3 if that is more.",
        "- The smallest class has 2 images.",
        "- No cluster votes for c: these classes are never predicted.",
    ):
        assert line in card
    assert "accuracy" not in card


@pytest.mark.parametrize("weights", [{}, {"net": {"weights": "random"}}])
def test_without_weights_or_labels(weights):
    card = model_card(FACTS, MANIFEST.assign(label=None), SCORES, weights)
    assert "The features do not depend on trained weights." in card
    assert "no image has a label" in card
    assert "There are no labels: whether the clusters mean anything was not checked." in card


def test_a_clusterer_that_finds_the_number_of_clusters():
    facts = {**FACTS, "clusterer": {**FACTS["clusterer"], "chosen_k": None}}
    card = model_card(facts, MANIFEST, SCORES.assign(k=None), {"net": WEIGHTS})
    assert "| number of clusters | 2, found by the clusterer |" in card


def test_a_licence_that_nobody_states_and_a_fine_tuned_network():
    facts = {**FACTS, "backbone": {**FACTS["backbone"], "weights_sha256": "own"}}
    card = model_card(facts, MANIFEST, SCORES, {"net": {**WEIGHTS, "licence": None}})
    assert "| licence | not recorded; ask whoever published the weights |" in card
    assert "| fine-tuned here, SHA-256 | `own` |" in card


def test_joined_features_have_the_settings_and_the_weights_of_each_part():
    parts = {
        "net": FACTS["backbone"],
        "tuned": {**FACTS["backbone"], "model": "resnet18", "layer": "avgpool", "weights_sha256": "own"},
        "texture": {"descriptor": "lbp", "layer": "features", "radii": [1, 2], "weights_sha256": "none"},
    }
    joined = [{"backbone": name, **part} for name, part in parts.items()]
    facts = {**FACTS, "cell": {**FACTS["cell"], "backbone": "all"}, "backbone": {"join": joined, "layer": "features"}}
    card = model_card(facts, MANIFEST, SCORES, {"net": WEIGHTS, "tuned": {**WEIGHTS, "licence": "CC BY-NC"}})
    for line in (
        "| all, net: fire9_avg | squeezenet1_1(seed=0) |",
        "| all, tuned: avgpool | resnet18(seed=0) |",
        "| all, texture: features | lbp(radii=[1, 2]) |",
        "| net |  |\n| --- | --- |\n| file | `default` |",
        "| licence | CC BY-NC |\n| fine-tuned here, SHA-256 | `own` |",
    ):
        assert line in card
    assert card.count("fine-tuned here") == 1


def test_a_single_k_was_given_and_not_chosen():
    card = model_card(FACTS, MANIFEST, SCORES[SCORES["k"] == 3], {"net": WEIGHTS})
    assert "| number of clusters | 3, given |" in card
