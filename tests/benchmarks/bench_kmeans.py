"""Restarts per second of `run_restarts` against scikit-learn, scikit-learn-intelex and faiss; prints Markdown tables.

    python -m tests.benchmarks.bench_kmeans [--features FILE.npz --array NAME] [--rounds 5] [--only TEXT] [--cpu-time]

All methods take turns within a round, so that whatever else the machine does hits them alike; a table shows medians
over the rounds, and ratios are taken round by round, with the least and the largest. Two threads:
`run_restarts(n_threads=2)` against two processes of one thread each, which is the best that the others can do on data
this small. Every peer runs to convergence (tol=0) on float32; faiss, which knows no convergence and no k-means++,
runs our mean number of iterations from random points.
With --cpu-time, for a machine that others use, too, seconds are those of the processor, divided by the threads.
The data are PCA features of the given array (rows are images), and of crops of scikit-image's photographs where there
is none or where it is too small or narrow.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import skimage.data
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from tests.benchmarks.interval import with_interval
from workflow_scripts.clusterers.kmeans import run_restarts

PHOTOGRAPHS = ("brick", "grass", "gravel", "moon", "coins", "page", "text", "clock", "camera")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Workload:
    """Points, k, and how many restarts each side runs in a round."""

    n: int
    d: int
    k: int
    whiten: bool
    goal: float
    ours: int
    theirs: int

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return f"{self.n} x {self.d}, k {self.k}, {'whitened' if self.whiten else 'not whitened'}"


WORKLOADS = (
    Workload(1800, 50, 7, True, 15, 1000, 40),
    Workload(1800, 50, 7, False, 15, 2000, 60),
    Workload(1800, 10, 7, True, 18, 4000, 60),
    Workload(1800, 10, 7, False, 18, 4000, 60),
    Workload(1800, 50, 20, True, 12, 600, 20),
    Workload(1800, 50, 20, False, 12, 800, 20),
    Workload(1800, 1000, 7, True, 120, 1500, 10),
    Workload(1800, 1000, 7, False, 70, 800, 10),
    Workload(20_000, 50, 10, True, 6, 24, 4),
    Workload(20_000, 50, 10, False, 6, 24, 4),
    Workload(52_000, 50, 20, True, 5, 8, 3),
    Workload(52_000, 50, 20, False, 5, 8, 3),
)


# ---------------------------------------------------------------- data


def crops(count: int, size: int) -> np.ndarray:
    """Random square crops of photographs as rows of pixels, (count, size^2) float32."""
    rng = np.random.default_rng(0)
    photographs = [getattr(skimage.data, name)().astype(np.float32) for name in PHOTOGRAPHS]
    out = np.empty((count, size * size), np.float32)
    for row in out:
        picture = photographs[rng.integers(len(photographs))]
        top, left = (rng.integers(extent - size + 1) for extent in picture.shape)
        row[:] = picture[top : top + size, left : left + size].ravel()
    return out


@cache
def components(n: int, d: int, features: str | None, array: str | None) -> np.ndarray:
    """The leading principal components, (n, d), of the given features where these suffice, else of crops."""
    raw = np.load(features)[array] if features else np.empty((0, 0))
    if len(raw) < n or raw.shape[1] < d:
        raw = crops(n, 40 if d > 50 else 16)
    return PCA(d, svd_solver="covariance_eigh", random_state=0).fit_transform(raw[:n].astype(np.float64))


def points(workload: Workload, features: str | None, array: str | None) -> np.ndarray:
    """The workload's points, (n, d) float32."""
    X = components(workload.n, workload.d, features, array)
    return (X / X.std(axis=0) if workload.whiten else X).astype(np.float32)


# ---------------------------------------------------------------- peers: run `restarts` restarts on one thread


def sklearn_n_init(X: np.ndarray, k: int, restarts: int, seed: int, iterations: int, algorithm: str = "lloyd") -> None:
    KMeans(k, n_init=restarts, tol=0, random_state=seed, algorithm=algorithm).fit(X)


def sklearn_elkan(X: np.ndarray, k: int, restarts: int, seed: int, iterations: int) -> None:
    sklearn_n_init(X, k, restarts, seed, iterations, "elkan")


def sklearn_loop(X: np.ndarray, k: int, restarts: int, seed: int, iterations: int) -> None:
    for r in range(restarts):
        KMeans(k, n_init=1, tol=0, random_state=seed * 10_000 + r).fit(X)


def intelex(X: np.ndarray, k: int, restarts: int, seed: int, iterations: int) -> None:
    from sklearnex.cluster import KMeans as IntelKMeans

    IntelKMeans(k, n_init=restarts, tol=0, random_state=seed).fit(X)


def faiss_nredo(X: np.ndarray, k: int, restarts: int, seed: int, iterations: int) -> None:
    import faiss

    faiss.omp_set_num_threads(1)
    faiss.Kmeans(X.shape[1], k, niter=iterations, nredo=restarts, seed=seed, max_points_per_centroid=len(X)).train(X)


Peer = Callable[[np.ndarray, int, int, int, int], None]
PEERS: dict[str, Peer] = {
    "scikit-learn n_init": sklearn_n_init,
    "scikit-learn loop": sklearn_loop,
    "scikit-learn elkan": sklearn_elkan,
} | {
    name: peer
    for name, module, peer in (("intelex", "sklearnex", intelex), ("faiss", "faiss", faiss_nredo))
    if importlib.util.find_spec(module)
}

_held: dict[str, np.ndarray] = {}


def hold(X: np.ndarray) -> None:
    """Keep the points in a worker process; `fork` is not safe beside BLAS threads."""
    threadpool_limits(1)
    _held["X"] = X


def run_held(name: str, k: int, restarts: int, seed: int, iterations: int) -> float:
    """Processor seconds of a peer's run."""
    return seconds(lambda: PEERS[name](_held["X"], k, restarts, seed, iterations), time.process_time)


# ---------------------------------------------------------------- measuring


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    call()
    return clock() - start


def rates(
    workload: Workload, X: np.ndarray, threads: int, rounds: int, cpu_time: bool
) -> tuple[dict[str, np.ndarray], float]:
    """Restarts per second of every method in every round, and our mean number of iterations."""
    iterations = run_restarts(X, workload.k, workload.ours, 0, n_threads=threads).n_iter.mean()
    share = -(-workload.theirs // threads)
    measured: dict[str, list[float]] = {name: [] for name in ["ours", *PEERS]}
    with ProcessPoolExecutor(threads, get_context("spawn"), initializer=hold, initargs=(X,)) as pool:

        def peer_seconds(name: str, restarts: int, seed: int) -> float:
            arguments = [(name, workload.k, restarts, seed * threads + t, round(iterations)) for t in range(threads)]
            start = time.perf_counter()
            used = [done.result() for done in [pool.submit(run_held, *a) for a in arguments]]
            return sum(used) / threads if cpu_time else time.perf_counter() - start

        def our_seconds(seed: int) -> float:
            def run() -> None:
                run_restarts(X, workload.k, workload.ours, seed, n_threads=threads)

            return seconds(run, time.process_time) / threads if cpu_time else seconds(run)

        for name in PEERS:
            peer_seconds(name, 1, 0)  # imports and first calls
        for seed in range(rounds):
            measured["ours"].append(workload.ours / our_seconds(seed))
            for name in PEERS:
                measured[name].append(share * threads / peer_seconds(name, share, seed))
    return {name: np.array(values) for name, values in measured.items()}, iterations


def measured_peak() -> float:
    """Single-precision operations per processor second of one thread, by the matrix product of the BLAS."""
    A = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    with threadpool_limits(1):
        return 2 * 1024**3 / min(seconds(lambda: A @ A, time.process_time) for _ in range(20))


def peak_memory(X: np.ndarray, k: int, restarts: int) -> float:
    """MiB by which a fresh process grows in `run_restarts` (Linux)."""
    code = (
        "import re, sys, numpy as np; from workflow_scripts.clusterers.kmeans import run_restarts\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024\n"
        "X = np.load(sys.argv[1]); run_restarts(X[:100], 2, 1, 0); before = peak()\n"
        "run_restarts(X, int(sys.argv[2]), int(sys.argv[3]), 0); print(peak() - before)"
    )
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, X)
        command = [sys.executable, "-c", code, file.name, str(k), str(restarts)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def compile_time() -> float:
    """Seconds to build the kernels, which installation does once."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "setup.py", "-q", "build_ext", "-b", folder, "-t", folder]
        return seconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--features", default=os.environ.get("CLUSTERGRID_FEATURES"), help="an .npz of image features")
    parser.add_argument("--array", help="which array of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="workloads whose name holds this")
    parser.add_argument("--cpu-time", action="store_true", help="count processor time instead of wall time")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    source = [options.features, options.array]
    workloads = [workload for workload in WORKLOADS if options.only in workload.name]
    peak = measured_peak()
    print(f"Single-precision peak of one thread, by matrix product: {peak / 1e9:.0f} GFLOP/s; ", end="")
    print(f"the kernels compile in {compile_time():.1f} s, once.\n")
    for threads in options.threads:
        print(f"### {threads} thread{'s' * (threads > 1)}\n")
        columns = ["workload", "ours, restarts/s", "ratio to scikit-learn's best", "goal", "fraction of peak", *PEERS]
        print("|", " | ".join(columns), "|")
        print("|---" * len(columns) + "|")
        for workload in workloads:
            X = points(workload, *source)
            measured, iterations = rates(workload, X, threads, options.rounds, options.cpu_time)
            ours = measured["ours"]
            ratios = {name: (ours / measured[name]).tolist() for name in PEERS}
            best = min((ratios[name] for name in PEERS if name.startswith("scikit-learn")), key=np.median)
            flops = 2 * workload.n * workload.d * workload.k * iterations * np.median(ours) / threads
            peers = [f"{np.median(measured[name]):.3g}: {with_interval(ratios[name])}" for name in PEERS]
            cells = [
                workload.name,
                f"{np.median(ours):.4g}",
                with_interval(best),
                f"{workload.goal}x",
                f"{flops / peak:.2f}",
            ]
            print("|", " | ".join([*cells, *peers]), "|", flush=True)
        print()
    print("5000 restarts with all labels, setup included, two threads:\n")
    print("| workload | seconds | memory, MiB |\n|---|---|---|")
    for workload in (workload for workload in workloads if workload.n == 1800):
        X = points(workload, *source)
        took = np.median([seconds(lambda: run_restarts(X, workload.k, 5000, 0, n_threads=2)) for _ in range(3)])  # noqa: B023
        print(f"| {workload.name} | {took:.2f} | {peak_memory(X, workload.k, 5000):.0f} |", flush=True)


if __name__ == "__main__":
    main()
