"""The report: written whenever it is due, or one line says why not; tried on a workflow of one figure."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.planning import report

ROOT = Path(__file__).parent.parent.parent.parent
SNAKEFILE = """
from types import SimpleNamespace
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.planning import ending, report as reports
from workflow_scripts.planning.snakemake_internals import Run

FIGURE = "results/toy/figures/study/a.svg"
reports.ONE_FILE = int(config["one_file"])


class OneFigure(Layout):
    def reported(self, grid):
        return {FIGURE}


grid = SimpleNamespace(all_cells=[], backbones=[])
sizes = SimpleNamespace(layout=OneFigure("toy"), grid=grid, settings=SimpleNamespace(studies={}))
ending.print_at_the_end(Run(workflow), sizes)


rule all:
    input: FIGURE


rule figure:
    input: "results/toy/table"
    output: report(FIGURE, category="study", labels={"figure": "a"})
    shell: "echo '<svg xmlns=\\"http://www.w3.org/2000/svg\\"/>' > {output}"


rule table:
    output: "results/toy/table"
    shell: "touch {output}"
"""


def _run(folder, *arguments):
    """Return the line about the report at the end of a run that was started beside the results folder."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", "../project/Snakefile", *arguments]
    command += ["--directory", "../work", "--configfile", "study.yaml"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=folder / "here", env=environment, capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("Report: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_it_is_written_whenever_it_is_due(tmp_path):
    for folder in ("project", "here"):
        (tmp_path / folder).mkdir()
    (tmp_path / "project" / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "here" / "study.yaml").write_text("one_file: 1000000")
    results = tmp_path / "work" / "results" / "toy"

    assert _run(tmp_path, "--until", "table") == "Report: none, a run without --until writes it"
    assert _run(tmp_path) == "Report: results/toy/report.html"
    assert "a.svg" in (results / "report.html").read_text()

    # Deleted, with what a kill in the middle leaves; large now, so as a zip.
    (results / ".report").mkdir()
    (results / "report.html").rename(results / ".report" / "report.html")
    (tmp_path / "here" / "study.yaml").write_text("one_file: 1")
    assert _run(tmp_path).startswith("Report: results/toy/report.zip (unpack it")
    names = zipfile.ZipFile(results / "report.zip").namelist()
    assert "report/report.html" in names
    assert any(name.endswith("a.svg") for name in names)


def _bring(tmp_path, monkeypatch, shown=("a.svg",), does=lambda path: path.write_text("report"), **run):
    """Return the line about the report, and whether it was written, if Snakemake calls `does` with its path."""
    monkeypatch.chdir(tmp_path)
    layout = Layout("toy")
    Path(layout.root).mkdir(parents=True, exist_ok=True)
    files = [f"{layout.root}/{name}" for name in shown]
    for path in filter(lambda path: not path.exists(), map(Path, files)):
        path.touch()
    monkeypatch.setattr(Layout, "reported", lambda layout, grid: set(files))
    written = []

    def snakemake(command, **options):
        path = Path(command[command.index("--report") + 1])
        written.append(path.name)
        does(path)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(report, "subprocess", SimpleNamespace(run=snakemake))
    state = {"is_own": True, "makes_everything": True, "leaves_out": None, "is_finished": True} | run
    lines = report.bring_up_to_date(SimpleNamespace(**state), layout, None, str(tmp_path))
    return lines, written


def test_it_is_left_alone_until_a_figure_is_newer_or_another_one(tmp_path, monkeypatch):
    there = ["Report: results/toy/report.html"]
    assert _bring(tmp_path, monkeypatch) == (there, ["report.html"])
    assert _bring(tmp_path, monkeypatch) == (there, [])
    later = os.stat("results/toy/report.html").st_mtime + 10
    os.utime("results/toy/a.svg", (later, later))
    assert _bring(tmp_path, monkeypatch) == (there, ["report.html"])
    os.utime("results/toy/a.svg", (0, 0))
    assert _bring(tmp_path, monkeypatch, shown=("a.svg", "b.svg")) == (there, ["report.html"])


def test_an_old_one_is_said_to_be_old(tmp_path, monkeypatch):
    _bring(tmp_path, monkeypatch)
    for run, why in (
        ({"makes_everything": False}, "a run without targets writes it"),
        ({"leaves_out": "--batch"}, "a run without --batch writes it"),
        ({"is_finished": False}, "it is written when all jobs have ended well"),
    ):
        lines, written = _bring(tmp_path, monkeypatch, shown=("a.svg", "b.svg"), **run)
        assert lines == [f"Report: results/toy/report.html, older than the results: {why}"]
        assert not written


def test_one_form_takes_the_place_of_the_other(tmp_path, monkeypatch):
    _bring(tmp_path, monkeypatch)
    monkeypatch.setattr(report, "ONE_FILE", -1)
    _bring(tmp_path, monkeypatch, shown=("a.svg", "b.svg"))
    assert [path.name for path in Path("results/toy").glob("report.*")] == ["report.zip"]


def test_a_module_of_another_workflow_writes_none_nor_one_whose_user_asks_snakemake_for_it(tmp_path, monkeypatch):
    assert _bring(tmp_path, monkeypatch, is_own=False) == ([], [])
    monkeypatch.setattr(sys, "argv", ["snakemake", "--report", "mine.html", "--report-after-run"])
    assert _bring(tmp_path, monkeypatch) == ([], [])


def _interrupt(path):
    path.write_text("half")
    raise KeyboardInterrupt


def _full(path):
    raise OSError(28, "No space left on device", "report.html")


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (_interrupt, "it was interrupted"),
        (_full, "report.html: No space left on device"),
        (lambda path: None, "Snakemake wrote none (results/toy/logs/report.log)"),
    ],
)
def test_what_keeps_it_from_being_written_is_one_line_and_leaves_nothing_half(tmp_path, monkeypatch, does, why):
    assert _bring(tmp_path, monkeypatch, does=does)[0] == [f"Report: none, {why}"]
    assert {path.name for path in Path("results/toy").iterdir()} == {"a.svg", "logs"}
    assert _bring(tmp_path, monkeypatch)[0] == ["Report: results/toy/report.html"]
