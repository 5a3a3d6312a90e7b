"""Exported features: every format is read by the libraries that people use, and a backbone with `file` gets it back."""

import h5py
import numpy as np
import pandas as pd
import pytest

from workflow_scripts.backbones.brought import bring
from workflow_scripts.backbones.brought_width import TABLES
from workflow_scripts.backbones.exported import WRITERS, export
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import ROWS
from workflow_scripts.io.tables import write_csv

N = ROWS + 3
PATHS = ["=1+1.png", "b/é 4.png#xywh=0,0,8,8", "NA", *(f"c/{number}.png" for number in range(N - 3))]
IDS = [f"{number:016x}" for number in range(N)]
VALUES = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
VALUES[0] = [1e-38, 1 / 3, np.finfo(np.float32).max]


@pytest.fixture
def made(tmp_path):
    """A feature store and its manifest."""
    write_csv(pd.DataFrame({"image_id": IDS, "path": PATHS}), tmp_path / "manifest.csv")
    facts = {"code": "c", "settings": {}, "manifest": store.manifest_digest(IDS)}
    with store.writing(tmp_path / "features.h5", facts) as file:
        store.put(file, "features", VALUES)
        store.put(file, "image_id", np.array(IDS, dtype="S"))
    return str(tmp_path / "features.h5"), str(tmp_path / "manifest.csv")


@pytest.mark.parametrize("ending", TABLES)
def test_what_is_written_is_brought_back_to_the_bit(made, tmp_path, ending):
    table = str(tmp_path / f"mine{ending}")
    export(*made, table)
    bring(table, made[1], tmp_path / "back.h5", {"code": "c", "settings": {"backbone": {"file": table}}})
    with store.reading(tmp_path / "back.h5", store.manifest_digest(IDS)) as file:
        np.testing.assert_array_equal(file["features"][:], VALUES)
    assert WRITERS.keys() == set(TABLES)


def test_each_library_reads_its_format(made, tmp_path):
    for ending in TABLES:
        export(*made, str(tmp_path / f"mine{ending}"))
    columns = ["path", "f0", "f1", "f2"]
    table = pd.read_parquet(tmp_path / "mine.parquet")
    assert list(table) == list(pd.read_csv(tmp_path / "mine.csv")) == columns
    assert table["path"].tolist() == PATHS
    with np.load(tmp_path / "mine.npz") as arrays, h5py.File(tmp_path / "mine.h5") as file:
        for names, values in (
            (arrays["path"].tolist(), arrays["features"]),
            (file["path"].asstr()[:].tolist(), file["features"][:]),
            (PATHS, table[columns[1:]].to_numpy()),
        ):
            assert names == PATHS
            np.testing.assert_array_equal(values, VALUES)


def test_features_of_other_images_are_refused(made, tmp_path):
    write_csv(pd.DataFrame({"image_id": IDS[:-1], "path": PATHS[:-1]}), made[1])
    with pytest.raises(UserError, match="made from another manifest"):
        export(*made, str(tmp_path / "mine.npz"))
    assert not (tmp_path / "mine.npz").exists()
