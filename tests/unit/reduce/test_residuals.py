"""Features without what known facts explain, against a regression by scikit-learn; two cameras are removed."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import image_ids, write_manifest
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.errors import UserError
from workflow_scripts.io import points, store
from workflow_scripts.reduce.residuals import regress_out, regressed_out

N = 100
FACTS = pd.DataFrame(
    {"light": np.random.default_rng(4).normal(size=N), "camera": np.random.default_rng(5).choice(["x", "y", "z"], N)}
)


def rest_of(features: np.ndarray, facts: pd.DataFrame) -> np.ndarray:
    return np.concatenate([rows for _, rows in regress_out(features, facts)])


def test_residuals_are_those_of_a_regression_and_means_stay(monkeypatch):
    monkeypatch.setattr(points, "ROWS", 32)
    features = np.random.default_rng(0).normal(3, 1, (N, 6)) + 3 * FACTS[["light"]].to_numpy()
    facts = FACTS.assign(light=FACTS["light"].where(FACTS.index % 10 > 0))
    design = pd.get_dummies(facts.fillna({"light": facts["light"].mean()})).astype(float)
    expected = features - LinearRegression().fit(design, features).predict(design) + features.mean(axis=0)
    np.testing.assert_allclose(rest_of(features, facts), expected, atol=1e-10)


def test_a_constant_explains_nothing():
    features = np.random.default_rng(5).normal(size=(20, 3))
    for facts in (pd.DataFrame({"one": [1.0] * 20}), pd.DataFrame({"a": ["x"] * 20}), pd.DataFrame(index=range(20))):
        np.testing.assert_array_equal(rest_of(features, facts), features)


@pytest.fixture
def cameras(tmp_path):
    """Write features of two classes and two cameras; the cameras lie farther apart than the classes."""
    rng = np.random.default_rng(1)
    classes, second = np.arange(N) % 2, rng.random(N) < 0.5
    features = rng.normal(0, 0.3, (N, 5)) + np.outer(classes, [1, 0, 0, 0, 0]) + np.outer(second, [0, 4, 4, 0, 0])
    images = rng.integers(0, 20, (N, 8, 8)) + 100 * second[:, None, None]
    manifest = write_manifest(tmp_path, [""] * N)
    attributes = store.provenance("", store.manifest_digest(image_ids(N)), {})
    for name, values in (("features", features.astype(np.float32)), ("images", images.astype(np.uint8))):
        with store.writing(tmp_path / f"{name}.h5", attributes) as file:
            file["image_id"], file[name] = np.array(image_ids(N), dtype="S"), values
    table = pd.DataFrame({"image_id": image_ids(N), "camera": np.where(second, "left", "right"), "width": 1})
    table.to_csv(tmp_path / "table.csv", index=False)
    files = {"source": str(tmp_path / "features.h5"), "images": str(tmp_path / "images.h5"), "manifest": manifest}
    return {**files, "table": str(tmp_path / "table.csv")}, classes, second


@pytest.mark.parametrize("fact", ["camera", "brightness"])
def test_a_camera_that_was_regressed_out_makes_no_groups(cameras, tmp_path, fact):
    files, classes, second = cameras

    def groups(path):
        with store.reading(path) as file:
            assert list(store.image_ids(file)) == image_ids(N)
            assert file["features"].dtype == np.float32
            return KMeans(2, n_init=5, random_state=0).fit_predict(file["features"][:])

    assert adjusted_rand_score(groups(files["source"]), second) == 1
    with regressed_out(files, {"facts": [fact]}, str(tmp_path / "pca.h5")) as path:
        assert adjusted_rand_score(groups(path), classes) > 0.6
        assert adjusted_rand_score(groups(path), second) < 0.1
    assert not list(tmp_path.glob("*residuals*"))


def test_unknown_and_double_facts_are_one_line(cameras, tmp_path):
    with (
        pytest.raises(UserError, match=r"regress_out: found 'camra', allowed: brightness, .*did you mean camera"),
        regressed_out(cameras[0], {"facts": ["camra"]}, str(tmp_path / "pca.h5")),
    ):
        pass
    with (
        pytest.raises(UserError, match="found width twice; rename the column of the table"),
        regressed_out(cameras[0], {"facts": ["width"]}, str(tmp_path / "pca.h5")),
    ):
        pass


@pytest.mark.parametrize(("value", "found"), [("", "no image with a value"), ("inf", "infinite numbers")])
def test_facts_without_numbers_to_regress_on_are_one_line(cameras, tmp_path, value, found):
    files = cameras[0]
    pd.DataFrame({"image_id": image_ids(N), "dose": value}).to_csv(files["table"], index=False)
    with (
        pytest.raises(UserError, match=rf"regress_out: dose: found {found}"),
        regressed_out(files, {"facts": ["dose"]}, str(tmp_path / "pca.h5")),
    ):
        pass
