"""Saved figures have the same bytes every time."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import figure_artefacts
from figure_artefacts import KINDS, MEASURED, STYLE

from workflow_scripts.figures.saving import save

ROOT = Path(__file__).parents[3]


def test_the_same_bytes_in_every_process_and_under_any_matplotlibrc(tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nlines.linewidth: 9\nsvg.fonttype: none\n")
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    figure_artefacts.main(here)
    other = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path)}
    subprocess.run([sys.executable, figure_artefacts.__file__, elsewhere], env=other, check=True)
    assert drawn_bytes(here) == drawn_bytes(elsewhere)


def drawn_bytes(folder):
    paths = [folder / f"{kind}.{suffix}" for kind in KINDS if kind not in MEASURED for suffix in ("svg", "png")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_another_title_makes_other_bytes(tmp_path, drawn):
    digests = set()
    for title in ("one", "two"):
        save(drawn("confusion", title=title), tmp_path / "f.svg", tmp_path / "f.png", STYLE)
        digests |= {(tmp_path / name).read_bytes() for name in ("f.svg", "f.png")}
    assert len(digests) == 4


def test_svg_needs_no_fonts_and_has_no_date(tmp_path, drawn):
    save(drawn("confusion"), tmp_path / "f.svg", tmp_path / "f.png", STYLE)
    svg = (tmp_path / "f.svg").read_text()
    assert "<text" not in svg
    assert "dc:date" not in svg
    assert sorted(path.name for path in tmp_path.glob(".*")) == []
