"""Reading and writing of tables (parquet for programs, CSV for people), and selection of rows of scores."""

import os
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ArrowException

from workflow_scripts.errors import UserError, refused_input
from workflow_scripts.io.files import replacing
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.spreadsheets import given_back, harmless

CHECKSUM = b"clustergrid_sha256"
AS_THEY_ARE: dict[str, Any] = {"dtype": None, "keep_default_na": True}
"""Options of `read_csv` to read columns of numbers as numbers and not as texts."""


def write_parquet(table: pd.DataFrame, path: str) -> None:
    """Write a table as a parquet file, whole or not at all, with a checksum of its content."""
    made = pa.Table.from_pandas(table, preserve_index=False)
    checked = made.replace_schema_metadata({**made.schema.metadata, CHECKSUM: _checksum(made.to_pandas())})
    with replacing(path) as temporary:
        pq.write_table(checked, temporary)


def _checksum(table: pd.DataFrame) -> bytes:
    """Return a hash of the values and the column names of a table, which does not depend on how they are stored."""
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return sha256(rows.tobytes() + repr(list(table)).encode()).hexdigest().encode()


def write_csv(table: pd.DataFrame, path: str) -> None:
    """Write a table as a CSV file, whole or not at all; its texts are harmless in spreadsheets."""
    with replacing(path) as temporary:
        _each_text(harmless, table).to_csv(temporary, index=False)


def read_csv(path: str | os.PathLike[str], **options: Any) -> pd.DataFrame:
    """Read what `write_csv` wrote; raises `UserError` with the path if it is damaged.

    All values are texts, and missing ones are empty, unless `options` of `pandas.read_csv` say otherwise.
    """
    try:
        with open(path, "rb") as stream:
            stream.seek(-1, os.SEEK_END)
            if stream.read() != b"\n":
                raise ValueError("it is cut short")
        table = pd.read_csv(path, **{"dtype": str, "keep_default_na": False, "encoding": "utf-8", **options})
    except (ValueError, OSError) as error:  # of pandas' parser, of a decoder, of an empty file
        raise _unreadable(path, error) from None
    return _each_text(given_back, table)


def _each_text(change: Callable[[str], str], table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with every text in it, and every name of a column, changed."""

    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].map(changed) for name in texts}).rename(columns=changed)


def read_parquet(path: str) -> pd.DataFrame:
    """Read a parquet file; raises `UserError` with the path if it is damaged."""
    try:
        with open(path, "rb") as stream:
            stored = pq.read_table(stream)
        table, checksum = stored.to_pandas(), (stored.schema.metadata or {}).get(CHECKSUM)
        if checksum is not None and checksum != _checksum(table):
            raise ValueError("its checksum is that of another content")
        return table
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str | os.PathLike[str], error: Exception) -> UserError:
    damage = f"{path}: damaged ({str(error).splitlines()[0]}); delete it and run again"
    return refused_input(error, path) or UserError(damage)


def read_scores(path: str) -> pd.DataFrame:
    """Read a cell's scores on all images, without the rows of cross-validation folds."""
    scores = read_parquet(path)
    return scores[scores["fold"].isna()]


def best_of_repeats(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the row of lowest inertia of each k and repeat, because a repeat may have rows for all its restarts."""
    return scores.sort_values("inertia", kind="stable").groupby(["k", "repeat"], dropna=False).head(1).sort_index()


def with_k(scores: pd.DataFrame, wanted: int | None) -> pd.DataFrame:
    """Return the rows of the k that `choose_k` chooses: the wanted one, or the smallest if `wanted` is None."""
    k = choose_k(wanted, [None if pd.isna(k) else int(k) for k in scores["k"].unique()])
    return scores[scores["k"].isna() if k is None else scores["k"] == k]
