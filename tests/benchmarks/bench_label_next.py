"""How many images get the right label from few labels, by the order in which these are given; prints a Markdown table.

Labels are asked for in the explorer's order, in its order with borders behind the typical images, and at random (mean
of 30 seeds); every other image takes the label of the nearest labelled one. RESULTS is the folder of a data set with
labels that was run before, with the cell CLAHE, fire9_avg, 50 components, whitened, k-means.
Run: python -m tests.benchmarks.bench_label_next RESULTS [K]
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from selenium import webdriver
from sklearn.neighbors import NearestNeighbors

from tests.conftest import BROWSER_FLAGS
from workflow_scripts.io import store
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import read_best
from workflow_scripts.metrics.members import centre_distances
from workflow_scripts.pages import explorer
from workflow_scripts.pages.explorer.places import points_of

LAYER, BUDGETS, SEEDS = "clahe/squeezenet/fire9_avg", (7, 14, 28, 56), 30
ASK = "const [d, values, codes, count] = arguments; return labelNext({d, values}, codes, () => false, count)"


def page_order(points: np.ndarray, partition: np.ndarray, count: int) -> list[int]:
    """Return the rows that the page asks for first."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in BROWSER_FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    script = Path(explorer.__file__).with_name("labelling.js").read_text()
    few = points_of("", points, np.arange(len(points)), len(points)).values
    rows = browser.execute_script(script + ASK, few.shape[1], few.ravel().tolist(), (partition + 1).tolist(), count)
    browser.quit()
    return rows


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
    order = page_order(points, partition, max(BUDGETS))
    borders = borders_behind(order[:k], points, partition, max(BUDGETS))
    rng = np.random.default_rng(0)
    print("| labels | the explorer's order | typical, then borders | random |\n|---|---|---|---|")
    for budget in BUDGETS:
        draws = [share_right(points, labels, rng.choice(len(labels), budget, replace=False)) for _ in range(SEEDS)]
        ours, others = (share_right(points, labels, rows[:budget]) for rows in (order, borders))
        print(f"| {budget} | {ours:.3f} | {others:.3f} | {np.mean(draws):.3f} ± {np.std(draws):.3f} |", flush=True)


if __name__ == "__main__":
    main()
