"""Read features that another program computed, and put them into the order of the images."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import is_zipfile

import h5py
import numpy as np
import pandas as pd

from workflow_scripts.backbones.weight_names import NONE
from workflow_scripts.errors import UserError
from workflow_scripts.intake.known import ID_DIGITS
from workflow_scripts.intake.label_table import LABELS
from workflow_scripts.io import store
from workflow_scripts.io.tables import read_csv
from workflow_scripts.runlog import NOTICE
from workflow_scripts.spreadsheets import given_back
from workflow_scripts.wording import count

log = logging.getLogger(__name__)
_SHOWN = 3
"""Largest number of names that are shown in a message."""
KEYS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "content hash": lambda rows: rows["image_id"],
    "path": lambda rows: rows["path"],
    "name": lambda rows: rows["path"].map(lambda path: PurePosixPath(path).name),
    "name without ending": lambda rows: rows["path"].map(lambda path: PurePosixPath(path).stem),
}
"""The ways in which a table may name images, as functions from the manifest to the names."""


_SHA256 = re.compile("[0-9a-fA-F]{64}")
_INDEX = re.compile(r"index|unnamed: \d+")
NAME_COLUMNS = ("path", "file", "filename", "name", "image", "image_id", "id", "hash")
"""Allowed names of the column that names the images. If no column has one of them, it is the first column of texts that
are no labels, or else the first column of whole numbers that is not the index of a data frame."""


@dataclass(frozen=True)
class Table:
    """A table of features: the `names` of n images, and the `values` (n, d) float32 of their features."""

    names: list[str]
    values: np.ndarray


def bring(path: str, manifest: str, output: Path, attributes: Mapping[str, Any]) -> None:
    """Write a feature store from the table `path`, with the rows in the order of the manifest.

    The store has `features` (N, width) float32 and `image_id` (N,). Rows of the table that belong to no image are left
    out, which a notice says. Raises `UserError` if the table cannot be read (see `read_table`), if an image has no row,
    or if a number is missing or infinite.
    """
    table = read_table(path)
    rows = read_csv(manifest)
    order = matched(table.names, rows, path)
    values = table.values[order]
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise UserError(f"{path}: {table.names[order[row]]} has numbers that are infinite or missing")
    digest = store.manifest_digest(rows["image_id"])
    facts = {"manifest": digest, "layer": "features", "batch_size": 1, "weights_sha256": NONE}
    with store.writing(output, {**attributes, **facts}) as file:
        store.put_image_ids(file, rows["image_id"])
        store.put(file, "features", values)


def matched(names: Sequence[str], rows: pd.DataFrame, path: str) -> np.ndarray:
    """Return for each image of a manifest the row of a table that has its features, (N,) int.

    `rows` is the manifest, and `names` are the names of the table's rows. A name may be an image's content hash (its id
    or the whole SHA-256 of its file), its path, its file name, or its file name without extension. It may also be a
    longer path that ends with the image's path. Of these five ways, the one that finds most images is used. Raises
    `UserError` if two rows have the same name, if an image has no row, or if the names of two rows end with its path.
    """
    ids = [name[:ID_DIGITS].lower() if _SHA256.fullmatch(name) else name for name in names]
    if len(set(ids)) < len(ids):
        twice = pd.Series(ids)[pd.Series(ids).duplicated()].iloc[0]
        raise UserError(f"{path}: the name {twice!r} is there twice, allowed: one row for each image")
    number = {name: row for row, pair in enumerate(zip(ids, names, strict=True)) for name in pair}
    matches = {kind: key(rows).map(number) for kind, key in KEYS.items() if not key(rows).duplicated().any()}
    matches |= {"end of the path": _by_end_of_path(names, rows["path"])}
    kind = max(matches, key=lambda kind: matches[kind].notna().sum())
    lacking = rows["path"][matches[kind].isna()]
    if len(lacking):
        raise UserError(
            f"{path}: {len(lacking)} of {len(rows)} images have no row of their own ({_some(lacking)}); names of rows "
            f"are {_some(names)}; allowed: a row for each image, named by {', '.join(KEYS)}"
        )
    order = matches[kind].astype(int).to_numpy()
    surplus = sorted(set(names) - {names[row] for row in order})
    log.info("%s: %d rows matched by %s", path, len(order), kind)
    if surplus:
        log.log(
            NOTICE, "%s: %s to no image, left out: %s", path, count(len(surplus), "row belongs", "rows belong"),
            _some(surplus),
        )  # fmt: skip
    return order


def _by_end_of_path(names: Sequence[str], paths: pd.Series) -> pd.Series:
    """Return for each path the number of the only row whose name ends with the path, or NaN.

    For example, the name `/data/steel/a/1.png` ends with the path `a/1.png`.
    """
    by_path: dict[str, list[int]] = {}
    wanted = set(paths)
    for row, name in enumerate(names):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        for start in range(len(parts)):
            if (end := "/".join(parts[start:])) in wanted:
                by_path.setdefault(end, []).append(row)
                break
    return paths.map({path: rows[0] for path, rows in by_path.items() if len(rows) == 1})


def read_table(path: str) -> Table:
    """Read the names and numbers of a .npz, .h5, .csv or .parquet file.

    Raises `UserError` if the file cannot be read, or if it does not have one set of names and one of numbers.
    """
    try:
        match Path(path).suffix:
            case ".npz":
                if not is_zipfile(path):
                    raise UserError(f"{path}: it cannot be read as a table: it is not what numpy.savez writes")
                with np.load(path, allow_pickle=False) as file:
                    return _of_arrays({name: file[name] for name in file.files}, path)
            case ".h5":
                with h5py.File(path, "r", locking=False) as file:
                    arrays = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
                    return _of_arrays({name: _array(item) for name, item in arrays.items()}, path)
            case ".csv":
                table = pd.read_csv(path)
                column = _name_column(table)
                names = pd.read_csv(path, usecols=[column], dtype=str, keep_default_na=False)[column]
                return _of_columns(table.assign(**{column: names.map(given_back)}), path)
            case _:
                table = pd.read_parquet(path)
                named = not (pd.api.types.is_numeric_dtype(table.index) or {*table.index.names} & {*table.columns})
                return _of_columns(table.reset_index() if named else table, path)
    except UserError:
        raise
    except Exception as error:  # the four libraries raise many types of exceptions for damaged files
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: it cannot be read as a table: {reason}") from None


def _array(dataset: h5py.Dataset) -> np.ndarray:
    return dataset.asstr("utf-8")[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]


def _of_arrays(arrays: Mapping[str, np.ndarray], path: str) -> Table:
    """Return the table from the only two-dimensional array of numbers and the only one-dimensional array of texts.

    Raises `UserError` if there are more or fewer of these, or if their lengths differ.
    """
    numbers = {
        name: array for name, array in arrays.items() if array.ndim == 2 and array.size and array.dtype.kind in "fiu"
    }
    texts = {name: array for name, array in arrays.items() if array.ndim == 1 and array.dtype.kind in "OUST"}
    if len(numbers) != 1 or len(texts) != 1:
        shapes = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in arrays.items()) or "no arrays"
        raise UserError(
            f"{path}: found {shapes}, allowed: one array of numbers (images, columns), one of names (images)"
        )
    (values,), (names,) = numbers.values(), texts.values()
    if len(values) != len(names):
        raise UserError(f"{path}: found {len(values)} rows of numbers and {len(names)} names")
    return Table([name.decode() if isinstance(name, bytes) else str(name) for name in names], values.astype("<f4"))


def _of_columns(table: pd.DataFrame, path: str) -> Table:
    """Return the table whose names are a column without numbers, and whose values are the columns of numbers.

    Columns that merely count the rows, as a data frame's index does, and columns of labels are no features; a notice
    says so. Raises `UserError` if the table has no column of numbers, or no other column, or if texts are among the
    numbers of a column.
    """
    texts = table.select_dtypes(exclude="number")
    numbers = table.select_dtypes("number")
    none = [name for name in numbers if _has_labels(name) or _counts_rows(numbers[name])]
    numbers = numbers.drop(columns=none)
    if none:
        log.log(NOTICE, "%s: columns of labels or of row numbers are no features: %s", path, ", ".join(map(str, none)))
    if texts.shape[1] == 0 or numbers.shape[1] == 0:
        columns = ", ".join(map(str, table.columns[:5]))
        raise UserError(f"{path}: found the columns {columns}, allowed: a column of names and columns of numbers")
    names = _name_column(texts)
    for column in texts.columns.drop(names):
        if not _has_labels(column):
            _check_texts(texts[column], path)
    return Table([str(name) for name in texts[names]], numbers.to_numpy("<f4"))


def _name_column(table: pd.DataFrame) -> str:
    """Return which column names the images (see `NAME_COLUMNS`).

    A column of whole numbers is one only if there are no texts: images may be called 0001, 0002 and so on.
    """

    def unlikely(column: str) -> tuple[bool, bool, bool, bool]:
        name, values = str(column).lower(), table[column]
        is_number, is_whole = pd.api.types.is_numeric_dtype(values), pd.api.types.is_integer_dtype(values)
        other = _has_labels(column) or (is_number and not is_whole)
        return name not in NAME_COLUMNS, other, is_number, is_number and bool(_INDEX.fullmatch(name))

    return min(table, key=unlikely)


def _has_labels(column: str) -> bool:
    return str(column).lower() in LABELS


def _counts_rows(column: pd.Series) -> bool:
    """Return whether the column has the numbers 0, 1, 2, ... or 1, 2, 3, ..., three or more of them."""
    if len(column) < 3 or not pd.api.types.is_integer_dtype(column):
        return False
    return column.iloc[0] in (0, 1) and bool((column.diff()[1:] == 1).all())


def _check_texts(column: pd.Series, path: str) -> None:
    """Raise `UserError` if most values of a column that has texts are numbers: it is a feature with a mistake."""
    wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    if 0 < wrong.sum() < len(column) / 2:
        raise UserError(f"{path}: column {column.name}: found {str(column[wrong].iloc[0])!r}, allowed: numbers")


def _some(names: Sequence[str] | pd.Series) -> str:
    return ", ".join(list(names)[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
