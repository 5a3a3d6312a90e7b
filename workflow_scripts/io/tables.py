"""Reading and writing of tables (parquet for programs, CSV for people), and selection of rows of scores."""

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

if TYPE_CHECKING:  # pandas takes long to import, and the jobs that score cells do without
    import pandas as pd

CHECKSUM = b"clustergrid_schema"
ARROW_TYPES = {"string": pa.large_string(), "Int64": pa.int64(), "boolean": pa.bool_(), "float64": pa.float64()}
"""The types of columns that take nulls, by their names in pandas."""
NUMPY_TYPES = {"Int64": np.int64, "boolean": bool, "float64": np.float64}
AS_THEY_ARE: dict[str, Any] = {"dtype": None, "keep_default_na": True}
"""Options of `read_csv` to read columns of numbers as numbers and not as texts."""


def write_parquet(table: "pd.DataFrame", path: str) -> None:
    """Write a table as a parquet file, whole or not at all, with checksums."""
    write_arrow(pa.Table.from_pandas(table, preserve_index=False), path)


def write_arrow(table: pa.Table, path: str) -> None:
    """Write a table of Arrow as a parquet file, whole or not at all, with checksums of its values and its schema."""
    metadata = table.schema.metadata or {}
    checked = table.replace_schema_metadata({**metadata, CHECKSUM: _checksum(_as_stored(table), table.num_rows)})
    with replacing(path) as temporary:
        pq.write_table(checked, temporary, write_page_checksum=True)


def _as_stored(table: pa.Table) -> pa.Schema:
    """Return the schema with which parquet gives a table back: some types change, such as those of categories."""
    stream = BytesIO()
    pq.write_table(table.slice(0, 0), stream)  # `Schema.empty_table` would import pandas
    return pq.read_schema(BytesIO(stream.getvalue()))


def _checksum(schema: pa.Schema, n_rows: int) -> bytes:
    """Return a hash of what the checksums of a parquet's pages leave out: names, types, metadata, number of rows."""
    metadata = {name: value for name, value in (schema.metadata or {}).items() if name != CHECKSUM}
    described = [(column.name, str(column.type)) for column in schema]
    return sha256(repr((described, sorted(metadata.items()), n_rows)).encode()).hexdigest().encode()


def arrow_column(values: Sequence[Any] | np.ndarray, kind: str) -> pa.Array:
    """Return values (n,) as a column of Arrow of a kind of `ARROW_TYPES`; None and NaN become null.

    The column is made of its buffers, because `pyarrow.array` imports pandas. Raises `ValueError` for a number that the
    kind has no place for, such as 1.5 among integers.
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
    """Write a table as a CSV file, whole or not at all; its texts are harmless in spreadsheets."""
    with replacing(path) as temporary:
        _each_text(harmless, table).to_csv(temporary, index=False)


def read_csv(path: str | os.PathLike[str], **options: Any) -> "pd.DataFrame":
    """Read what `write_csv` wrote; raises `UserError` with the path if it is damaged.

    All values are texts, and missing ones are empty, unless `options` of `pandas.read_csv` say otherwise.
    """
    import pandas as pd

    with _named_if_damaged(path):
        _refuse_cut(path)
        table = pd.read_csv(path, **{"dtype": str, "keep_default_na": False, "encoding": "utf-8", **options})
    return _each_text(given_back, table)


def read_texts(path: str, *names: str) -> tuple[list[str], ...]:
    """Read columns of a CSV that `write_csv` wrote, by name, without pandas; raises `UserError` as `read_csv` does."""
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
    """Return the table with every text in it, and every name of a column, changed."""
    import pandas as pd

    def changed(value: Any) -> Any:
        return change(value) if isinstance(value, str) else value

    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].map(changed) for name in texts}).rename(columns=changed)


def read_parquet(path: str) -> "pd.DataFrame":
    """Read a parquet file; raises `UserError` with the path if it is damaged."""
    with _named_if_damaged(path):
        with open(path, "rb") as stream:
            stored = pq.read_table(stream, page_checksum_verification=True)
        checksum = _checksum(stored.schema, stored.num_rows)
        if (stored.schema.metadata or {}).get(CHECKSUM, checksum) != checksum:
            raise ValueError("its checksum is that of another content")
        return as_frame(stored)


def as_frame(table: pa.Table) -> "pd.DataFrame":
    """Return a table of Arrow as a data frame.

    The columns get the types that they had in pandas; those of a table that does not come from pandas get types that
    take nulls, such as `Int64`.
    """
    import pandas as pd

    with_nulls = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    with_nulls |= dict.fromkeys((pa.string(), pa.large_string()), pd.StringDtype())
    return table.to_pandas(types_mapper=None if table.schema.pandas_metadata else with_nulls.get)


@contextmanager
def _named_if_damaged(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the errors of parsers and decoders, and of an empty file, into a `UserError` that names the file."""
    try:
        yield
    except (ArrowException, csv.Error, OSError, ValueError, KeyError, TypeError) as error:
        damage = f"{path}: damaged ({str(error).splitlines()[0]}); delete it and run again"
        raise refused_input(error, path) or UserError(damage) from None


def read_scores(path: str) -> "pd.DataFrame":
    """Read a cell's scores on all images, without the rows of cross-validation folds."""
    scores = read_parquet(path)
    return scores[scores["fold"].isna()]


def best_of_repeats(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row for each k and repeat; of the restarts of a repeat, that of lowest inertia."""
    return scores.sort_values("inertia", kind="stable").groupby(["k", "repeat"], dropna=False).head(1).sort_index()


def with_k(scores: "pd.DataFrame", wanted: int | None) -> "pd.DataFrame":
    """Return the rows of the k that `choose_k` chooses: the wanted one, or the smallest if `wanted` is None."""
    import pandas as pd

    k = choose_k(wanted, [None if pd.isna(k) else int(k) for k in scores["k"].unique()])
    return scores[scores["k"].isna() if k is None else scores["k"] == k]
