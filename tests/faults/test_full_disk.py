"""A disk that becomes full at any moment: one line with the path, no incomplete file, and with space the same bytes."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from tests.faults.conftest import Disk
from tests.faults.stripes import write_images
from tests.stores import KINDS
from tests.workflow import Project
from workflow_scripts.errors import UserError
from workflow_scripts.figures.saving import save
from workflow_scripts.intake.embedded import write_embedded
from workflow_scripts.intake.facts import remembering
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.scale_bars.read import Reading
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.tables import write_csv, write_parquet
from workflow_scripts.models.saved import SavedModel, save_model
from workflow_scripts.settings.figures import Style

NUMBERS = pd.DataFrame(np.random.default_rng(0).random((500, 20))).rename(columns=str)
SHARES = (0, 0.2, 0.5, 0.8, 0.97)
"""Available space, as a share of the space that is needed."""


def _figure(folder: Path) -> None:
    made, ax = plt.subplots()
    ax.imshow(NUMBERS, aspect="auto")
    save(made, folder / "figure.svg", folder / "figure.png", Style().dump())
    plt.close(made)


def _facts(folder: Path) -> None:
    entry = Entry("a.png", 1, 1)
    with remembering(folder / "facts", "m", [entry], Reading) as memory:
        for _ in range(100):
            memory.add(entry, Reading(*["x" * 100] * len(Reading.__dataclass_fields__)))


def _checkpoint(folder: Path) -> None:
    Checkpoint(folder / "checkpoint", "m").finish("it", {"weights": torch.ones(300, 100)})


def _model(folder: Path) -> None:
    model = SavedModel({"a": 1}, {"centers": NUMBERS.to_numpy(np.float32)})
    save_model(model, str(folder / "model.json"), str(folder / "model.safetensors"))


WRITERS: dict[str, Callable[[Path], object]] = {
    **KINDS,
    "parquet": lambda folder: write_parquet(NUMBERS, str(folder / "table.parquet")),
    "csv": lambda folder: write_csv(NUMBERS, str(folder / "table.csv")),
    "figure": _figure,
    "facts": _facts,
    "checkpoint": _checkpoint,
    "model": _model,
    "embedded": lambda folder: write_embedded(folder / "images"),
}
ENDINGS = (".h5", ".parquet", ".csv", ".svg", ".png", ".safetensors", ".json", "facts", "checkpoint")


def _results(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name.endswith(ENDINGS)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_one_line_and_room_heals_it(
    kind: str, disk: Disk, tmp_path: Path, capfd, record_property: Callable[[str, object], None]
) -> None:
    write, elsewhere, folder = WRITERS[kind], tmp_path / "elsewhere", disk.folder / kind
    elsewhere.mkdir()
    folder.mkdir()
    write(elsewhere)
    write(folder)
    whole = _results(elsewhere)
    lines: list[str] = []
    for share in SHARES:
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".h5" or (kind not in KINDS and path.is_file()):
                path.unlink()
        disk.leave(int(share * sum(map(len, whole.values()))))
        try:
            write(folder)
        except UserError as error:
            lines.append(str(error))
        else:
            assert _results(folder) == whole
        assert not list(folder.rglob("*.part"))
    assert lines
    assert all(line.startswith(f"{folder}/") for line in lines)
    assert all(line.endswith("no space left; make room and run again") and "\n" not in line for line in lines)
    disk.leave(12 << 20)
    write(folder)
    assert _results(folder) == whole or kind == "facts"  # a file of facts keeps the facts of an interrupted job
    assert "Traceback" not in "".join(capfd.readouterr())
    record_property("full disks", len(lines))


STUDY = """
data: images
name: mini
preprocess:
  plain: [grey, resize: {size: [64, 64]}]
backbones:
  hog: {descriptor: hog}
clusterers:
  kmeans: {method: kmeans, k: [2], n_init: 5, repeats: 2}
baseline: {preprocess: plain, backbone: hog, layer: features, n_components: 4, whiten: false, clusterer: kmeans}
studies:
  main: {}
"""


def test_a_run_on_a_full_or_read_only_disk_is_one_line_and_ends_well_with_room(disk: Disk, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "project")
    write_images(project.folder / "images")
    (project.folder / "config" / "config.yaml").write_text(STUDY)
    (project.folder / "results").symlink_to(disk.folder)

    disk.remount("ro")
    said = project.snakemake("--cores", "1").stderr
    assert f"Error: {disk.folder}: the folder cannot be written; make it writable, or work in another folder" in said
    disk.remount("rw")
    disk.leave(100_000)
    assert "Error: disk of results/mini: " in project.snakemake("--cores", "1").stderr

    disk.leave(12 << 20)
    command, environment = project.command("--cores", "1"), project.environment()
    with subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and not (disk.folder / "mini" / "images.csv").exists():
            time.sleep(0.02)
        disk.leave(0)
        said = running.communicate()[1]
    assert running.returncode == 1
    assert "no space left; make room and run again" in said
    assert "Traceback" not in said
    assert "unexpected" not in said

    disk.leave(12 << 20)
    project.run(cores=1)
    assert (disk.folder / "mini" / "tables" / "main.parquet").exists()
