"""Results that are truncated, empty or have flipped bits: a message names the file and says what to do, or the content
that is read is still right."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.stores import KINDS
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.tables import read_csv, read_parquet, write_csv, write_parquet

N_FLIPPED = 40
TABLE = pd.DataFrame(
    {
        "image_id": [f"{number:016x}" for number in range(80)],
        "label": ["Cr", "=In", None, "Pa ü"] * 20,
        "k": pd.array([2, None] * 40, dtype="Int64"),
        "ari": np.random.default_rng(0).random(80),
        "whiten": [True, False] * 40,
    }
)


def damaged(content: bytes) -> Iterator[bytes]:
    """Yield damaged versions of the content of a file."""
    for kept in (0, 7, len(content) // 3, len(content) - 1):
        yield content[:kept]
    random = np.random.default_rng(0)
    for place in random.integers(0, len(content), N_FLIPPED):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(random.integers(8))
        yield bytes(flipped)


def read_store(path: Path) -> dict[str, Any]:
    """Read everything in a store."""
    found: dict[str, Any] = {}

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        found[name] = item[()].tolist() if isinstance(item, h5py.Dataset) else ""

    with store.reading(path) as file:
        file.visititems(add)
        return found | {f"@{name}": str(value) for name, value in file.attrs.items()}


def check_damages(path: Path, read: Callable[[Path], Any]) -> int:
    """Check every damaged version of a file, and return their number."""
    whole, content = path.read_bytes(), repr(read(path))
    n_seen, versions = 0, list(damaged(whole))
    for left in versions:
        path.write_bytes(left)
        try:
            found = repr(read(path))
        except UserError as error:
            found = str(error)
        assert found == content or (
            found.startswith(f"{path}: ") and found.endswith("delete it and run again") and "\n" not in found
        )
        n_seen += found != content
    path.write_bytes(whole)
    assert n_seen >= 4
    return len(versions)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_damage_of_a_store_is_named(kind: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    KINDS[kind](tmp_path)
    paths = sorted(tmp_path.glob("*.h5"))
    assert paths
    record_property("damaged files", sum(check_damages(path, read_store) for path in paths))


def test_damage_of_a_parquet_is_named(tmp_path: Path) -> None:
    write_parquet(TABLE, str(tmp_path / "table.parquet"))
    check_damages(tmp_path / "table.parquet", lambda path: read_parquet(str(path)).to_csv())


def test_a_csv_that_was_cut_short_or_emptied_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(TABLE, str(path))
    whole = path.read_bytes()
    for left in (b"", b"\n", whole[:-1], whole[: len(whole) // 2], whole.replace("ü".encode(), b"\xfc"), b'"' + whole):
        path.write_bytes(left)
        with pytest.raises(UserError, match=r"table\.csv: damaged \(.*\); delete it and run again"):
            read_csv(path)


def test_the_damaged_one_of_several_open_stores_is_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.h5" for name in "abc"]
    for path in paths:
        with store.writing(path, {}) as file:
            store.put(file, "values", np.arange(1000.0))
    for bad in paths:
        whole = bad.read_bytes()
        with h5py.File(bad) as file:
            place = file["values"].id.get_chunk_info(0).byte_offset + 100
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with (
            pytest.raises(UserError, match=f"{bad}: damaged"),
            store.reading(paths[0]) as a,
            store.reading(paths[1]) as b,
            store.reading(paths[2]) as c,
            store.writing(tmp_path / "joined.h5", {}) as joined,
        ):
            store.put(joined, "values", np.concatenate([file["values"][:] for file in (a, b, c)]))
        assert not list(chain(tmp_path.glob("joined*"), tmp_path.glob(".*")))
        bad.write_bytes(whole)
