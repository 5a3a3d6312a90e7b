"""A store of principal components."""

from pathlib import Path

import numpy as np

from workflow_scripts.io import store

VARIANCE = np.array([9.0, 4.0, 1.0])


def write_pca(path: Path, n: int) -> np.ndarray:
    """Write a store of three components with the variances `VARIANCE`, and return its scores (n, 3)."""
    scores = np.random.default_rng(0).normal(size=(n, 3)) * np.sqrt(VARIANCE)
    with store.writing(str(path), store.provenance("c", "m", {})) as file:
        store.write_row_facts(file, {"image_id": np.arange(n).astype("S")})
        file["scores"], file["explained_variance"] = scores, VARIANCE
    return scores
