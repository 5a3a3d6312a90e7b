"""Processor time of linkages against scipy's, of Density Peaks against all pairs; prints a Markdown table of ratios.

Run: OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_linkage [points, 20000]
"""

import sys
from collections.abc import Callable
from time import process_time

import numpy as np
from scipy.cluster.hierarchy import linkage as scipy_linkage
from sklearn.datasets import make_blobs
from sklearn.metrics import pairwise_distances_chunked

from workflow_scripts.clusterers.density_peaks import decision_graph
from workflow_scripts.clusterers.linkage import tree
from workflow_scripts.settings.clusterers import DensityPeaks

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
        ours, others = seconds(tree, points, name), seconds(scipy_linkage, points, name)
        print(f"| {name} linkage, scipy | {ours:.1f} | {others:.1f} | {others / ours:.1f}x |", flush=True)
    settings = DensityPeaks(k=[2]).dump()
    ours, others = seconds(decision_graph, points, settings), seconds(all_pairs, points)
    print(f"| Density Peaks, all pairs | {ours:.1f} | {others:.1f} | {others / ours:.1f}x |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
