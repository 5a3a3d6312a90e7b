"""Processor seconds of a small cell, clustering and scores, starts included, as a ratio to a bare start.

    python -m tests.benchmarks.bench_starts

The peer is `python -c "import numpy, h5py"`: whatever reads a store pays that much.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.interval import with_interval
from tests.jobs import CELL, GROUPS, write_data
from workflow_scripts.settings.clusterers.kmeans import KMeans

N, WIDTH, TIMES = 347, 20, 5
KMEANS = KMeans(k=[GROUPS], n_init=500, repeats=10)
PEER = "import numpy, h5py"
JOB = "import snakemake.script; from tests.jobs import run_job; run_job(*{})"


def processor_seconds(code: str) -> float:
    """Return the processor time of `code` in a process of its own, with one thread."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    before = os.times()
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **one_thread}, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


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
        codes = {"a bare start": PEER, **jobs_of_a_cell(folder)}
        rounds = [{name: processor_seconds(code) for name, code in codes.items()} for _ in range(TIMES)]
    for seconds in rounds:
        seconds["the cell"] = seconds["clustering"] + seconds["scores"]
    print(f"a cell of {N} images, processor seconds and ratio to `{PEER}`:")
    for name in rounds[0]:
        ratios = (seconds[name] / seconds["a bare start"] for seconds in rounds)
        print(f"  {name:<13}{min(seconds[name] for seconds in rounds):6.2f}  {with_interval(ratios)}")


if __name__ == "__main__":
    main()
