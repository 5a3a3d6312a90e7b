"""Compare some quick ratios to peers with the committed ones in `ratios.yaml`; fail if one is lower by a third.

    python -m tests.benchmarks.check

Both sides take turns and only their processor time counts, so that load changes little. The interval is from the least
to the largest of seven rounds, which holds the median with a probability of 98 %. A ratio fails if all of its interval
is below two thirds of the committed ratio.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

from tests.benchmarks.bench_linkage import seconds
from tests.benchmarks.bench_metrics import loop_scores, partitions
from tests.benchmarks.bench_starts import PEER, jobs_of_a_cell, processor_seconds
from tests.benchmarks.interval import with_interval
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.clusterers.linkage import tree
from workflow_scripts.kmeans_kernels import kernels
from workflow_scripts.metrics.agreement import score_restarts

ROUNDS = 7
ALLOWED = 2 / 3
RATIOS = Path(__file__).parent / "ratios.yaml"
Side = Callable[[], float]
"""Type of a function that does some work and returns its processor seconds, those of one unit of work."""


def cell(folder: str) -> tuple[Side, Side]:
    jobs = jobs_of_a_cell(folder).values()
    return lambda: sum(processor_seconds(job) for job in jobs), lambda: processor_seconds(PEER)


def kmeans() -> tuple[Side, Side]:
    points = make_blobs(1800, 50, centers=7, cluster_std=6.0, random_state=0)[0]
    peer = KMeans(7, n_init=10, random_state=0)
    return lambda: seconds(run_restarts, points, 7, 300, 0) / 300, lambda: seconds(peer.fit, points) / 10


def scores() -> tuple[Side, Side]:
    labels, y = partitions(1000, 1800, 7, 6)
    return lambda: seconds(score_restarts, labels, y) / 1000, lambda: seconds(loop_scores, labels[:10], y) / 10


def ward() -> tuple[Side, Side]:
    points = make_blobs(4000, 13, centers=40, cluster_std=3.0, random_state=0)[0]
    return lambda: seconds(tree, points, "ward"), lambda: seconds(linkage, points, "ward")


def sides(folder: str) -> Iterator[tuple[str, tuple[Side, Side]]]:
    """Yield the name of each ratio, our side and the peer's."""
    yield "a cell, to a bare start", cell(folder)
    for kernel in list(kernels())[:1]:
        yield f"k-means by {kernel}, to scikit-learn", kmeans()
    yield "scores of restarts, to scikit-learn", scores()
    yield "Ward linkage, to scipy", ward()


def measured(ours: Side, peer: Side) -> list[float]:
    """Return how many times faster we are in each round, in ascending order; the first calls do not count."""
    ours(), peer()
    return sorted(peer() / ours() for _ in range(ROUNDS))


def processor() -> str:
    """Return the name of the processor (Linux)."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


def main() -> None:
    committed, slower = yaml.safe_load(RATIOS.read_text()), []
    print(f"{processor()}, one thread, load {os.getloadavg()[0]:.1f}\n")
    print("| ratio | median (interval) | committed |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        for name, (ours, peer) in sides(folder):
            ratios = measured(ours, peer)
            print(f"| {name} | {with_interval(ratios)} | {committed[name]} |", flush=True)
            if ratios[-1] < ALLOWED * committed[name]:
                slower.append(f"{name}: {with_interval(ratios)} times as fast, committed: {committed[name]}")
    if slower:
        sys.exit("Error: slower than the committed ratio by more than a third: " + "; ".join(slower))


if __name__ == "__main__":
    main()
