"""Remove from the features the part that a linear regression on known facts about the images predicts.

Facts are known numbers or texts about each image, such as its brightness or its camera.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.intake.image_facts import as_numbers, facts_of_files, facts_of_images, facts_of_table
from workflow_scripts.io import store
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.points import Matrix, row_slices


@contextmanager
def regressed_out(files: Mapping[str, str], settings: Mapping[str, Any], beside: str) -> Iterator[str]:
    """Yield the path of a temporary store with the residuals of the features after the regression on chosen facts.

    The store is deleted at the end of the `with` block.

    Parameters
    ----------
    files :
        the paths of the features (`source`), of the manifest (`manifest`), of the preprocessed images (`images`) and,
        if the settings name one, of the user's table (`table`).
    settings : those of `settings.decompositions.regress_out.RegressOut`, which name the `facts`.
    beside : a path; the temporary store is written beside it.
    """
    path = Path(f"{beside}.residuals.h5")
    try:
        with store.reading(files["source"]) as file:
            _write_residuals(file, chosen_facts(files, settings["facts"], store.text(file, "manifest")), path)
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _write_residuals(features: h5py.File, facts: pd.DataFrame, path: Path) -> None:
    attributes = {"settings": {}, "code": "", "manifest": store.text(features, "manifest")}
    with store.writing(path, attributes) as file:
        store.write_row_facts(file, store.row_facts(features))
        with store.filling(file, "features", features["features"].shape, "<f4") as made:
            for rows, residuals in regress_out(features["features"], facts):
                made[rows] = residuals


def chosen_facts(files: Mapping[str, str], names: list[str], digest: str) -> pd.DataFrame:
    """Return the facts `names` as columns, with one row per image in the manifest's order.

    `digest` is the digest of the manifest that the features were made with. Raises `UserError` if a fact is unknown, if
    two columns have its name, or if a fact of numbers has no number or an infinite one.
    """
    manifest = read_manifest(files["manifest"], digest)
    parts = [facts_of_images(files["images"], manifest), facts_of_files(manifest)]
    parts += [facts_of_table(files["table"], manifest)] if "table" in files else []
    known = pd.concat(parts, axis=1)
    for name in names:
        if name not in known:
            raise UserError(f"config: decompositions: regress_out: {found_allowed(name, list(known))}")
        if (known.columns == name).sum() > 1:
            raise UserError(f"config: decompositions: regress_out: found {name} twice; rename the column of the table")
        numbers = as_numbers(known[name])
        if numbers is not None and (np.isnan(numbers).all() or np.isinf(numbers).any()):
            found = "infinite numbers" if np.isinf(numbers).any() else "no image with a value"
            raise UserError(f"config: decompositions: regress_out: {name}: found {found}, allowed: a fact with numbers")
    return known[names]


def regress_out(features: Matrix, facts: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the features minus the prediction of a linear model of the facts, in blocks; the means stay the same.

    A fact of numbers is one column of the model; a fact of texts has one column for each different text. A missing
    number is replaced by the mean; missing texts count as one more text. The residuals are orthogonal to every fact.

    Parameters
    ----------
    features : (N, d) floats, an array or an HDF5 dataset.
    facts : a table with N rows and one column for each fact.

    Yields
    ------
    A slice of rows, and the residuals of these rows, (n, d) float64.
    """
    basis = _basis(facts, features.shape[0])
    shares = np.zeros((basis.shape[1], features.shape[1]))
    for rows in row_slices(features.shape[0]):
        shares += basis[rows].T @ np.asarray(features[rows], dtype=np.float64)
    for rows in row_slices(features.shape[0]):
        yield rows, np.asarray(features[rows], dtype=np.float64) - basis[rows] @ shares


def _basis(facts: pd.DataFrame, n: int) -> np.ndarray:
    """Return an orthonormal basis (N, p) of the space spanned by the centred facts."""
    columns = [_design(facts[name]) for name in facts]
    design = np.column_stack([np.empty((n, 0)), *columns])
    design = design - design.mean(axis=0)
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    return left[:, sizes > 1e-9 * max(sizes.max(initial=0), 1e-300)]


def _design(column: pd.Series) -> np.ndarray:
    numbers = as_numbers(column)
    if numbers is not None:
        spread = np.nanstd(numbers) or 1
        return (np.where(np.isnan(numbers), np.nanmean(numbers), numbers)[:, None] - np.nanmean(numbers)) / spread
    return pd.get_dummies(column.astype(object).fillna("")).to_numpy(dtype=float)
