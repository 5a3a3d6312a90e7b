"""HDF5 stores: files are whole or missing, attributes say how they were made, the bytes are the same each time."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import h5py
import numpy as np
import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.files import replacing

ATTRIBUTES = store.provenance("c0de", "man1", {"k": [2, 3], "init": "random"}, weights_sha256="abc", n_used=5)


def _write(path, values=(1, 2)):
    with store.writing(path, ATTRIBUTES) as file:
        file["image_id"] = np.array(["a", "ü"], dtype=h5py.string_dtype())
        file["values"] = np.array(values)


def test_a_whole_file_appears_with_all_attributes(tmp_path):
    path = tmp_path / "new" / "folder" / "x.h5"
    _write(path)
    assert [file.name for file in path.parent.iterdir()] == ["x.h5"]
    with h5py.File(path) as file:
        attributes = {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}
        libraries = json.loads(attributes.pop("libraries"))
        assert json.loads(attributes.pop("settings")) == {"k": [2, 3], "init": "random"}
        assert attributes == {
            "format_version": 1, "code": "c0de", "manifest": "man1", "weights_sha256": "abc", "n_used": 5
        }  # fmt: skip
        assert libraries["numpy"] == np.__version__
        assert libraries["scikit-learn"] == version("scikit-learn")
    with store.reading(path, "man1") as file:
        assert store.image_ids(file).tolist() == ["a", "ü"]
        assert store.attribute(file, "settings") == {"k": [2, 3], "init": "random"}
        assert file["values"][:].tolist() == [1, 2]


@pytest.mark.parametrize("old", [None, (7, 8)])
def test_an_exception_in_the_middle_leaves_what_was_there(tmp_path, old):
    path = tmp_path / "x.h5"
    if old:
        _write(path, old)
    before = path.read_bytes() if old else None

    def fail():
        with store.writing(path, ATTRIBUTES) as file:
            file["values"] = np.zeros(1000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (path.read_bytes() if path.exists() else None) == before
    assert {file.name for file in tmp_path.iterdir()} == ({"x.h5"} if old else set())


KILLED_WHILE_WRITING = """
import sys, time
import numpy as np
from workflow_scripts.io import store
with store.writing(sys.argv[1], {"code": "c"}) as file:
    file["values"] = np.zeros(100_000)
    file.flush()
    print("writing", flush=True)
    time.sleep(3600)
"""


def test_a_kill_in_the_middle_leaves_nothing_that_anything_reads(tmp_path):
    path = tmp_path / "x.h5"
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "writing\n"
        left = {file.name for file in tmp_path.iterdir()}
        os.kill(running.pid, signal.SIGKILL)
    assert not path.exists()
    assert left
    assert all(name.startswith(".") for name in left)
    _write(path)
    assert [file.name for file in tmp_path.iterdir()] == ["x.h5"]
    with store.reading(path, "man1") as file:
        assert set(file) == {"image_id", "values"}


def test_a_reader_never_sees_a_part_of_the_next_version(tmp_path):
    path = tmp_path / "x.h5"
    _write(path, (7, 8))
    with store.writing(path, ATTRIBUTES), store.reading(path) as file:
        assert file["values"][:].tolist() == [7, 8]


def test_another_format_version_or_manifest_is_said(tmp_path):
    path = tmp_path / "x.h5"
    _write(path)
    with pytest.raises(UserError, match=r"x\.h5: made from another manifest"), store.reading(path, "man2"):
        pass
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 0
    with pytest.raises(UserError, match=r"x\.h5: format version 0, allowed: 1"), store.reading(path):
        pass
    h5py.File(tmp_path / "foreign.h5", "w").close()
    with pytest.raises(UserError, match="format version None"), store.reading(tmp_path / "foreign.h5"):
        pass


def test_the_same_content_is_the_same_bytes_at_another_time(tmp_path):
    def content(name):
        with store.writing(tmp_path / name, ATTRIBUTES) as file:
            group = file.create_group("k=2")
            group.create_dataset("labels", data=np.arange(1000) % 7, compression="gzip")
            file["image_id"] = np.array(["a", "b"], dtype="S")
        return hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()

    first = content("a")
    time.sleep(1.1)  # HDF5's times have whole seconds
    assert content("b") == first


def test_a_lock_on_the_file_stops_no_reader(tmp_path):
    path = tmp_path / "x.h5"
    _write(path)
    code = f"from workflow_scripts.io import store\nwith store.reading({str(path)!r}) as file: print(list(file))"
    with path.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "['image_id', 'values']\n"


def test_the_manifests_digest_is_of_the_images_and_their_order():
    assert store.manifest_digest(["a", "b"]) == store.manifest_digest(np.array(["a", "b"]))
    assert len({store.manifest_digest(ids) for ids in (["a", "b"], ["b", "a"], ["a"], ["ab"], ["a", "b", "b"])}) == 5


def test_any_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
