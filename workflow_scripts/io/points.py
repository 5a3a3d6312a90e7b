"""What is clustered: the first components of a decomposition, a map, or features as they are."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workflow_scripts.io import store


class Matrix(Protocol):
    """Rows that can be read in slices: an array, an HDF5 dataset."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, d)."""

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the rows of a slice, (n, d)."""


@dataclass(frozen=True)
class Points:
    """`values` (N, d) float64, the rows' `image_ids`, the manifest's digest, and a `note` where d is not as asked for.

    `trained_on` (N,) bool marks the images whose labels the network has seen (None: it has seen none). `n_components`
    is d if they are principal components, else None.
    """

    values: np.ndarray
    image_ids: np.ndarray
    manifest: str
    trained_on: np.ndarray | None = None
    n_components: int | None = None
    note: str = ""


def read_points(path: str, n_components: int | None, whiten: bool) -> Points:
    """Read a decomposed store (its first `n_components`, all if None, whitened or not) or a feature store.

    More components than the data's rank are capped at it, and `note` says so.
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
    scores : (N, C) of all components that were kept, an array or an HDF5 dataset.
    explained_variance : (C,) of the training rows.
    n_components : how many are asked for; no more than C, which ends at the rank, are given.
    whiten :
        divide by the square root of the explained variance, as scikit-learn: unit variance (n - 1) over the training
        rows.

    Returns
    -------
    X : (N, n_components_used) float64.
    n_components_used : min(n_components, C).
    """
    used = min(n_components, len(explained_variance))
    X = np.asarray(scores[:, :used], dtype=np.float64)
    return (X / np.sqrt(explained_variance[:used]) if whiten else X), used
