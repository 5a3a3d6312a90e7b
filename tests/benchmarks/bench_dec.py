"""Deep embedded clustering against ClustPy: adjusted Rand index, accuracy and processor seconds; prints a table.

Both have the network d-500-500-2000-10 of the paper, batches of 256 and points scaled by one number; ClustPy keeps its
defaults (100 epochs of pretraining, 150 of clustering). One k and one repeat at a time, one thread. ClustPy (BSD-3) is
no dependency of the project: first pip install --no-deps clustpy==0.0.3 mlxtend==0.25.0 into the environment.
Run: python -m tests.benchmarks.bench_dec [--seeds 3] [--data digits mnist] [--ours-only]
"""

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from workflow_scripts.clusterers import dec
from workflow_scripts.settings.clusterers.trained import Dec

Fit = Callable[[np.ndarray, int], np.ndarray]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 1797 digits of 8 x 8 pixels."""
    return load_digits(return_X_y=True)


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """The 5000 images of MNIST that mlxtend has."""
    from mlxtend.data import mnist_data

    return mnist_data()


def k_means(points: np.ndarray, seed: int) -> np.ndarray:
    """What deep clustering has to beat: the pixels."""
    return KMeans(10, n_init=20, random_state=seed).fit_predict(points)


def ours(variant: str) -> Fit:
    """The clusterer `dec` of the grid, its defaults."""

    def fit(points: np.ndarray, seed: int) -> np.ndarray:
        settings = Dec(k=10, repeats=1, variant=variant).dump()
        ((_, runs),) = dec.cluster(points, settings, seed, 1, lambda done, total: None)
        return runs.labels[0]

    return fit


def clustpy(name: str) -> Fit:
    """ClustPy's, its defaults; the labels of its final k-means."""

    def fit(points: np.ndarray, seed: int) -> np.ndarray:
        from workflow_scripts.backbones import torchvision_import  # noqa: F401  # ClustPy imports torchvision

        from clustpy import deep  # isort: skip

        scaled = ((points - points.mean()) / points.std()).astype(np.float32)
        return getattr(deep, name)(n_clusters=10, random_state=seed, device="cpu").fit(scaled).labels_

    return fit


def matched_accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    """The papers' ACC: the best one-to-one matching of clusters and classes."""
    table = contingency_matrix(labels, clusters)
    return float(table[linear_sum_assignment(-table)].sum() / len(labels))


def main() -> None:
    """Print the table, a row per data set and method."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="+", default=["digits", "mnist"], choices=["digits", "mnist"])
    parser.add_argument("--ours-only", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    methods = {"k-means": k_means, "DEC": ours("dec"), "IDEC": ours("idec")}
    if not given.ours_only:
        methods |= {"ClustPy DEC": clustpy("DEC"), "ClustPy IDEC": clustpy("IDEC")}
    print("| data | method | ARI | accuracy | processor seconds |\n|---|---|---|---|---:|")
    for data in given.data:
        points, labels = globals()[data]()
        for name, fit in methods.items():
            start = process_time()
            found = [fit(points, seed) for seed in range(given.seeds)]
            seconds = (process_time() - start) / given.seeds
            ari = [adjusted_rand_score(labels, clusters) for clusters in found]
            accuracy = [matched_accuracy(labels, clusters) for clusters in found]
            spread = [f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in (ari, accuracy)]
            print(f"| {data} | {name} | {spread[0]} | {spread[1]} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
