"""Choose subsets of the images by class, scale, cluster or a table, and copy their features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.intake.label_table import read_selection
from workflow_scripts.io import store
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.tables import read_csv
from workflow_scripts.io.which_k import choose_k

ROWS = 4096
"""The number of rows of features that are copied at once."""


def members(
    manifest: pd.DataFrame, subset: Mapping[str, Any], name: str, clusters: str | None, table: str | None = None
) -> pd.DataFrame:
    """Return the rows of a manifest that are in a subset, with a new column `row`: their numbers in the whole manifest.

    Parameters
    ----------
    manifest : the manifest of the data set.
    subset :
        settings of `settings.Subset`, by column of the manifest. A text must be one of a list; a number must lie
        between two numbers, inclusive. An image without a value in one of these columns is not in the subset.
    name : the subset's name, for messages.
    clusters : path of the store of clusters for `in_clusters`, whose best repeat is used; None without `in_clusters`.
    table :
        path of a table that lists images; None without `file`. If it has a column `selection`, only the rows with the
        subset's name in this column count.

    Raises `UserError` if the manifest does not have a column, if a k or a cluster does not exist, or if the subset is
    empty.
    """
    inside = np.ones(len(manifest), dtype=bool)
    for column, wanted in subset.items():
        if column in ("in_clusters", "file") or wanted is None:
            continue
        if column not in manifest:
            raise UserError(f"config: subsets.{name}.{column}: the manifest has no such column; is its stage on?")
        inside &= _fits(manifest[column], wanted)
    if clusters is not None:
        inside &= manifest["image_id"].isin(_in_clusters(clusters, subset["in_clusters"], name)).to_numpy()
    if table is not None:
        ids = dict(zip(manifest["path"], manifest["image_id"], strict=True))
        inside &= manifest["path"].isin(read_selection(Path(table), ids, name)).to_numpy()
    if not inside.any():
        raise UserError(f"config: subsets.{name}: no image fits {_as_text(subset)}")
    return manifest[inside].assign(row=np.flatnonzero(inside))


def _fits(values: pd.Series, wanted: list[Any]) -> np.ndarray:
    if isinstance(wanted[0], str):
        return values.isin(wanted).to_numpy()
    return pd.to_numeric(values, errors="coerce").between(*wanted).to_numpy()


def _in_clusters(path: str, wanted: Mapping[str, Any], name: str) -> np.ndarray:
    """Return the ids of the images in some clusters of the best run (lowest inertia) for one k.

    `path` is a store of clusters. `wanted` has the k as `k`, and the numbers of the clusters as `clusters`. Raises
    `UserError` if the store does not have this k or one of these clusters.
    """
    with store.reading(path) as file:
        runs, ids = read_runs(file), store.image_ids(file)
    k = choose_k(wanted["k"], runs, f"subsets.{name}.in_clusters.k")
    labels = runs[k].labels[runs[k].best]
    existing = np.unique(labels).tolist()
    for cluster in wanted["clusters"]:
        if cluster not in existing:
            raise UserError(f"config: subsets.{name}.in_clusters.clusters: {found_allowed(cluster, existing)}")
    return ids[np.isin(labels, wanted["clusters"])]


def _as_text(subset: Mapping[str, Any]) -> str:
    return ", ".join(f"{column} {wanted}" for column, wanted in subset.items() if wanted is not None)


def select(features: str, manifest: str, path: str, code: str) -> None:
    """Copy the rows of a feature store that belong to a subset to a new store at `path`.

    `manifest` is the path of the subset's manifest, and `code` the digest of the code.
    """
    ids = read_csv(manifest)["image_id"].to_numpy(dtype=object)
    with store.reading(features) as whole:
        place = {image: row for row, image in enumerate(store.image_ids(whole))}
        rows = np.array([place[image] for image in ids])
        settings = {"features": store.attribute(whole, "settings")}
        with store.writing(path, store.provenance(code, store.manifest_digest(ids), settings)) as file:
            store.write_row_facts(file, {name: values[rows] for name, values in store.row_facts(whole).items()})
            shape = (len(rows), whole["features"].shape[1])
            with store.filling(file, "features", shape, np.float32) as chosen:
                for start in range(0, len(rows), ROWS):
                    chosen[start : start + ROWS] = whole["features"][rows[start : start + ROWS]]
