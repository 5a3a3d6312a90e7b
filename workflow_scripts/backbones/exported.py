"""Write features as a table for other programs.

The files have the formats that a backbone with the setting `file` can read (see `brought`).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workflow_scripts.io import store
from workflow_scripts.io.files import replacing
from workflow_scripts.io.points import row_slices
from workflow_scripts.io.tables import read_csv
from workflow_scripts.spreadsheets import harmless

EXACT = "%.9g"
"""The format of a number in a CSV: from nine digits every float32 can be read back exactly."""


def export(features: str, manifest: str, output: str) -> None:
    """Write the features of a store, and the path of each image in the manifest, as a table in the format of `output`.

    A .npz or .h5 has the arrays `path` (N,) str and `features` (N, width) float32; a .csv or .parquet has the column
    `path`, and `f0`, `f1`, … for the features. Raises `UserError` if the store was made from another manifest.
    """
    rows = read_csv(manifest)
    with store.reading(features, store.manifest_digest(rows["image_id"])) as file, replacing(output) as temporary:
        WRITERS[Path(output).suffix](temporary, list(rows["path"]), file["features"])


def _write_npz(path: Path, names: Sequence[str], features: h5py.Dataset) -> None:
    with ZipFile(path, "w") as archive:
        with archive.open(ZipInfo("path.npy"), "w", force_zip64=True) as stream:
            np.lib.format.write_array(stream, np.array(names, dtype=str), allow_pickle=False)
        with archive.open(ZipInfo("features.npy"), "w", force_zip64=True) as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": features.shape}
            np.lib.format.write_array_header_1_0(stream, header)
            for rows in row_slices(len(features)):
                stream.write(features[rows].tobytes())


def _write_h5(path: Path, names: Sequence[str], features: h5py.Dataset) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("path", data=list(names), dtype=h5py.string_dtype())
        written = file.create_dataset("features", features.shape, "<f4")
        for rows in row_slices(len(features)):
            written[rows] = features[rows]


def _write_csv(path: Path, names: Sequence[str], features: h5py.Dataset) -> None:
    for block in _tables([harmless(name) for name in names], features):
        first = block.index[0] == 0
        block.to_csv(path, mode="w" if first else "a", header=first, index=False, float_format=EXACT)


def _write_parquet(path: Path, names: Sequence[str], features: h5py.Dataset) -> None:
    fields = [("path", pa.string()), *((name, pa.float32()) for name in _columns(features))]
    with pq.ParquetWriter(path, pa.schema(fields)) as writer:
        for block in _tables(names, features):
            writer.write_table(pa.Table.from_pandas(block, writer.schema, preserve_index=False))


WRITERS: dict[str, Callable[[Path, Sequence[str], h5py.Dataset], None]] = {
    ".npz": _write_npz,
    ".h5": _write_h5,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
"""The writer of each format, by the ending of its files."""


def _tables(names: Sequence[str], features: h5py.Dataset) -> Iterator[pd.DataFrame]:
    """Yield a table of names and features in blocks of rows; the index is the number of the row in the whole table."""
    columns = _columns(features)
    for rows in row_slices(len(features)):
        block = pd.DataFrame(features[rows], index=range(len(names))[rows], columns=columns)
        block.insert(0, "path", names[rows])
        yield block


def _columns(features: h5py.Dataset) -> list[str]:
    return [f"f{number}" for number in range(features.shape[1])]
