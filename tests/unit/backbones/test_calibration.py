"""Predictions for images without a label: probabilities that are right as often as they say."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from workflow_scripts.backbones.calibration import SURE, in_words, predictions, reliability, temperature


@pytest.mark.parametrize("hot", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_scores_is_found(hot):
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=2, size=(20_000, 3))
    targets = (softmax(scores, axis=1).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert temperature(scores * hot, targets) == pytest.approx(hot, rel=0.05)


def test_probabilities_are_right_as_often_as_they_say_and_sure_ones_become_labels():
    rng = np.random.default_rng(1)
    scores = rng.normal(scale=3, size=(9000, 2))
    truth = np.array(["a", "b"])[(rng.random(9000) > softmax(scores, axis=1)[:, 0]).astype(int)]
    labels = truth.astype(object)
    labels[6000:] = ""
    found = predictions(4 * scores, list(labels), ["a", "b"], np.arange(3000), np.arange(3000, 6000))
    assert found["known"].value_counts().to_dict() == {"held out": 3000, "trained on": 3000, "no label": 3000}
    assert (found["label"][:6000] == labels[:6000]).all()
    new = found[6000:]
    assert ((new["label"] != "") == (new["probability"] >= SURE)).all()
    sure = new["label"] != ""
    assert (new["label"][sure] == truth[6000:][sure]).mean() == pytest.approx(new["probability"][sure].mean(), abs=0.01)
    table = reliability(found)
    assert table["images"].tolist() == [300] * 10
    np.testing.assert_allclose(table["accuracy"], table["probability"], atol=0.1)
    assert table["probability"].is_monotonic_increasing
    assert f"predicts {sure.sum()} of 3000 images without a label" in in_words(found, table)
    assert "without" not in in_words(found[:6000], table)


@pytest.mark.parametrize(("n", "bins"), [(39, 1), (40, 2), (100, 5), (1000, 10)])
def test_no_error_is_said_of_few_images_because_it_would_be_chance(n, bins):
    """A calibrated network is right as often as it says, and its mean error over many draws stays small."""
    rng = np.random.default_rng(2)
    errors = []
    for _ in range(50):
        probability = rng.uniform(0.5, 1, n)
        right = rng.random(n) < probability
        rows = {"label": np.where(right, "a", "b"), "predicted": "a", "probability": probability, "known": "held out"}
        table = reliability(pd.DataFrame(rows))
        assert table["images"].between(n // bins, n // bins + 1).all()
        assert len(table) == bins
        errors.append((table["probability"] - table["accuracy"]).abs().mean())
    assert np.mean(errors) < 0.1
    assert ("too few for a calibration error" in in_words(pd.DataFrame(rows), table)) == (n < 40)
