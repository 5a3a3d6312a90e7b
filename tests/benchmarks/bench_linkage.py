"""Processor time of linkages against scipy's, of Density Peaks against all pairs; prints a Markdown table of ratios.

Run: OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_linkage [points, 20000]
"""

import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time

import numpy as np
from scipy.cluster.hierarchy import linkage as scipy_linkage
from sklearn.datasets import make_blobs
from sklearn.metrics import pairwise_distances_chunked

from tests.benchmarks.interval import with_interval
from workflow_scripts.clusterers.density_peaks import decision_graph
from workflow_scripts.clusterers.linkage import tree
from workflow_scripts.settings.clusterers.given_k import DensityPeaks

ROUNDS = 3
LINKAGES = ("ward", "centroid", "single", "complete", "average")


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Processor time of one call."""
    start = process_time()
    function(*arguments)
    return process_time() - start


def all_pairs(points: np.ndarray, n_neighbors: int = 20) -> np.ndarray:
    """Distance to the nearest denser point by looking at all points."""
    near = pairwise_distances_chunked(
        points, reduce_func=lambda block, start: np.partition(block, n_neighbors, axis=1)[:, n_neighbors]
    )
    density = 1 / np.concatenate(list(near))

    def nearest(block: np.ndarray, start: int) -> np.ndarray:
        return np.where(density > density[start : start + len(block), None], block, np.inf).min(axis=1)

    return np.concatenate(list(pairwise_distances_chunked(points, reduce_func=nearest)))


def main(n: int) -> None:
    points = make_blobs(n, 13, centers=40, cluster_std=3.0, random_state=0)[0]
    print(f"| {n} points of 13 numbers | seconds | the other | ratio |\n|---|---:|---:|---:|")
    for name in LINKAGES:
        report(f"{name} linkage, scipy", partial(tree, points, name), partial(scipy_linkage, points, name))
    settings = DensityPeaks(k=[2]).dump()
    report("Density Peaks, all pairs", partial(decision_graph, points, settings), partial(all_pairs, points))


def report(name: str, ours: Callable[[], object], other: Callable[[], object]) -> None:
    """One line of the table: medians of rounds in which both take turns, and the ratios of the rounds."""
    rounds = [(seconds(ours), seconds(other)) for _ in range(ROUNDS)]
    medians = " | ".join(f"{median(times):.1f}" for times in zip(*rounds, strict=True))
    print(f"| {name} | {medians} | {with_interval(theirs / own for own, theirs in rounds)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
