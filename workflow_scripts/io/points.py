"""What is clustered: the first components of a decomposition, a map, or features as they are."""

from dataclasses import dataclass

import numpy as np

from workflow_scripts.io import store
from workflow_scripts.reduce.pca import reduced


@dataclass(frozen=True)
class Points:
    """`values` (N, d) float64, the rows' `image_ids`, the manifest's digest, and what there is to say about d.

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
    """Reads a decomposed store (its first `n_components`, all if None, whitened or not) or a feature store.

    More components than the data's rank are capped at it, and `note` says so.
    """
    with store.reading(path) as file:
        ids, manifest = store.image_ids(file), file.attrs["manifest"]
        trained_on = file["trained_on"][:] if "trained_on" in file else None
        if "features" in file:
            return Points(file["features"][:].astype(np.float64), ids, manifest, trained_on)
        if "explained_variance" not in file:
            return Points(file["scores"][:].astype(np.float64), ids, manifest, trained_on)
        wanted = n_components or file["scores"].shape[1]
        values, used = reduced(file["scores"], file["explained_variance"][:], wanted, whiten)
    note = f"n_components {wanted} is capped at {used}, all that the decomposition has" if used < wanted else ""
    return Points(values, ids, manifest, trained_on, used, note)
