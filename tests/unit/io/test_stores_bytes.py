"""Every kind of store has the same bytes if it is made twice with a pause."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.stores import KINDS
from workflow_scripts.io import store
from workflow_scripts.provenance import PACKAGE

MAKERS = {
    *("preprocess.stack", "intake.subsets", "reduce.pca", "reduce.maps", "reduce.autoencoder"),
    *("reduce.ica", "reduce.kernel_pca"),
    *("backbones.feature_writer", "backbones.joined", "backbones.brought", "backbones.descriptors.__init__"),
    "io.agreement",
}
"""The modules that write stores, beside `clusterers`, whose methods have a kind each."""


def made(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return the bytes of the stores of every kind, by kind and name."""
    stores = {}
    for kind, make in KINDS.items():
        (folder / kind).mkdir(parents=True)
        make(folder / kind)
        stores[kind] = {path.name: path.read_bytes() for path in (folder / kind).glob("*.h5")}
    return stores


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, bytes]]]:
    first = made(tmp_path_factory.mktemp("first"))
    time.sleep(1.1)  # HDF5's times have whole seconds
    return [first, made(tmp_path_factory.mktemp("second"))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_store_has_the_same_bytes_at_another_time(kind: str, twice: list[Any]) -> None:
    first, second = (stores[kind] for stores in twice)
    assert first
    assert first == second


def test_every_module_that_writes_stores_is_here() -> None:
    writers = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bwriting\(", path.read_text()) and path.name != "store.py"
    }
    of_a_moment = {"reduce.residuals"}  # deleted before its job ends
    assert writers == MAKERS | {"io.runs"} | of_a_moment


def test_a_group_that_hdf5_makes_by_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a keeps the time"), store.writing(tmp_path / "x.h5", {}) as file:
        file["a/b"] = 1
    assert not list(tmp_path.iterdir())
