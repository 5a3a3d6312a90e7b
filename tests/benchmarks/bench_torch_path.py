"""How many times longer a restart of k-means takes without a compiled kernel: the torch path against the kernel.

    python -m tests.benchmarks.bench_torch_path [--features FILE.npz --array NAME] [--rounds 5]

Processor time of one thread, including what both compute once for all restarts; the two take turns. The data are those
of `bench_kmeans`.
"""

import argparse
import os
import time

import numpy as np

from tests.benchmarks import bench_kmeans
from tests.benchmarks.bench_kmeans import Workload, points
from tests.benchmarks.interval import with_interval
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.kmeans_kernels import VARIABLE, kernels

WORKLOADS = (
    Workload(347, 20, 12, False, 0, 2000, 0),
    *(each for each in bench_kmeans.WORKLOADS if each.d == 50 and each.k in (7, 10)),
)


def seconds(X: np.ndarray, k: int, restarts: int, seed: int, path: str) -> float:
    """Return the processor time of `restarts` restarts on a path."""
    os.environ[VARIABLE] = path
    start = time.process_time()
    run_restarts(X, k, restarts, seed)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--features", help="an .npz of image features")
    parser.add_argument("--array", help="which array of the file")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    kernel = next(iter(kernels()))
    print(f"| workload | {kernel}, ms a restart | torch, ms | times as long |\n|---|---:|---:|---:|")
    for workload in WORKLOADS:
        X = points(workload, options.features, options.array)
        seconds(X, workload.k, 1, 0, "torch")  # the first call imports torch
        used: dict[str, list[float]] = {kernel: [], "torch": []}
        for seed in range(options.rounds):
            for path, of_path in used.items():
                of_path.append(seconds(X, workload.k, workload.ours, seed, path))
        ratios = with_interval(torch / compiled for compiled, torch in zip(*used.values(), strict=True))
        of_kernel, of_torch = (1e3 * min(of_path) / workload.ours for of_path in used.values())
        print(f"| {workload.name} | {of_kernel:.3g} | {of_torch:.3g} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
