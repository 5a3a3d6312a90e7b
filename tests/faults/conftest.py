"""Fixtures of the fault tests: a small disk to fill, and the check that a message is one line."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the number of faults of each kind that ended as they should."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        counts[f"tests of {Path(report.fspath).stem.removeprefix('test_')}"] += 1
        counts.update(dict(report.user_properties))
    terminalreporter.write_line("Passed: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@dataclass(frozen=True)
class Disk:
    """A small file system, with a file that occupies the space that the test does not allow to be used."""

    folder: Path

    def leave(self, n_bytes: int) -> None:
        """Occupy the disk except for `n_bytes`, also while a run writes to it."""
        ballast = self.folder / "ballast"
        ballast.unlink(missing_ok=True)
        with open(ballast, "wb") as stream:
            while (taken := shutil.disk_usage(self.folder).free - n_bytes) > 0:
                with suppress(OSError):  # the run took a part of it in between
                    os.posix_fallocate(stream.fileno(), 0, taken)
                    return

    def remount(self, mode: str) -> None:
        """Make the disk read-only (`ro`) or writable (`rw`)."""
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """An empty disk of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)
