"""A t-SNE map keeps neighbours and is the same every time."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from tests.unit.reduce.components import write_pca
from workflow_scripts.io import store
from workflow_scripts.reduce import tsne
from workflow_scripts.runlog import NOTICE
from workflow_scripts.settings.decompositions.maps import Tsne


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_digits().data[:200]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_neighbours_are_kept(digits: np.ndarray, dimensions: int) -> None:
    embedding = tsne.embed(digits, perplexity=20, dimensions=dimensions, n_iter=250)
    assert embedding.shape == (200, dimensions)
    assert embedding.dtype == np.float64
    assert trustworthiness(digits, embedding, n_neighbors=10) > 0.93


@pytest.mark.parametrize("max_exact", [20_000, 100])
def test_same_bytes_for_any_number_of_threads(
    digits: np.ndarray, max_exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tsne, "MAX_EXACT_NEIGHBOURS", max_exact)
    first = tsne.embed(digits, n_iter=10)
    assert tsne.embed(digits, n_iter=10).tobytes() == first.tobytes()
    assert tsne.embed(digits, n_iter=10, threads=2).tobytes() == first.tobytes()
    assert tsne.embed(digits, n_iter=10, seed=1).tobytes() != first.tobytes()


@pytest.mark.filterwarnings("error")
def test_few_points_lower_the_perplexity(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, made = str(tmp_path / "pca.h5"), str(tmp_path / "tsne.h5")
    write_pca(tmp_path / "pca.h5", 8)
    with caplog.at_level(NOTICE):
        tsne.decompose(source, made, Tsne(n_components=3).dump(), "code", lambda *_: None)
    assert "the perplexity 30 of t-SNE is lowered to 2.333, because there are only 8 images" in caplog.text
    with store.reading(made) as file:
        assert file.attrs["perplexity"] == pytest.approx(7 / 3)
        assert np.isfinite(file["scores"][:]).all()


def test_no_library_is_imported_to_choose_how_neighbours_are_found(
    digits: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> bool:
        raise AssertionError(f"{name} compiles for seconds when it is imported")

    monkeypatch.setattr("openTSNE.affinity.is_package_installed", refuse)
    tsne.embed(digits[:50], n_iter=1)
