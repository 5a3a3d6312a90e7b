"""Principal component analysis of feature stores that need not fit into memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import Matrix
from workflow_scripts.reduce.protocol import Place
from workflow_scripts.reduce.scaling import DIVISORS, POWERS, Scaled, fitted_shapes, scaled_rows

MAX_EXACT = 8192  # the largest side of a matrix that is decomposed exactly: 512 MiB
_CHUNK_BYTES = 1 << 23  # bytes of rows (float64) read at once; fixed, because the order of the sums depends on it
SCORES_CHUNK = (256, 64)  # rows and components of a chunk; readers take all rows of the first components
_GRAM_BLOCK_BYTES = 1 << 27  # two blocks are in memory at once; larger blocks would be read fewer times
_OVERSAMPLING, _POWER_ITERATIONS = 10, 7


@dataclass(frozen=True)
class Decomposition:
    """A fitted PCA. It can project any features on its axes, not only those that it was fitted on.

    Attributes
    ----------
    mean : (d,) float64, the mean of the training rows.
    components :
        (C, d) float64, orthonormal axes in the order of decreasing variance. The entry of largest absolute value of
        each axis is positive, as in scikit-learn's `svd_flip`.
    explained_variance : (C,) float64, the variance of the training rows along each axis, with n - 1 in the denominator.
    explained_variance_ratio : (C,) float64, `explained_variance` as a share of the total variance.
    rank :
        the numerical rank of the centred training rows. With the randomised method it is at most the dimension of the
        random subspace.
    method : "covariance", "gram" or "randomised".
    """

    mean: np.ndarray
    components: np.ndarray
    explained_variance: np.ndarray
    explained_variance_ratio: np.ndarray
    rank: int
    method: str

    def transform(self, X: Matrix) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield, for chunks of rows of X (N, d), the slice of rows and their scores (n, C) float64.

        Scores are coordinates along the axes of the PCA.
        """
        for rows in _slices(X.shape, _CHUNK_BYTES):
            with threadpool_limits(1):
                scores = (np.asarray(X[rows], dtype=np.float64) - self.mean) @ self.components.T
            yield rows, scores


def fit_pca(
    X: Matrix,
    *,
    rows: npt.ArrayLike | None = None,
    max_components: int | None = None,
    seed: int = 0,
) -> Decomposition:
    """Fit a PCA with memory that does not grow with the number of rows; all sums are in float64.

    For n training rows of d features, the decomposed matrix is

    - the covariance (d, d), computed while X is read once, if d <= n and d <= MAX_EXACT;
    - otherwise the Gram matrix (n, n) of the centred rows, if n <= MAX_EXACT; X is read again to compute the axes;
    - otherwise the covariance in a random subspace of max_components + 10 dimensions, after 7 power iterations, each of
      which reads X once (Halko, Martinsson & Tropp 2011, algorithm 4.4, applied to the covariance). This is an
      approximation, which is good if the eigenvalues decrease fast.

    Components beyond the numerical rank are dropped. The rank is the number of eigenvalues above a threshold: the
    largest eigenvalue times max(n, d) times the machine epsilon, as in `numpy.linalg.matrix_rank`.

    Parameters
    ----------
    X : (N, d) floats, an array or an HDF5 dataset.
    rows : indices of the training rows, in any order; None takes all.
    max_components : largest number of components to keep; None keeps all up to the rank.
    seed : seed of the random subspace; the other two methods do not use it.

    Raises
    ------
    UserError
        If there are fewer than two training rows, if features are NaN or infinite, or if `max_components` is None and
        the randomised method is needed.
    """
    n_rows, n_features = X.shape
    training = np.zeros(n_rows, dtype=bool)
    training[slice(None) if rows is None else np.asarray(rows)] = True
    with threadpool_limits(1):  # the last bits of the result depend on the number of threads
        centred = _Centred(X, training)
        if n_features <= min(centred.n, MAX_EXACT):
            method, (scatter, axes, rank) = "covariance", _by_covariance(centred, max_components)
        elif centred.n <= MAX_EXACT:
            method, (scatter, axes, rank) = "gram", _by_gram(centred, max_components)
        elif max_components is not None:
            method, (scatter, axes, rank) = "randomised", _by_subspace(centred, max_components, seed)
        else:
            raise UserError(f"max_components: found null for {centred.n} x {n_features} features, a number is needed")
    largest = np.array([axis[np.abs(axis).argmax()] for axis in axes])
    axes *= np.where(largest < 0, -1.0, 1.0)[:, None]
    return Decomposition(
        mean=centred.mean,
        components=axes,
        explained_variance=scatter / (centred.n - 1),
        explained_variance_ratio=scatter / centred.total if rank else scatter,
        rank=rank,
        method=method,
    )


def decompose(
    source: str,
    path: str,
    settings: Mapping[str, Any],
    code: str,
    progress: Callable[[int, int], None],
) -> None:
    """Decompose the feature store `source` by PCA and write the scores of all images to the store `path`.

    `settings` are those of `settings.Pca`. The store has `scores` (N, C), `explained_variance` (C,),
    `explained_variance_ratio` (C,) and `mean` (d,) float64, `components` (C, d) float32, and the fitted arrays of a
    scaling (`scaling.FITTED`). BLAS uses one thread, because the last bits depend on the number of threads. Raises
    `UserError` if all images have the same features.
    """
    with store.reading(source) as features:
        X, manifest = Scaled(features["features"], settings["scale"]), store.text(features, "manifest")
        fitted = fit_pca(X, max_components=settings["max_components"])
        if not fitted.rank:
            raise UserError(f"{source}: all images have the same features, so there is nothing to decompose")
        attributes = store.provenance(code, manifest, settings, rank=fitted.rank, pca_method=fitted.method)
        with store.writing(path, attributes) as file:
            store.write_row_facts(file, store.row_facts(features))
            for name in ("explained_variance", "explained_variance_ratio", "mean"):
                store.put(file, name, getattr(fitted, name))
            store.put(file, "components", fitted.components.astype(np.float32))
            for name, values in X.fitted.items():
                store.put(file, name, values)
            shape = X.shape[0], len(fitted.components)
            chunks = tuple(map(min, shape, SCORES_CHUNK))
            with store.filling(file, "scores", shape, np.float64, chunks) as scores:
                for rows, chunk in fitted.transform(X):
                    scores[rows] = chunk
                    progress(rows.stop, X.shape[0])


def read_tensors(features: str, points: str, n_components: int | None) -> dict[str, np.ndarray]:
    """Read the arrays that project new images from the store `points` of a PCA or ICA (`protocol.Placing`).

    Returns
    -------
    By name: `mean` (d,) float64, `components` (C, d) float32, the fitted arrays of a scaling (`scaling.FITTED`), and
    for a PCA `explained_variance` (C,) float64.

    Raises `UserError` if the store has no components, because an earlier version of Clustergrid made it.
    """
    with store.reading(points) as file:
        if "components" not in file:
            raise UserError(f"{points}: made without the axes of the PCA; delete it and run again")
        kept = slice(n_components)
        names = [name for name in ("components", "explained_variance") if name in file]
        whole = [name for name in ("mean", POWERS, DIVISORS) if name in file]
        return {**{name: file[name][:] for name in whole}, **{name: file[name][kept] for name in names}}


def tensor_shapes(
    reduction: Mapping[str, Any], width: int, tensors: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the arrays from `read_tensors` must have in a model with `width` features."""
    n_components = reduction["n_components"]
    shapes = fitted_shapes(reduction["settings"].get("scale"), width)
    shapes |= {"mean": (width,), "components": (n_components, width)}
    return shapes | ({"explained_variance": (n_components,)} if reduction["whiten"] else {})


def placing(reduction: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Place:
    """Return the function that turns features (n, d) into components (n, C) float64 (`protocol.Placing`).

    It scales and projects the features, and whitens the components if `reduction` says so.
    """
    mean, components = tensors["mean"].astype(np.float64), tensors["components"].astype(np.float64)
    scale = reduction["settings"].get("scale")

    def place(features: np.ndarray) -> np.ndarray:
        scores = (scaled_rows(np.asarray(features, dtype=np.float64), scale, tensors) - mean) @ components.T
        return scores / np.sqrt(tensors["explained_variance"]) if reduction["whiten"] else scores

    return place


class _Centred:
    """The training rows of a matrix, read in slices; their mean is subtracted."""

    def __init__(self, X: Matrix, training: np.ndarray) -> None:
        """Compute the mean (d,) and the sum of squares about it in one pass (Chan, Golub & LeVeque 1979)."""
        self.X, self.training = X, training
        self.n, self.d = int(np.count_nonzero(training)), X.shape[1]
        if self.n < 2:
            raise UserError(f"PCA: found {self.n} images to fit, at least 2 are needed")
        self.mean, squares, seen = np.zeros(self.d), np.zeros(self.d), 0
        for chunk in filter(len, map(self.read, self.slices())):
            shift, total = chunk.mean(axis=0), seen + len(chunk)
            squares += np.square(chunk - shift).sum(axis=0) + np.square(shift) * (seen * len(chunk) / total)
            self.mean = self.mean + shift * (len(chunk) / total)
            seen = total
        self.total = float(squares.sum())
        if not np.isfinite(self.total):
            raise UserError("PCA: found NaN or infinite values among the features, only finite ones are allowed")

    def slices(self, n_bytes: int = _CHUNK_BYTES) -> list[slice]:
        """Return slices of rows that take about `n_bytes` as float64."""
        return _slices(self.X.shape, n_bytes)

    def read(self, rows: slice) -> np.ndarray:
        """Return the training rows in the slice `rows` minus the mean, (n, d) float64; n may be 0."""
        return np.asarray(self.X[rows])[self.training[rows]].astype(np.float64) - self.mean

    def place(self, rows: slice) -> slice:
        """Return the positions of the rows of `read(rows)` among all training rows, as a slice."""
        before, here = np.count_nonzero(self.training[: rows.start]), np.count_nonzero(self.training[rows])
        return slice(before, before + here)


def _slices(shape: tuple[int, ...], n_bytes: int) -> list[slice]:
    """Return slices of at least 256 rows of an (N, d) matrix that take about `n_bytes` as float64."""
    step = max(256, n_bytes // (8 * shape[1]))
    return [slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]


_Axes = tuple[np.ndarray, np.ndarray, int]  # sums of squares along the axes (C,), axes (C, d), rank


def _by_covariance(centred: _Centred, max_components: int | None) -> _Axes:
    """Return the eigenvectors of the scatter matrix (d, d) as `_Axes`."""
    scatter = np.zeros((centred.d, centred.d))
    for rows in centred.slices():
        chunk = centred.read(rows)
        scatter += chunk.T @ chunk
    values, vectors, rank = _leading(scatter, centred, max_components)
    return values, vectors.T, rank


def _by_gram(centred: _Centred, max_components: int | None) -> _Axes:
    """Return the `_Axes` X'u / |X'u|, where u are the eigenvectors of the Gram matrix (n, n) of the centred rows X."""
    gram = np.empty((centred.n, centred.n))
    blocks = centred.slices(_GRAM_BLOCK_BYTES)
    for i, first in enumerate(blocks):
        left = centred.read(first)
        for second in blocks[i:]:  # only the lower triangle, because `eigh` reads no other part
            gram[centred.place(second), centred.place(first)] = centred.read(second) @ left.T
    _, vectors, rank = _leading(gram, centred, max_components)
    axes = np.zeros((vectors.shape[1], centred.d))
    for rows in blocks:
        axes += vectors[centred.place(rows)].T @ centred.read(rows)
    lengths = np.linalg.norm(axes, axis=1)
    axes /= lengths[:, None]
    return lengths**2, axes, rank


def _by_subspace(centred: _Centred, max_components: int, seed: int) -> _Axes:
    """Return Ritz vectors of the scatter matrix as `_Axes`: its approximate eigenvectors in a random subspace.

    The subspace is improved by power iterations. The scatter matrix itself is never computed.
    """
    n_dimensions = min(max_components + _OVERSAMPLING, centred.n, centred.d)
    basis = np.random.default_rng(seed).standard_normal((centred.d, n_dimensions))
    for _ in range(_POWER_ITERATIONS):
        basis = np.linalg.qr(_scatter_product(centred, basis))[0]
    values, vectors, rank = _leading(basis.T @ _scatter_product(centred, basis), centred, max_components)
    return values, (basis @ vectors).T, rank


def _scatter_product(centred: _Centred, basis: np.ndarray) -> np.ndarray:
    """Return the product (d, l) of the scatter matrix (d, d) and `basis` (d, l); the rows are read once."""
    product = np.zeros_like(basis)
    for rows in centred.slices():
        chunk = centred.read(rows)
        product += chunk.T @ (chunk @ basis)
    return product


def _leading(matrix: np.ndarray, centred: _Centred, max_components: int | None) -> _Axes:
    """Return the eigenvalues of a symmetric matrix, the largest first, its eigenvectors as columns, and its rank.

    Eigenvalues beyond the rank or beyond `max_components` are left out, and so are their eigenvectors.
    """
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[::-1], vectors[:, ::-1]
    rank = int(np.count_nonzero(values > max(values[0], 0) * max(centred.n, centred.d) * np.finfo(np.float64).eps))
    kept = slice(rank if max_components is None else min(rank, max_components))
    return values[kept], vectors[:, kept], rank
