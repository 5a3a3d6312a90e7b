"""Read and write tables (parquet for programs, CSV for people), and select rows of tables of scores."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ArrowException

from workflow_scripts.errors import UserError, refused_input
from workflow_scripts.io.files import replacing
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.spreadsheets import given_back, harmless

if TYPE_CHECKING:  # pandas takes long to import, and jobs that score cells do not need it
    import pandas as pd

CHECKSUM = b"clustergrid_schema"
ARROW_TYPES = {"string": pa.large_string(), "Int64": pa.int64(), "boolean": pa.bool_(), "float64": pa.float64()}
"""The Arrow types of columns with missing values, by the names that pandas has for such types."""
NUMPY_TYPES = {"Int64": np.int64, "boolean": bool, "float64": np.float64}
AS_THEY_ARE: dict[str, Any] = {"dtype": None, "keep_default_na": True}
"""Options of `read_csv` to read columns of numbers as numbers and not as texts."""


def write_parquet(table: "pd.DataFrame", path: str) -> None:
    """Write a table as a parquet file with checksums, which appears only when it is complete."""
    write_arrow(pa.Table.from_pandas(table, preserve_index=False), path)


def write_arrow(table: pa.Table, path: str) -> None:
    """Write an Arrow table as a parquet file, which appears only when it is complete.

    The file has checksums of its values and its schema.
    """
    metadata = table.schema.metadata or {}
    checked = table.replace_schema_metadata({**metadata, CHECKSUM: _checksum(_as_stored(table), table.num_rows)})
    with replacing(path) as temporary:
        pq.write_table(checked, temporary, write_page_checksum=True)


def _as_stored(table: pa.Table) -> pa.Schema:
    """Return the schema of a table after it was written as parquet and read again.

    Some types change, such as those of categories.
    """
    stream = BytesIO()
    pq.write_table(table.slice(0, 0), stream)  # `Schema.empty_table` would import pandas
    return pq.read_schema(BytesIO(stream.getvalue()))


def _checksum(schema: pa.Schema, n_rows: int) -> bytes:
    """Return a hash (64 hex digits) of the parts of a parquet file that its own checksums do not cover.

    These parts are the names and types of the columns, the metadata, and the number of rows.
    """
    metadata = {name: value for name, value in (schema.metadata or {}).items() if name != CHECKSUM}
    described = [(column.name, str(column.type)) for column in schema]
    return sha256(repr((described, sorted(metadata.items()), n_rows)).encode()).hexdigest().encode()


def arrow_column(values: Sequence[Any] | np.ndarray, kind: str) -> pa.Array:
    """Return n `values` as an Arrow array whose type is `ARROW_TYPES[kind]`; None and NaN become null.

    The array is made from its buffers, because `pyarrow.array` imports pandas. Raises `ValueError` for a number that
    the type cannot hold, such as 1.5 among integers.
    """
    known = np.array([value is not None and value == value for value in values], dtype=bool)
    buffers = [np.packbits(known, bitorder="little")]
    if kind == "string":
        texts = [value.encode() if there else b"" for value, there in zip(values, known, strict=True)]
        buffers += [np.cumsum([0, *map(len, texts)]), np.frombuffer(b"".join(texts), np.uint8)]
    else:
        given = np.where(known, np.asarray(values, dtype=object), 0)
        numbers = given.astype(NUMPY_TYPES[kind])
        if not np.array_equal(numbers.astype(object), given):
            raise ValueError(f"column of {kind}: found {given[numbers != given][0]!r}, which would change")
        buffers += [np.packbits(numbers, bitorder="little") if kind == "boolean" else numbers]
    return pa.Array.from_buffers(ARROW_TYPES[kind], len(known), [pa.py_buffer(buffer) for buffer in buffers])


def write_csv(table: "pd.DataFrame", path: str) -> None:
    """Write a table as a CSV file, which appears only when it is complete.

    Texts that a spreadsheet program would take for a formula are made harmless (see `spreadsheets.harmless`).
    """
    table = _each_text(harmless, table)
    text = table.to_csv(index=False)
    if "\r" in text:  # without quotation marks, a carriage return ends the row
        text = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def read_csv(path: str | os.PathLike[str], **options: Any) -> "pd.DataFrame":
    """Read a CSV file that `write_csv` wrote.

    All values are texts, and missing ones are empty, unless `options` of `pandas.read_csv` say otherwise. Raises
    `UserError` with the path if the file is damaged.
    """
    import pandas as pd

    with _named_if_damaged(path):
        _refuse_cut(path)
        table = pd.read_csv(path, **{"dtype": str, "keep_default_na": False, "encoding": "utf-8", **options})
    return _each_text(given_back, table)


def read_texts(path: str, *names: str) -> tuple[list[str], ...]:
    """Read the columns `names` of a CSV file that `write_csv` wrote, each as a list of texts, without pandas.

    Raises `UserError` with the path if the file is damaged.
    """
    with _named_if_damaged(path):
        _refuse_cut(path)
        with open(path, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, restval="", strict=True))
        return tuple([given_back(row[name]) for row in rows] for name in names)


def _refuse_cut(path: str | os.PathLike[str]) -> None:
    with open(path, "rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read() != b"\n":
            raise ValueError("it is cut short")


def _each_text(change: Callable[[str], str], table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table in which `change` was applied to every text and to every name of a column."""
    import pandas as pd

    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].map(changed) for name in texts}).rename(columns=changed)


def read_parquet(path: str) -> "pd.DataFrame":
    """Read a parquet file; raise `UserError` with the path if the file is damaged."""
    with _named_if_damaged(path):
        with open(path, "rb") as stream:
            stored = pq.read_table(stream, page_checksum_verification=True)
        checksum = _checksum(stored.schema, stored.num_rows)
        if (stored.schema.metadata or {}).get(CHECKSUM, checksum) != checksum:
            raise ValueError("its checksum is that of another content")
        return as_frame(stored)


def as_frame(table: pa.Table) -> "pd.DataFrame":
    """Return an Arrow table as a data frame of pandas.

    If the table comes from pandas, its columns get the types that they had there. Otherwise they get types that allow
    missing values, such as `Int64`.
    """
    import pandas as pd

    with_nulls = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    with_nulls |= dict.fromkeys((pa.string(), pa.large_string()), pd.StringDtype())
    return table.to_pandas(types_mapper=None if table.schema.pandas_metadata else with_nulls.get)


@contextmanager
def _named_if_damaged(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an exception of a parser or decoder into a `UserError` that names the file, as a context manager."""
    try:
        yield
    except (ArrowException, csv.Error, OSError, ValueError, KeyError, TypeError) as error:
        damage = f"{path}: damaged ({str(error).splitlines()[0]}); delete it and run again"
        raise refused_input(error, path) or UserError(damage) from None


def read_scores(path: str) -> "pd.DataFrame":
    """Read the table of a cell's scores without the rows of cross-validation, that is with the scores on all images."""
    scores = read_parquet(path)
    return scores[scores["fold"].isna()]


def best_of_repeats(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return, for each k and repeat, the row of the best restart, that is the row with the lowest inertia.

    A restart is one initialisation of a clusterer. A repeat is a set of restarts with one seed.
    """
    return scores.sort_values("inertia", kind="stable").groupby(["k", "repeat"], dropna=False).head(1).sort_index()


def with_k(scores: "pd.DataFrame", wanted: int | None) -> "pd.DataFrame":
    """Return the rows of the k that `choose_k` chooses: the wanted one, or the smallest if `wanted` is None.

    If the clusterer finds k itself, its rows are returned. Raises `UserError` if the wanted k is not in the table.
    """
    import pandas as pd

    k = choose_k(wanted, [None if pd.isna(k) else int(k) for k in scores["k"].unique()])
    return scores[scores["k"].isna() if k is None else scores["k"] == k]
