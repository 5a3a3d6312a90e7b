"""Kernel PCA against the eigenvectors of the centred kernel, and PCA where the kernel is linear."""

from typing import get_args

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA, KernelPCA
from sklearn.preprocessing import normalize

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.reduce import kernel_pca, maps
from workflow_scripts.settings.decompositions.components import KernelPca

X = np.random.default_rng(0).normal(size=(30, 6))


def test_components_are_eigenvectors_of_the_centred_kernel():
    kernel = np.exp(-cdist(X, X, "sqeuclidean") / X.var(axis=0).sum())
    centring = np.eye(30) - 1 / 30
    values, vectors = np.linalg.eigh(centring @ kernel @ centring)
    expected = vectors[:, ::-1][:, :4] * np.sqrt(values[::-1][:4])
    np.testing.assert_allclose(np.abs(kernel_pca.embed(X, n_components=4)[0]), np.abs(expected), atol=1e-10)


def test_the_cosine_kernel_is_the_pca_of_vectors_of_length_one():
    ours, _ = kernel_pca.embed(X, n_components=3, kernel="cosine")
    np.testing.assert_allclose(np.abs(ours), np.abs(PCA(3).fit_transform(normalize(X))), atol=1e-10)


@pytest.mark.parametrize("kernel", get_args(KernelPca.model_fields["kernel"].annotation))
@pytest.mark.parametrize("gamma", [None, 0.3])
def test_further_images_are_placed_as_scikit_learn_does(kernel, gamma):
    further = np.random.default_rng(1).normal(1, 2, size=(12, 6))
    scores, placing = kernel_pca.embed(X, n_components=4, kernel=kernel, gamma=gamma)
    oracle = KernelPCA(4, kernel=kernel, gamma=gamma or 1 / X.var(axis=0).sum(), eigen_solver="dense").fit(X)
    expected = oracle.transform(further)
    signs = np.sign((oracle.transform(X) * scores).sum(axis=0))
    np.testing.assert_allclose(placing.place(further, X), expected * signs, atol=1e-9)
    np.testing.assert_allclose(placing.place(X, X), scores, atol=1e-9)


@pytest.mark.parametrize("n", [4, 10, 30])
def test_components_of_negative_variance_are_left_out(n):
    """The kernel sigmoid is not positive: half of its eigenvalues may be negative."""
    points = 3 * X[:n] + 2
    scores, placing = kernel_pca.embed(points, n_components=50, kernel="sigmoid")
    kernel = np.tanh(points @ points.T / points.var(axis=0).sum() + 1)
    centring = np.eye(n) - 1 / n
    values = np.linalg.eigvalsh(centring @ kernel @ centring)[::-1]
    assert values[-1] < -0.01 * values[0]
    np.testing.assert_allclose(np.square(scores).sum(axis=0), values[values > 1e-9 * values[0]], rtol=1e-9)
    np.testing.assert_allclose(placing.place(points, points), scores, atol=1e-9)


def test_its_store_places_new_images_and_many_images_are_refused(tmp_path, monkeypatch):
    with store.writing(tmp_path / "features.h5", store.provenance("", "m", {})) as file:
        store.put(file, "image_id", np.arange(30).astype("S4"))
        store.put(file, "features", X.astype(np.float32))
    arguments = (
        str(tmp_path / "features.h5"),
        str(tmp_path / "k.h5"),
        KernelPca(n_components=5, scale="standard").dump(),
        "",
    )
    kernel_pca.decompose(*arguments, lambda *_: None)
    with store.reading(tmp_path / "k.h5") as file:
        scores = file["scores"][:]
    tensors = kernel_pca.read_tensors(*arguments[:2], None)
    place = kernel_pca.placing({"settings": arguments[2]}, tensors)
    np.testing.assert_allclose(place(X[:9].astype(np.float32)), scores[:9], atol=1e-9)
    monkeypatch.setattr(maps, "MOST_OF_PAIRS", 29)
    with pytest.raises(UserError, match="kernel_pca: found 30 images, allowed: at most 29, because"):
        kernel_pca.decompose(*arguments, lambda *_: None)


def test_features_that_are_not_finite_end_in_one_line():
    with pytest.raises(UserError, match="kernel_pca: found NaN or infinite values"):
        kernel_pca.embed(np.array([[1.0, 2], [np.inf, 3], [4, 5]]), n_components=2)
