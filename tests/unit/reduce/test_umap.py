"""A UMAP map keeps neighbours and is the same every time."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from tests.unit.reduce.components import write_pca
from workflow_scripts.io import store
from workflow_scripts.reduce import umap
from workflow_scripts.runlog import NOTICE
from workflow_scripts.settings.decompositions.maps import Umap


def test_neighbours_are_kept_and_the_map_is_the_same_each_time() -> None:
    digits = load_digits().data[:200]
    embedding = umap.embed(digits, n_neighbors=10)
    assert embedding.shape == (200, 2)
    assert embedding.dtype == np.float64
    of_components = trustworthiness(digits, PCA(2).fit_transform(digits), n_neighbors=10)
    assert trustworthiness(digits, embedding, n_neighbors=10) > max(0.9, of_components)
    assert umap.embed(digits, n_neighbors=10).tobytes() == embedding.tobytes()
    assert umap.embed(digits, n_neighbors=10, seed=1).tobytes() != embedding.tobytes()
    of_three = umap.embed(digits, n_neighbors=10, dimensions=3)
    assert of_three.shape == (200, 3)
    assert trustworthiness(digits, of_three, n_neighbors=10) > 0.9


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_fewest_points_have_a_map(n: int, dimensions: int) -> None:
    points = np.random.default_rng(0).normal(size=(n, 3))
    assert np.isfinite(umap.embed(points, n_neighbors=n - 1, dimensions=dimensions)).all()


def test_few_points_lower_the_number_of_neighbours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, made = str(tmp_path / "pca.h5"), str(tmp_path / "umap.h5")
    write_pca(tmp_path / "pca.h5", 8)
    settings = Umap(n_components=3).dump()
    with caplog.at_level(NOTICE):
        umap.decompose(source, made, settings, "code", lambda *_: None)
    assert "the n_neighbors 15 of UMAP is lowered to 7, because there are only 8 images" in caplog.text
    with store.reading(made) as file:
        assert file.attrs["n_neighbors"] == 7
        assert np.isfinite(file["scores"][:]).all()
