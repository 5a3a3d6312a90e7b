"""Time and memory of the jobs that grow faster than the number of images, beside what the plan says; prints Markdown.

`OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_large [points, 50000]`: ten groups of points of 50 numbers.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.jobs import CELL, run_job, write_data
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.decompositions import Decomposition

WIDTH = 50
CLUSTERERS: dict[str, dict[str, Any]] = {
    "linkage (Ward)": {"method": "linkage", "linkage": "ward", "k": 10},
    "linkage (average)": {"method": "linkage", "linkage": "average", "k": 10},
    "density_peaks": {"method": "density_peaks", "k": 10},
    "hdbscan": {"method": "hdbscan"},
    "kmeans": {"method": "kmeans", "k": 10, "n_init": 10, "repeats": 5},
}


def measured(job: Callable[[], None]) -> tuple[float, float, float]:
    """Return seconds, processor seconds and the highest resident memory (GB) of a job in a process of its own."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            job()
            status = 0
        finally:
            os._exit(status)  # so that the child never removes the folder of its parent
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


def jobs(n: int, folder: str) -> Iterator[tuple[str, Callable[[], None], Clusterer | Decomposition | None]]:
    """Yield the name of each job, the job, and its settings; none for the scores."""
    data = write_data(folder, n, WIDTH)
    run = partial(run_job, folder=folder)
    for name, settings in CLUSTERERS.items():
        model = Clusterer.registry[settings["method"]](**settings)
        params = {"clusterer": model.dump(), "n_components": None, "whiten": False}
        output = {"out": f"{folder}/{name}.h5"}
        job = partial(run, "cluster", {"points": data["points"]}, output, params)
        yield name, job, model
    scores = {"scores": f"{folder}/scores", "classes": f"{folder}/classes"}
    files = {**data, "clusters": f"{folder}/kmeans.h5"}
    yield "scores of k-means", partial(run, "score", files, scores, {"cell": CELL}), None
    pca = {"out": f"{folder}/pca.h5"}
    run("decompose", {"source": data["features"]}, pca, {"decomposition": Decomposition.registry["pca"]().dump()})
    for name in ("tsne", "umap"):
        plane = Decomposition.registry[name].model_validate({"of": "pca", "n_components": WIDTH})
        output, params = {"out": f"{folder}/{name}.h5"}, {"decomposition": plane.dump()}
        job = partial(run, "decompose", {"source": pca["out"]}, output, params)
        yield name, job, plane


def main(n: int) -> None:
    """Measure and print. The plan's memory is that of the data, without the libraries."""
    print(f"| {n} points of {WIDTH} numbers | seconds | of the processor | the plan's | GB | the plan's |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, job, settings in jobs(n, folder):
            wall, busy, peak = measured(job)
            seconds = f"{settings.seconds(n, WIDTH):.0f}" if settings else ""
            memory = f"{settings.memory(n, WIDTH) / 1e9:.2f}" if settings else ""
            print(f"| {name} | {wall:.0f} | {busy:.0f} | {seconds} | {peak:.2f} | {memory} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
