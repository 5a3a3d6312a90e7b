"""Runs of the workflow as by a user: the project is copied to a folder, and Snakemake is called there."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent
PARTS = ("Snakefile", "workflow", "rules", "config", "profiles", "envs", "workflow_scripts")


@dataclass(frozen=True)
class Project:
    """A copy of the project that tests may change."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> Self:
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / part)
        return cls(folder)

    @classmethod
    def of_steel(cls, folder: Path, images: Path) -> Self:
        """Return a copy with a folder `steel` of every tenth image of each class of the steel images."""
        project = cls.new(folder)
        (project.folder / "steel").mkdir()
        for image in sorted(images.glob("*0.jpg")):
            shutil.copy2(image, project.folder / "steel")
        return project

    def copy(self, folder: Path) -> Self:
        """Return another copy with all results and Snakemake's metadata; times of files are kept."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return type(self)(folder)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments]

    def environment(self) -> dict[str, str]:
        # Users' PYTHONPATH and pytest's own settings have no business in the project's copy.
        return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments: str, cores: int = 2) -> str:
        """Run Snakemake and return its output; fail with this output if Snakemake fails."""
        done = self.snakemake("--cores", str(cores), *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def jobs(self, *arguments: str) -> Counter[str]:
        """Return how many jobs of each rule would run."""
        return planned_jobs(self.snakemake("-n", *arguments))

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} does not hold {old!r}"
        path.write_text(text.replace(old, new))


def planned_jobs(dry_run: subprocess.CompletedProcess[str]) -> Counter[str]:
    """Return how many jobs of each rule a dry run planned; fail with its output if it failed."""
    assert dry_run.returncode == 0, dry_run.stderr[-6000:]
    table = (dry_run.stdout + dry_run.stderr).rpartition("Job stats:")[2].partition("\n\n")[0]
    found = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
    return Counter({rule: int(count) for rule, count in found if rule != "total"})
