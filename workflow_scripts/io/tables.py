"""Tables: parquet for programs, CSV beside it for people, and the manifest."""

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.io.store import manifest_digest, replacing


def write_parquet(table: pd.DataFrame, path: str) -> None:
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def write_csv(table: pd.DataFrame, path: str) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def read_labels(path: str, manifest: str) -> np.ndarray:
    """The labels of a manifest.csv, (N,) str, empty where there is none.

    Raises `UserError` when its images are not those of the manifest with the given digest.
    """
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    if manifest_digest(rows["image_id"]) != manifest:
        raise UserError(f"{path}: other images than those that the results were made from; run intake again")
    return rows["label"].to_numpy(dtype=object)
