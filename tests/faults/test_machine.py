"""Faults of the machine: a process is killed, a folder changes while it is listed, a disk is read-only."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.conftest import Disk
from workflow_scripts.errors import UserError
from workflow_scripts.intake import listing
from workflow_scripts.intake.listing import Entry, scan
from workflow_scripts.io.files import replacing
from workflow_scripts.io.parallel import ordered_map


def _dies(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_process_that_the_system_kills_is_one_line() -> None:
    with pytest.raises(UserError, match="a process was killed by the system, most likely for lack of memory"):
        list(ordered_map(_dies, range(10), 2))


def test_a_folder_that_changes_while_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"1")
    (tmp_path / "z.png").write_bytes(b"1")
    real = os.scandir

    def scandir(folder: str) -> list[os.DirEntry[str]]:
        items = sorted(real(folder), key=lambda item: item.name)
        if Path(folder).name == "a":
            (tmp_path / "a" / "1.png").unlink()
            (tmp_path / "b" / "1.png").unlink()
            (tmp_path / "b").rmdir()
        return items

    monkeypatch.setattr(listing.os, "scandir", scandir)
    assert [entry.path for entry in scan(tmp_path) if entry.size] == ["c/1.png", "z.png"]
    assert all(isinstance(entry, Entry) for entry in scan(tmp_path))


def test_a_read_only_disk_is_one_line(disk: Disk) -> None:
    disk.remount("ro")
    with (
        pytest.raises(UserError, match="results: the file system is read-only; make it writable"),
        replacing(disk.folder / "results" / "table.csv") as temporary,
    ):
        temporary.write_text("x")


def test_a_name_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="the name is too long for the file system; choose a shorter one"),
        replacing(tmp_path / ("x" * 300)) as temporary,
    ):
        temporary.write_text("x")
