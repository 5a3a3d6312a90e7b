"""Read the points that are clustered: components of a decomposition, a t-SNE map, or raw features."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workflow_scripts.io import store


class Matrix(Protocol):
    """A matrix whose rows can be read in slices, such as an array or an HDF5 dataset."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape (N, d)."""

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the rows of a slice, (n, d)."""


ROWS = 1024
"""Number of rows that `row_slices` puts together; it is fixed, because the order of sums depends on it."""


def row_slices(length: int) -> Iterator[slice]:
    """Yield the slices of `ROWS` rows that a matrix of `length` rows is read in; the last may be shorter."""
    return (slice(start, min(start + ROWS, length)) for start in range(0, length, ROWS))


@dataclass(frozen=True)
class Points:
    """The points of a cell, one row for each image.

    Attributes
    ----------
    values : (N, d) float64.
    image_ids : (N,) str.
    manifest : digest of the manifest that the points were made from.
    trained_on : (N,) bool, whether the network was trained on the label of the image; None if it saw no label.
    n_components : d if the values are components of a decomposition, otherwise None.
    note : a sentence for the user if fewer components were read than were asked for, otherwise empty.
    """

    values: np.ndarray
    image_ids: np.ndarray
    manifest: str
    trained_on: np.ndarray | None = None
    n_components: int | None = None
    note: str = ""


def read_points(path: str, n_components: int | None, whiten: bool) -> Points:
    """Read the points from a store of a decomposition, of a map (such as t-SNE), or of features.

    `n_components` and `whiten` apply to decompositions only: the first `n_components` are read (all if None). If the
    store has fewer components, all are read and `note` says so. Raises `UserError` if the store is damaged.
    """
    with store.reading(path) as file:
        ids, manifest, trained_on = store.image_ids(file), store.text(file, "manifest"), store.trained_on(file)
        if "features" in file:
            return Points(file["features"][:].astype(np.float64), ids, manifest, trained_on)
        if "explained_variance" not in file:
            return Points(file["scores"][:].astype(np.float64), ids, manifest, trained_on)
        wanted = n_components or file["scores"].shape[1]
        values, used = reduced(file["scores"], file["explained_variance"][:], wanted, whiten)
    note = f"n_components {wanted} is capped at {used}, all that the decomposition has" if used < wanted else ""
    return Points(values, ids, manifest, trained_on, used, note)


def reduced(scores: Matrix, explained_variance: np.ndarray, n_components: int, whiten: bool) -> tuple[np.ndarray, int]:
    """Return the first components of all images, whitened or not.

    Parameters
    ----------
    scores : (N, C), an array or an HDF5 dataset; C is at most the rank of the data.
    explained_variance : (C,), computed from the training rows.
    n_components : number of components wanted.
    whiten :
        whether to divide by the square root of the explained variance, as scikit-learn's PCA does: the training rows
        then have unit variance (with n - 1 degrees of freedom).

    Returns
    -------
    X : (N, n_components_used) float64.
    n_components_used : min(n_components, C).
    """
    used = min(n_components, len(explained_variance))
    X = np.asarray(scores[:, :used], dtype=np.float64)
    return (X / np.sqrt(explained_variance[:used]) if whiten else X), used
