"""How many images get the right label from few labels, by the order in which these are given; prints a Markdown table.

Labels are asked for in the order of the labelling page, in this order with borders behind the typical images, and at
random (mean of 30 seeds); every other image takes the label of the nearest labelled one. RESULTS is the folder of a
data set with labels that was run before, with the cell CLAHE, fire9_avg, 50 components, whitened, k-means.
Run: python -m tests.benchmarks.bench_label_next RESULTS [K]
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.io import store
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import read_best
from workflow_scripts.metrics.members import centre_distances
from workflow_scripts.pages.labelling.order import order_to_label

LAYER, BUDGETS, SEEDS = "clahe/squeezenet/fire9_avg", (7, 14, 28, 56), 30


def borders_behind(first: list[int], points: np.ndarray, partition: np.ndarray, count: int) -> list[int]:
    """Return the first rows, then of each group in turn the one nearest the border to another group."""
    distances = centre_distances(points, partition)
    margin = (distances["own"] / distances["other"]).to_numpy()
    queues = [
        sorted(np.flatnonzero(partition == group), key=lambda row: -margin[row]) for group in np.unique(partition)
    ]
    rows = list(first)
    for place in range(max(map(len, queues))):
        rows += [queue[place] for queue in queues if place < len(queue) and queue[place] not in first]
    return rows[:count]


def share_right(points: np.ndarray, labels: np.ndarray, labelled: np.ndarray | list[int]) -> float:
    """Return the share of the other images whose nearest labelled image has their label."""
    rows = np.asarray(labelled)
    nearest = NearestNeighbors(n_neighbors=1).fit(points[rows]).kneighbors(points, return_distance=False)[:, 0]
    others = ~np.isin(np.arange(len(points)), rows)
    return float((labels[rows][nearest] == labels)[others].mean())


def main() -> None:
    """Print the table."""
    results, k = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7
    labels = read_manifest(str(results / "manifest.csv"))["label"].to_numpy()
    points = read_points(str(results / f"decomposed/{LAYER}/pca.h5"), 50, True).values
    with store.reading(results / f"clusters/{LAYER}/pca50w/kmeans.h5") as file:
        partition = read_best(file, k).labels
    unlabelled = np.zeros(len(points), dtype=bool)
    order = order_to_label(points, partition, unlabelled, max(BUDGETS))["row"].tolist()
    borders = borders_behind(order[:k], points, partition, max(BUDGETS))
    rng = np.random.default_rng(0)
    print("| labels | the page's order | typical, then borders | random |\n|---|---|---|---|")
    for budget in BUDGETS:
        draws = [share_right(points, labels, rng.choice(len(labels), budget, replace=False)) for _ in range(SEEDS)]
        ours, others = (share_right(points, labels, rows[:budget]) for rows in (order, borders))
        print(f"| {budget} | {ours:.3f} | {others:.3f} | {np.mean(draws):.3f} ± {np.std(draws):.3f} |", flush=True)


if __name__ == "__main__":
    main()
