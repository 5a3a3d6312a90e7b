"""Faults of the machine: a process is killed, a folder changes while it is listed, a disk is read-only, or a person may
not read, has no home folder, or has another character set."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.faults.conftest import Disk
from workflow_scripts.errors import UserError
from workflow_scripts.intake import listing
from workflow_scripts.intake.listing import Entry, scan
from workflow_scripts.io import store
from workflow_scripts.io.files import replacing
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.io.tables import read_csv, read_parquet, write_csv, write_parquet
from workflow_scripts.runlog import job

NOBODY = 65534
"""The number of a user without any rights."""
TABLE = pd.DataFrame({"image_id": ["a"], "label": ["ä"]})


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


def _write_store(path: Path) -> None:
    with store.writing(path, {}) as file:
        store.put(file, "values", [1.0])


def _read_store(path: Path) -> None:
    with store.reading(path):
        pass


FORMATS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "store.h5": (_write_store, _read_store),
    "table.csv": (lambda path: write_csv(TABLE, str(path)), read_csv),
    "table.parquet": (lambda path: write_parquet(TABLE, str(path)), lambda path: read_parquet(str(path))),
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_input_that_has_gone_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        FORMATS[name][1](tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: it has gone since the run began; run again"


def test_another_missing_file_is_a_failure_of_the_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="an unexpected failure; the log has the details"), job(str(tmp_path / "log")):
        (tmp_path / "of the code").read_text()


def as_nobody(act: Callable[[], object]) -> str:
    """Return the message of the `UserError` of an action by a user without rights, in a process of its own."""
    if os.geteuid():
        pytest.skip("only root can act as another user")
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        said = ""
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            act()
        except UserError as error:
            said = str(error)
        except BaseException as error:
            said = f"unexpected: {error!r}"
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(process, 0)
    with os.fdopen(reader) as stream:
        return stream.read()


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A folder that every user can reach."""
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return tmp_path


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_user_who_may_not_read_or_write_is_one_line(name: str, open_path: Path) -> None:
    write, read = FORMATS[name]
    path = open_path / name
    write(path)
    path.chmod(0o600)
    assert as_nobody(lambda: read(path)) == f"{path}: permission denied; change its owner or its mode"
    said = as_nobody(lambda: write(open_path / f"new-{name}"))
    assert said.endswith(": permission denied; change its owner or its mode")
    assert said.startswith(f"{open_path}/")
    assert "\n" not in said


def test_a_folder_that_a_second_user_may_not_list_is_one_line(open_path: Path) -> None:
    (open_path / "secret").mkdir(mode=0o700)
    (open_path / "1.png").write_bytes(b"1")
    said = as_nobody(lambda: scan(open_path))
    assert said == f"data: {open_path}/secret cannot be listed (Permission denied); exclude it or change its mode"


def test_links_to_and_files_in_a_folder_that_a_second_user_may_not_enter(open_path: Path) -> None:
    (open_path / "images").mkdir()
    (open_path / "secret").mkdir()
    (open_path / "secret" / "1.png").write_bytes(b"1")
    (open_path / "images" / "link.png").symlink_to(open_path / "secret" / "1.png")
    (open_path / "secret").chmod(0o704)
    assert as_nobody(lambda: scan(open_path / "images")) == ""
    said = as_nobody(lambda: scan(open_path / "secret"))
    assert said == f"data: {open_path}/secret/1.png cannot be read (Permission denied); change its mode"


AWAY_FROM_HOME = """
import sys
from pathlib import Path
import matplotlib.pyplot as plt
from workflow_scripts.backbones.hub import checkpoints
from workflow_scripts.figures.saving import save
from workflow_scripts.runlog import job
from workflow_scripts.settings.figures import Style
folder = Path(sys.argv[1])
with job(str(folder / "job.log")):
    made, ax = plt.subplots()
    save(made, folder / "it.svg", folder / "it.png", Style().dump())
    checkpoints()
"""


def test_a_home_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(AWAY_FROM_HOME)
    environment = {**os.environ, "HOME": "/proc/none", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "it.svg").exists()


def test_a_home_folder_without_a_place_for_snakemakes_cache_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workflow_scripts.settings.check"]
    homeless = {key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"} | {"HOME": "/proc/none"}
    done = subprocess.run(command, env=homeless, capture_output=True, text=True, check=False)
    line = "Snakemake's cache cannot be written; set XDG_CACHE_HOME to a folder that can be"
    assert (done.returncode, done.stderr) == (1, f"Error: /proc/none/.cache/snakemake: {line}\n")
    subprocess.run(command, env=homeless | {"XDG_CACHE_HOME": str(tmp_path / "cache")}, check=True)


def test_names_that_are_no_utf_8_to_python_are_one_line(tmp_path: Path) -> None:
    foreign = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    (tmp_path / "it.yaml").write_text("data: bilder\nname: für_später\n", encoding="utf-8")
    command = [sys.executable, "-m", "workflow_scripts.settings.check", str(tmp_path / "it.yaml")]
    done = subprocess.run(command, env=os.environ | foreign, capture_output=True, text=True, check=False)
    line = "Error: locale: names of files are read as ascii, allowed: utf-8; set LC_ALL=C.UTF-8\n"
    assert (done.returncode, done.stderr) == (1, line)
