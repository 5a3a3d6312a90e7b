"""A UMAP map keeps neighbours and is the same every time."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from workflow_scripts.reduce import umap


def test_neighbours_are_kept_and_the_map_is_the_same_each_time() -> None:
    digits = load_digits().data[:200]
    embedding = umap.embed(digits, n_neighbors=10)
    assert embedding.shape == (200, 2)
    assert embedding.dtype == np.float64
    of_components = trustworthiness(digits, PCA(2).fit_transform(digits), n_neighbors=10)
    assert trustworthiness(digits, embedding, n_neighbors=10) > max(0.9, of_components)
    assert umap.embed(digits, n_neighbors=10).tobytes() == embedding.tobytes()
    assert umap.embed(digits, n_neighbors=10, seed=1).tobytes() != embedding.tobytes()


def test_few_points_lower_the_number_of_neighbours() -> None:
    assert np.isfinite(umap.embed(np.random.default_rng(0).normal(size=(8, 5)))).all()
