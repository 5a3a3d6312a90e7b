"""How many scales are read right, missed or wrong, by the maker's look and by reason; time per image.

Reads the real micrographs where they are, then draws others with known scales over scikit-image's photographs and,
where they are, the NEU steel images, and prints Markdown tables.
Run: python -m tests.benchmarks.bench_scale_bars [number of micrographs] [seed]
"""

import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import pandas as pd

from tests.micrographs import judged, judged_real, write_micrographs
from tests.workflow import ROOT
from workflow_scripts.intake.scale_bars.read import read_scale
from workflow_scripts.intake.scale_bars.table import read_scales

SHARED = Path(os.environ.get("CLUSTERGRID_SHARED", ROOT.parent / "shared"))
OUTCOMES = ("right", "missed", "wrong")
WORKERS = 2


def main(count: int = 1000, seed: int = 2026) -> None:
    if (SHARED / "data" / "micrographs").exists():
        real(SHARED / "data" / "micrographs")
    drawn(count, seed)


def real(folder: Path) -> None:
    """Print the outcome of each look of the real micrographs, and the time each image takes in one process."""
    truths = pd.read_csv(folder / "truth.csv")
    start = perf_counter()
    readings = pd.DataFrame([vars(read_scale(folder / file)) for file in truths["file"]])
    seconds = perf_counter() - start
    outcomes = truths.assign(outcome=judged_real(readings, truths))
    off = 100 * (readings["nm_per_pixel"] / truths["nm_per_pixel"] - 1).abs()
    by_look = pd.crosstab(outcomes["look"], outcomes["outcome"], margins=True, margins_name="all")
    table = by_look.reindex(columns=[*OUTCOMES, "all"], fill_value=0)
    table["pixel size off by, %, at most"] = off.groupby(outcomes["look"]).max().round(2)
    print(_markdown(table.fillna("")))
    print(f"{1e3 * seconds / len(truths):.0f} ms an image, one process; pixel size off by {off.max():.2f} % at most\n")


def drawn(count: int, seed: int) -> None:
    """Print the outcome of each look of drawn micrographs, why the others were missed, and the time each takes."""
    photographs = sorted((SHARED / "data" / "neu").rglob("*.bmp")) + sorted((SHARED / "data" / "neu").rglob("*.jpg"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truths = write_micrographs(folder, count, photographs=photographs, seed=seed)
        images = truths.reset_index().rename(columns={"index": "image_id", "file": "path"})[["image_id", "path"]]
        start, processor = perf_counter(), sum(os.times()[2:4])
        readings = read_scales(images, folder, workers=WORKERS)
        seconds, processor = perf_counter() - start, sum(os.times()[2:4]) - processor
    outcomes = truths.assign(outcome=judged(readings, truths), reason_read=readings["reason"])
    by_look = pd.crosstab(outcomes["look"], outcomes["outcome"], margins=True, margins_name="all")
    print(f"{len(photographs)} photographs besides scikit-image's\n")
    print(_markdown(by_look.reindex(columns=[*OUTCOMES, "all"], fill_value=0)))
    not_right = outcomes[outcomes["outcome"] != "right"]
    print(_markdown(pd.crosstab(not_right["look"], [not_right["outcome"], not_right["reason_read"]])))
    wall, busy = 1e3 * seconds / count, 1e3 * processor / count
    print(f"{wall:.0f} ms a picture, {busy:.0f} ms of processor time; {WORKERS} workers")


def _markdown(table: pd.DataFrame) -> str:
    headings = [", ".join(name) if isinstance(name, tuple) else name for name in table]
    rows = [headings, ["---:"] * len(headings), *table.astype(str).to_numpy().tolist()]
    names = ["look", "---", *table.index]
    return "\n".join("| " + " | ".join([name, *row]) + " |" for name, row in zip(names, rows, strict=True)) + "\n"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
