"""A t-SNE map keeps neighbours and is the same every time."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from workflow_scripts.reduce import tsne


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_digits().data[:200]


def test_neighbours_are_kept(digits: np.ndarray) -> None:
    embedding = tsne.embed(digits, perplexity=20, n_iter=250)
    assert embedding.shape == (200, 2)
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
def test_few_points_lower_the_perplexity(digits: np.ndarray) -> None:
    assert np.isfinite(tsne.embed(digits[:8], n_iter=20)).all()


def test_no_library_is_imported_to_choose_how_neighbours_are_found(
    digits: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> bool:
        raise AssertionError(f"{name} compiles for seconds when it is imported")

    monkeypatch.setattr("openTSNE.affinity.is_package_installed", refuse)
    tsne.embed(digits[:50], n_iter=1)
