"""Scaling of features against scikit-learn."""

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer, StandardScaler, normalize

from workflow_scripts.errors import UserError
from workflow_scripts.io.points import ROWS
from workflow_scripts.reduce import scaling
from workflow_scripts.reduce.scaling import Scaled

N = ROWS + 7
X = np.random.default_rng(0).normal(3, [1, 0.01, 100, 0], (N, 4)).astype(np.float32)
X[0] = 0
TRAINING = np.random.default_rng(1).random(N) < 0.3


@pytest.mark.parametrize("training", [None, TRAINING, np.arange(N) < 5], ids=["all", "some", "first"])
def test_columns_are_divided_by_the_deviations_of_the_training_rows(training):
    rows = slice(None) if training is None else training
    theirs = StandardScaler(with_mean=False).fit(X[rows].astype(float))
    ours = Scaled(X, "standard", training)
    np.testing.assert_allclose(ours.fitted["divisors"], theirs.scale_, rtol=1e-10)
    np.testing.assert_allclose(ours[5:9], theirs.transform(X[5:9].astype(float)), rtol=1e-10)
    assert ours.shape == X.shape


def test_rows_are_scaled_alone():
    np.testing.assert_allclose(Scaled(X, "l2")[:], normalize(X.astype(float)))
    negative = -X[:9]
    powered = Scaled(negative, "power")[:]
    np.testing.assert_allclose(powered * np.abs(powered), negative, rtol=1e-6)
    assert Scaled(X, None)[2:4].tobytes() == X[2:4].tobytes()


@pytest.mark.parametrize("training", [None, TRAINING], ids=["all", "some"])
def test_powers_are_those_of_the_training_rows(training):
    skewed = np.sign(X) * X**2
    rows = slice(None) if training is None else training
    theirs = PowerTransformer().fit(skewed[rows].astype(float))
    ours = Scaled(skewed, "yeo-johnson", training)
    np.testing.assert_allclose(ours.fitted["powers"], theirs.lambdas_, rtol=1e-6)
    scaled = ours[:]
    centred = scaled - scaled[rows].mean(axis=0)
    np.testing.assert_allclose(centred, theirs.transform(skewed.astype(float)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale", ["standard", "yeo-johnson"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_end_in_one_line(scale, value):
    with pytest.raises(UserError, match=f"{scale}: found NaN or infinite values"):
        Scaled(np.array([[1.0, 2], [3, value], [5, 7]]), scale)


def test_powers_of_many_numbers_are_fitted_on_some_images(monkeypatch):
    monkeypatch.setattr(scaling, "FITTED_NUMBERS", 400)
    theirs = PowerTransformer().fit(X[np.linspace(0, N - 1, 100).astype(int)].astype(float))
    np.testing.assert_allclose(Scaled(X, "yeo-johnson").fitted["powers"], theirs.lambdas_, rtol=1e-6)
