"""Time of `score_restarts`, `silhouettes` and `best_of_n` against scikit-learn in a loop; prints a Markdown table.

The loop is timed on a few restarts of each workload, interleaved with ours, and scaled to all of them.
Run: OMP_NUM_THREADS=1 python -m tests.benchmarks.bench_metrics
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as skm
from sklearn.metrics.cluster import contingency_matrix

from tests.benchmarks.interval import with_interval
from workflow_scripts.metrics import best_of_n, score_restarts, silhouettes

ROUNDS = 5


def loop_scores(labels: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """The same metrics by one scikit-learn call each, the classes numbered once."""
    y = np.unique(y, return_inverse=True)[1]
    rows = []
    for row in labels:
        table = contingency_matrix(y, row)
        rows.append(
            [
                table.max(axis=0).sum() / len(y),
                table[linear_sum_assignment(-table)].sum() / len(y),
                skm.adjusted_rand_score(y, row),
                skm.adjusted_mutual_info_score(y, row),
                skm.normalized_mutual_info_score(y, row),
                skm.normalized_mutual_info_score(y, row, average_method="geometric"),
                *skm.homogeneity_completeness_v_measure(y, row)[:2],
            ]
        )
    return rows


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = perf_counter()
    function(*arguments)
    return perf_counter() - start


def partitions(restarts: int, n: int, k: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Partitions that agree with the classes on 85 % of the images, and the classes as text."""
    rng = np.random.default_rng(0)
    classes = np.sort(rng.integers(n_classes, size=n))
    labels = np.where(rng.random((restarts, n)) < 0.85, classes % k, rng.integers(k, size=(restarts, n)))
    return labels.astype(np.uint8 if k < 256 else np.uint16), np.array([f"class {c}" for c in classes])


def report(name: str, restarts: int, ours: list[float], loop: list[float], sample: int) -> None:
    """One line of the table: medians, and the ratios of the rounds."""
    ratio = with_interval(b / sample * restarts / a for a, b in zip(ours, loop, strict=True))
    print(f"| {name} | {median(ours):.2f} | {median(loop) / sample * restarts:.1f} | {ratio} |")


def main() -> None:
    """Print the table."""
    print(f"| workload (median of {ROUNDS}) | ours, s | scikit-learn loop, s | ratio |\n|---|---|---|---|")
    for restarts, n, k, n_classes in [
        (5000, 1800, 7, 6),
        (5000, 1800, 25, 6),
        (500, 20_000, 10, 10),
        (50, 3000, 600, 11),
    ]:
        labels, y = partitions(restarts, n, k, n_classes)
        sample = min(20, restarts)
        rounds = [(seconds(score_restarts, labels, y), seconds(loop_scores, labels[:sample], y)) for _ in range(ROUNDS)]
        ours, loop = map(list, zip(*rounds, strict=True))
        report(f"metrics of {restarts} restarts, {n} images, k {k}, {n_classes} classes", restarts, ours, loop, sample)

    labels, _ = partitions(100, 1800, 7, 6)
    X = np.random.default_rng(1).normal(size=(1800, 50))
    rounds = [
        (seconds(silhouettes, X, labels), seconds(lambda: [skm.silhouette_score(X, row) for row in labels[:5]]))
        for _ in range(ROUNDS)
    ]
    ours, loop = map(list, zip(*rounds, strict=True))
    report("silhouette of 100 repeats, 1800 x 50, k 7", 100, ours, loop, 5)

    inertia, score = np.random.default_rng(2).random((2, 5000))
    curve = median(seconds(best_of_n, inertia, score) for _ in range(ROUNDS))
    print(f"| best of n, n = 1..5000, 1000 resamples | {curve:.2f} | | |")


if __name__ == "__main__":
    main()
