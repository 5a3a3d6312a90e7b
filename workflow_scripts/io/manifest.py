"""The manifest: every image in the order of all stores, with its label."""

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.io.store import manifest_digest


def read_manifest(path: str, digest: str | None = None) -> pd.DataFrame:
    """Read a manifest.csv, or that of a subset; `label` is None where there is none.

    `row` is the image's row in the stack of preprocessed images, which holds all images also of a subset. Raises
    `UserError` when the images are not those of the manifest with the given digest.
    """
    manifest = pd.read_csv(path, dtype={"image_id": str, "path": str, "label": str}, keep_default_na=False)
    if digest is not None and manifest_digest(manifest["image_id"]) != digest:
        raise UserError(f"{path}: other images than those that the results were made from; run intake again")
    rows = manifest.get("row", manifest.index)
    return manifest.assign(label=manifest["label"].astype(object).where(manifest["label"] != "", None), row=rows)


def read_labels(path: str, digest: str, trained_on: np.ndarray | None = None) -> np.ndarray:
    """Read the labels of a manifest, (N,) str, "" where there is none; see `read_manifest`.

    Labels that a network was trained on, marked by `trained_on` (N,) bool, judge nothing: they are "" too.
    """
    labels = read_manifest(path, digest)["label"].fillna("").to_numpy(dtype=object, copy=True)
    if trained_on is not None:
        labels[trained_on] = ""
    return labels


def classes(manifest: pd.DataFrame) -> list[str]:
    """Return the labels that occur, sorted."""
    return sorted(manifest["label"].dropna().unique())
