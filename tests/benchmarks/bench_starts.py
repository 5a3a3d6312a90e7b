"""Processor seconds of a small cell, clustering and scores, starts included, as a ratio to a bare start.

    python -m tests.benchmarks.bench_starts

The peer is `python -c "import numpy, h5py"`: whatever reads a store pays that much.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.jobs import CELL, GROUPS, write_data
from workflow_scripts.settings.clusterers import KMeans

N, WIDTH, TIMES = 347, 20, 5
KMEANS = KMeans(k=[GROUPS], n_init=500, repeats=10)
PEER = "import numpy, h5py"
JOB = "import snakemake.script; from tests.jobs import run_job; run_job(*{})"


def processor_seconds(code: str, times: int = TIMES) -> float:
    """Return the least processor time of some runs of `code` in a process of its own, with one thread."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    seconds = []
    for _ in range(times):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **one_thread}, check=True)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(seconds)


def jobs_of_a_cell(folder: str) -> dict[str, str]:
    """Return the code that runs each job of a cell, whose files are in `folder`."""
    files = write_data(folder, N, WIDTH)
    files["clusters"] = str(Path(folder) / "clusters.h5")
    scores = {name: str(Path(folder) / f"{name}.parquet") for name in ("scores", "classes")}
    settings = {"clusterer": KMEANS.dump(), "n_components": None, "whiten": False}
    return {
        "clustering": JOB.format(("cluster", files, {"clusters": files["clusters"]}, settings, folder)),
        "scores": JOB.format(("score", files, scores, {"cell": CELL}, folder)),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = {"a bare start": processor_seconds(PEER)}
        seconds |= {name: processor_seconds(code) for name, code in jobs_of_a_cell(folder).items()}
    seconds["the cell"] = seconds["clustering"] + seconds["scores"]
    print(f"a cell of {N} images, processor seconds and ratio to `{PEER}`:")
    for name, value in seconds.items():
        print(f"  {name:<13}{value:6.2f}{value / seconds['a bare start']:6.1f}x")


if __name__ == "__main__":
    main()
