"""How many of the flipped labels the audit finds first, against cleanlab and against chance; prints a Markdown table.

5 % of the labels are flipped at random, each to any other class, with ten seeds; nothing else changes: features and
clusters know no labels. cleanlab (2.9.0 here) is no dependency of the project: `pip install cleanlab` in another
environment gives its rows. RESULTS is the folder of a data set with 20 images a class or more that was run before, such
as `results/neu` of the study in docs/case_studies/audit.md.
Run: python -m tests.benchmarks.bench_audit RESULTS
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from workflow_scripts.io import store
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.points import Points, read_points
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.metrics.contingency import encode_classes
from workflow_scripts.pages.audit.evidence import cluster_shares, neighbour_shares
from workflow_scripts.pages.audit.ranking import partitions_of, rank

CELLS = {
    "CLAHE, 50 whitened": ("clahe/squeezenet/fire9_avg", 50, True, "kmeans"),
    "CLAHE, 50 not whitened": ("clahe/squeezenet/fire9_avg", 50, False, "kmeans"),
    "no CLAHE, 50 whitened": ("plain/squeezenet/fire9_avg", 50, True, "kmeans"),
}
SHARE, SEEDS, NEIGHBOURS = 0.05, 10, 10
Order = np.ndarray
"""Rows, the most suspect first."""


def flipped(codes: np.ndarray, n_classes: int, seed: int) -> np.ndarray:
    """The codes (N,) with `SHARE` of them changed to any other class."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(codes), round(SHARE * len(codes)), replace=False)
    changed = codes.copy()
    changed[chosen] = (codes[chosen] + rng.integers(1, n_classes, len(chosen))) % n_classes
    return changed


def orders(
    points: Points, partitions: np.ndarray, codes: np.ndarray, classes: np.ndarray
) -> Iterator[tuple[str, Order]]:
    """Every method's order of the images."""
    n_classes, own = len(classes), (np.arange(len(codes)), codes)
    near = neighbour_shares(points.values, codes, n_classes, NEIGHBOURS)
    yield "audit", rank(points.values, partitions, classes[codes], NEIGHBOURS)["row"].to_numpy()
    yield "its neighbours alone", np.argsort(near[own], kind="stable")
    together = np.mean([cluster_shares(partition, codes, n_classes) for partition in partitions], axis=0)
    yield "its clusters alone", np.argsort(together[own], kind="stable")
    try:
        from cleanlab.rank import find_top_issues, get_label_quality_scores
    except ImportError:
        return
    regression = LogisticRegression(max_iter=2000)
    fitted = cross_val_predict(regression, points.values, codes, cv=5, method="predict_proba")
    for name, probability in (("cleanlab, 10 neighbours", near), ("cleanlab, logistic regression", fitted)):
        quality = get_label_quality_scores(codes, np.clip(probability, 1e-9, 1))
        yield name, find_top_issues(quality, top=len(quality))


def measured(results: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Precision of the first 5 % and recall in the first 10 %, and how many are suspect with what precision.

    A row per cell, method and seed; of the second per cell and seed.
    """
    codes, classes = encode_classes(read_manifest(str(results / "manifest.csv"))["label"])
    rows, suspects = [], []
    for cell, (features, n_components, whiten, clusterer) in CELLS.items():
        points = read_points(str(results / "decomposed" / features / "pca.h5"), n_components, whiten)
        reducer = f"pca{n_components}{'w' if whiten else ''}"
        with store.reading(results / "clusters" / features / reducer / f"{clusterer}.h5", points.manifest) as file:
            runs = read_runs(file)
        partitions = partitions_of(runs[choose_k(None, runs)])
        for seed in range(SEEDS):
            given = flipped(codes, len(classes), seed)
            wrong = given != codes
            n = int(wrong.sum())
            table = rank(points.values, partitions, classes[given], NEIGHBOURS)
            suspect = table.loc[table["suspect"], "row"]
            suspects.append((cell, seed, len(suspect), wrong[suspect].mean()))
            for method, order in orders(points, partitions, given, classes):
                rows.append((cell, method, seed, wrong[order[:n]].mean(), wrong[order[: 2 * n]].sum() / n))
            rows.append((cell, "chance", seed, n / len(codes), 2 * n / len(codes)))
    suspected = pd.DataFrame(suspects, columns=["cell", "seed", "suspect", "precision"])
    return pd.DataFrame(rows, columns=["cell", "method", "seed", "precision", "recall"]), suspected


def main(results: Path) -> None:
    scores, suspected = measured(results)
    table = scores.groupby(["cell", "method"], sort=False)[["precision", "recall"]].agg(["mean", "min"])
    print("| features | method | precision of the first 5 % (least of the seeds) | recall in the first 10 % (least) |")
    print("|---|---|---:|---:|")
    for (cell, method), row in table.iterrows():
        shown = [f"{row[score]['mean']:.3f} ({row[score]['min']:.3f})" for score in ("precision", "recall")]
        print(f"| {cell} | {method} | {' | '.join(shown)} |")
    print("\n| features | suspect (least, most) | precision of these |\n|---|---:|---:|")
    for cell, of_cell in suspected.groupby("cell", sort=False):
        least, most = of_cell["suspect"].min(), of_cell["suspect"].max()
        print(f"| {cell} | {of_cell['suspect'].mean():.0f} ({least}, {most}) | {of_cell['precision'].mean():.3f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
