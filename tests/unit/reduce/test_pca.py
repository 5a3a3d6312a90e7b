"""Streaming PCA against scikit-learn's full SVD."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from workflow_scripts.errors import UserError
from workflow_scripts.io.points import Matrix, reduced
from workflow_scripts.reduce import pca
from workflow_scripts.reduce.pca import Decomposition, fit_pca


def features(n: int, d: int, rank: int | None = None, seed: int = 0) -> np.ndarray:
    """Return correlated features (n, d) float64 far from the origin, of the given rank about their mean."""
    rng = np.random.default_rng(seed)
    rank = min(n, d) if rank is None else rank
    return (rng.normal(size=(n, rank)) / np.arange(1, rank + 1)) @ rng.normal(size=(rank, d)) + 10 * rng.normal(size=d)


def scores(fitted: Decomposition, X: Matrix) -> np.ndarray:
    return np.concatenate([chunk for _, chunk in fitted.transform(X)])


def assert_same(fitted: Decomposition, X: np.ndarray, oracle: PCA, score_tolerance: float = 1e-5) -> None:
    """Assert that variances, ratios and subspaces agree within 1e-5, and scores up to their sign."""
    n_components = len(fitted.explained_variance)
    assert fitted.components.shape == (n_components, X.shape[1])
    assert_allclose(fitted.mean, oracle.mean_, rtol=1e-12)
    assert_allclose(fitted.explained_variance, oracle.explained_variance_[:n_components], rtol=1e-5)
    assert_allclose(fitted.explained_variance_ratio, oracle.explained_variance_ratio_[:n_components], rtol=1e-5)
    assert_allclose(fitted.components @ fitted.components.T, np.eye(n_components), atol=1e-6)
    for size in {1, n_components // 2, n_components} - {0}:
        assert subspace_angles(fitted.components[:size].T, oracle.components_[:size].T).max() < 1e-5
    expected = oracle.transform(X)[:, :n_components]
    ours = scores(fitted, X)
    signs = np.sign((ours * expected).sum(axis=0))
    assert_allclose(ours * signs / expected.std(axis=0), expected / expected.std(axis=0), atol=score_tolerance)


@pytest.mark.parametrize(
    ("n", "d", "method"), [(300, 40, "covariance"), (40, 40, "covariance"), (60, 500, "gram"), (2, 5, "gram")]
)
def test_all_components_are_scikit_learns(n: int, d: int, method: str) -> None:
    X = features(n, d)
    fitted = fit_pca(X)
    assert fitted.method == method
    assert fitted.rank == len(fitted.explained_variance) == min(n - 1, d)
    assert_same(fitted, X, PCA(svd_solver="full").fit(X))


@pytest.mark.parametrize(("n", "d"), [(300, 40), (60, 500)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_components_beyond_the_rank_are_dropped(n: int, d: int, dtype: type) -> None:
    stored = features(n, d, rank=7).astype(dtype)
    X = stored.astype(np.float64)
    fitted = fit_pca(stored)
    assert fitted.rank == len(fitted.explained_variance) == np.linalg.matrix_rank(X - X.mean(axis=0), rtol=1e-6) == 7
    assert_same(fitted, X, PCA(svd_solver="full").fit(X))


@pytest.mark.parametrize(("n", "d"), [(300, 40), (60, 500)])
def test_more_rows_than_components_wanted(n: int, d: int) -> None:
    X = features(n, d)
    fitted = fit_pca(X, max_components=5)
    assert (fitted.rank, len(fitted.explained_variance)) == (min(n - 1, d), 5)
    assert_same(fitted, X, PCA(svd_solver="full").fit(X))


@pytest.mark.parametrize(("n", "d"), [(300, 40), (60, 500)])
def test_held_out_rows_use_the_training_mean_and_axes(n: int, d: int) -> None:
    X = features(n, d)
    rows = np.random.default_rng(1).permutation(n)[: n * 4 // 5]
    fitted = fit_pca(X, rows=rows)
    assert_same(fitted, X, PCA(svd_solver="full", n_components=fitted.rank).fit(X[rows]))


@pytest.mark.parametrize("rows", [None, [*range(0, 300), *range(600, 700), 950]])
@pytest.mark.parametrize("d", [30, 1200])
def test_chunks_change_nothing(d: int, rows: list[int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare chunks of 256 rows, one of which has no training row, with larger chunks."""
    X = features(1000, d, rank=20)
    whole = fit_pca(X, rows=rows)
    expected = scores(whole, X)
    monkeypatch.setattr(pca, "_CHUNK_BYTES", 1)
    monkeypatch.setattr(pca, "_GRAM_BLOCK_BYTES", 1)
    chunked = fit_pca(X, rows=rows)
    assert chunked.rank == whole.rank == 20
    assert_allclose(chunked.mean, whole.mean, rtol=1e-13)
    assert_allclose(chunked.explained_variance, whole.explained_variance, rtol=1e-10)
    assert_allclose(scores(chunked, X), expected, atol=1e-9 * np.abs(expected).max())
    assert [rows.start for rows, _ in chunked.transform(X)] == [0, 256, 512, 768]


def test_randomised_when_both_sides_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    X = features(500, 300)
    monkeypatch.setattr(pca, "MAX_EXACT", 200)
    fitted = fit_pca(X, max_components=8)
    assert fitted.method == "randomised"
    assert_same(fitted, X, PCA(svd_solver="full").fit(X), score_tolerance=1e-4)
    assert fit_pca(X, max_components=8).components.tobytes() == fitted.components.tobytes()
    assert fit_pca(X, max_components=8, seed=1).components.tobytes() != fitted.components.tobytes()
    deficient = features(500, 300, rank=5)
    assert fit_pca(deficient, max_components=8).rank == 5
    with pytest.raises(UserError, match="max_components: found null for 500 x 300"):
        fit_pca(X)


def test_hdf5_dataset_gives_the_same_bytes(tmp_path: Path) -> None:
    X = features(700, 40).astype(np.float32)
    with h5py.File(tmp_path / "features.h5", "w") as file:
        dataset = file.create_dataset("features", data=X, chunks=(13, 40))
        stored, expected = fit_pca(dataset, rows=[5, 3, 600, 40]), fit_pca(X, rows=[600, 3, 5, 40])
        assert stored.components.tobytes() == expected.components.tobytes()
        assert scores(stored, dataset).tobytes() == scores(expected, X).tobytes()


def test_signs_are_those_of_scikit_learn() -> None:
    for n, d in [(300, 40), (60, 500)]:
        X = features(n, d)
        fitted = fit_pca(X, max_components=20)
        assert_allclose(fitted.components, PCA(20, svd_solver="full").fit(X).components_, atol=1e-6)


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("n_components", [1, 6, 40])
def test_reduced_is_scikit_learns(n_components: int, whiten: bool) -> None:
    X = features(100, 30, rank=12)
    fitted = fit_pca(X)
    ours, used = reduced(scores(fitted, X), fitted.explained_variance, n_components, whiten)
    assert used == min(n_components, 12)
    assert ours.dtype == np.float64
    assert_allclose(ours, PCA(used, whiten=whiten, svd_solver="full").fit_transform(X), atol=1e-6)


def test_identical_images_have_no_component() -> None:
    for shape in [(5, 3), (3, 5)]:
        fitted = fit_pca(np.full(shape, 7.5))
        assert fitted.rank == 0
        assert scores(fitted, np.ones((4, shape[1]))).shape == (4, 0)


@pytest.mark.parametrize(
    ("X", "rows", "message"),
    [
        (np.ones((5, 3)), [2], "found 1 images"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), None, "NaN or infinite"),
        (np.array([[1.0, np.inf], [2.0, 3.0]]), None, "NaN or infinite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_mistakes_end_in_one_line(X: np.ndarray, rows: list[int] | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        fit_pca(X, rows=rows)
