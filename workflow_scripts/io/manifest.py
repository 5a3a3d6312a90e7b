"""Read manifests.

A manifest is a table with one row for each image of a data set or a subset: its id, path, label and so on. The rows of
every store of results are in the same order.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from workflow_scripts.errors import UserError, shown
from workflow_scripts.io.store import manifest_digest
from workflow_scripts.io.tables import read_csv, read_texts

if TYPE_CHECKING:
    import pandas as pd


def read_manifest(path: str, digest: str | None = None) -> "pd.DataFrame":
    """Read the manifest of a data set or of a subset.

    The column `label` is None for images without a label. The column `row` is the row of the image in the store of
    preprocessed images, which always has the whole data set. Raises `UserError` if `digest` is given and differs from
    the digest of the images in the manifest.
    """
    texts = dict.fromkeys(("image_id", "path", "label", "parent", "group"), str)
    manifest = read_csv(path, dtype=texts)
    if digest is not None:
        _check(path, manifest["image_id"], digest)
    rows = manifest.get("row", manifest.index)
    return manifest.assign(label=manifest["label"].astype(object).where(manifest["label"] != "", None), row=rows)


def read_labels(path: str, digest: str, trained_on: np.ndarray | None = None) -> np.ndarray:
    """Read the labels of the images in a manifest, (N,) str, "" for images without a label.

    `trained_on` (N,) bool says which images a network was trained on. Their labels are returned as "" too, because the
    results of that network must not be compared with them. Raises `UserError` if `digest` differs from the digest of
    the images in the manifest.
    """
    ids, texts = read_texts(path, "image_id", "label")
    _check(path, ids, digest)
    labels = np.array(texts, dtype=object)
    if trained_on is not None:
        labels[trained_on] = ""
    return labels


def _check(path: str, ids: Iterable[str], digest: str) -> None:
    if manifest_digest(ids) != digest:
        raise UserError(f"{path}: other images than those that the results were made from; run intake again")


def content_hash(image_id: str) -> str:
    """Return the beginning of an image's id, up to the first "-", which is a hash of the bytes of its file.

    In the ids of duplicates that were kept, and of parts of files (pages, tiles or boxes), "-" and numbers follow. All
    other ids are this hash alone.
    """
    return image_id.split("-")[0]


def groups_of(manifest: "pd.DataFrame") -> np.ndarray | None:
    """Return the group of each image, (N,) str, such as the specimen that it shows; None without groups."""
    return manifest["group"].to_numpy(dtype=object) if "group" in manifest else None


def classes(manifest: "pd.DataFrame") -> list[str]:
    """Return the labels that occur in a manifest, sorted."""
    return sorted(manifest["label"].dropna().unique())


def rows_named(manifest: "pd.DataFrame", names: Sequence[str]) -> list[int]:
    """Return the row numbers in a manifest, from 0, of the images with these paths or ids.

    Raises `UserError` for a name that is neither the path nor the id of an image.
    """
    place = {name: row for column in ("path", "image_id") for row, name in enumerate(manifest[column])}
    for name in names:
        if name not in place:
            near = get_close_matches(name, manifest["path"], 1) or manifest["path"]
            allowed = f"a path or an id of the manifest, such as {next(iter(near))}"
            raise UserError(f"config: figures: images: found {shown(name)}, allowed: {allowed}")
    return [place[name] for name in names]
