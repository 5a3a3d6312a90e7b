"""The writer of feature stores goes on after a kill with the bytes of an uninterrupted run, whatever was damaged."""

from pathlib import Path

import numpy as np
import pytest

from workflow_scripts.backbones.feature_writer import FeatureWriter
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

N, BATCH = 12, 4
IDS = [f"{number:016x}" for number in range(N)]
WIDTHS = {"fire9_avg": 512, "features.0": 3}
SETTINGS = {"settings": {"seed": 0}}


class InterruptedJobError(Exception):
    """Raised to interrupt a writer."""


def features() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {layer: rng.normal(size=(N, width)).astype(np.float32) for layer, width in WIDTHS.items()}


def write(folder: Path, n: int = N, settings: dict = SETTINGS, **options) -> int:
    """Write all rows, or interrupt the writer after n; return the number of rows that it took over."""
    outputs = {layer: folder / f"{layer}.h5" for layer in WIDTHS}
    with FeatureWriter(outputs, WIDTHS, IDS, settings, **options) as writer:
        taken_over = writer.done
        for start in range(taken_over, n, BATCH):
            writer.append({layer: rows[start : start + BATCH] for layer, rows in features().items()})
        if n < N:
            raise InterruptedJobError
    return taken_over


def interrupt(folder: Path) -> None:
    with pytest.raises(InterruptedJobError):
        write(folder, 2 * BATCH)


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_stores_have_the_rows_and_nothing_else_is_left(tmp_path):
    write(tmp_path, trained_on=IDS[:2])
    assert all_bytes(tmp_path).keys() == {f"{layer}.h5" for layer in WIDTHS}
    for layer, rows in features().items():
        with store.reading(tmp_path / f"{layer}.h5") as file:
            assert np.array_equal(file["features"][:], rows)
            assert store.image_ids(file).tolist() == IDS
            assert store.attribute(file, "settings") == SETTINGS["settings"]
            assert store.trained_on(file).tolist() == [True, True, *[False] * (N - 2)]


def test_rows_after_the_last_image_are_padding(tmp_path):
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    with FeatureWriter({"a": tmp_path / "a.h5"}, {"a": 2}, IDS[:3], SETTINGS) as writer:
        writer.append({"a": values})
    with store.reading(tmp_path / "a.h5") as file:
        assert np.array_equal(file["features"][:], values[:3])


def test_an_interrupted_writer_goes_on_where_it_was(tmp_path):
    interrupt(tmp_path / "interrupted")
    assert not list((tmp_path / "interrupted").glob("*.h5"))
    assert (write(tmp_path / "interrupted"), write(tmp_path / "whole")) == (2 * BATCH, 0)
    assert all_bytes(tmp_path / "interrupted") == all_bytes(tmp_path / "whole")


def test_rows_torn_by_the_kill_are_written_again(tmp_path):
    interrupt(tmp_path / "torn")
    with open(tmp_path / "torn" / ".fire9_avg.h5.rows", "r+b") as stream:
        stream.seek(2 * BATCH * WIDTHS["fire9_avg"] * 4)
        stream.write(b"\xff" * 5000)
    assert (write(tmp_path / "torn"), write(tmp_path / "whole")) == (2 * BATCH, 0)
    assert all_bytes(tmp_path / "torn") == all_bytes(tmp_path / "whole")


@pytest.mark.parametrize("name", [".fire9_avg.h5.rows", ".features.0.h5.rows", ".fire9_avg.h5.progress"])
@pytest.mark.parametrize("kept", [0, 0.5, "a flipped bit"])
def test_a_damaged_file_of_a_killed_run_begins_anew(tmp_path, name, kept):
    interrupt(tmp_path / "damaged")
    path = tmp_path / "damaged" / name
    content = bytearray(path.read_bytes())
    if isinstance(kept, str):
        content[len(content) // 3] ^= 4
    else:
        del content[int(kept * len(content)) :]
    path.write_bytes(content)
    assert (write(tmp_path / "damaged"), write(tmp_path / "whole")) == (0, 0)
    assert all_bytes(tmp_path / "damaged") == all_bytes(tmp_path / "whole")


def test_rows_of_other_settings_are_not_taken_over(tmp_path):
    interrupt(tmp_path)
    assert write(tmp_path, settings={"settings": {"seed": 1}}) == 0


def test_features_that_are_no_numbers_are_one_line(tmp_path):
    with (
        pytest.raises(UserError, match=r"fire9_avg\.h5: the network gives .*NaN.* for image 0{15}2;"),
        FeatureWriter({"fire9_avg": tmp_path / "fire9_avg.h5"}, {"fire9_avg": 2}, IDS[:4], {}) as rows,
    ):
        rows.append({"fire9_avg": np.array([[1, 2], [3, 4], [5, np.nan], [7, 8]])})
