"""How often does each criterion find the number of classes? Labelled data sets and seeds; prints Markdown tables.

Every data set is surveyed over k = 1..15, stores on 50 principal components; a seed moves the restarts, the resamples
and the reference sets, and which classes are taken where there are more. "Elbow, unchecked" is the k where the curve
bends most, whatever it bends by chance: what the eye, or Kneedle alone, takes.
Run: python -m tests.benchmarks.bench_choose_k [--seeds 5] [NAME=FEATURES.h5,MANIFEST.csv ...]
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import h5py
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs
from sklearn.preprocessing import StandardScaler

from workflow_scripts.io.points import reduced
from workflow_scripts.n_clusters import elbow
from workflow_scripts.n_clusters.survey import CRITERIA, Options, standing_out, survey
from workflow_scripts.reduce.pca import fit_pca

KS = range(1, 16)
UNCHECKED, AGREED = "elbow, unchecked", "three agree"


@dataclass(frozen=True)
class Labelled:
    """Points (N, d) and the number of their classes; 1 for points without groups."""

    name: str
    points: np.ndarray
    n_classes: int


def tables(seed: int) -> Iterator[Labelled]:
    """scikit-learn's data sets, standardised where their columns have units of their own."""
    for load in (load_iris, load_wine, load_breast_cancer):
        data = load()
        points = StandardScaler().fit_transform(data.data)
        yield Labelled(load.__name__.removeprefix("load_").replace("_", " "), points, len(data.target_names))
    digits, labels = load_digits(return_X_y=True)
    for n_classes in (3, 5, 10):
        of_classes = np.isin(labels, chosen(range(10), n_classes, seed))
        yield Labelled(f"digits, {n_classes} classes", components(digits[of_classes], 20, False), n_classes)


def made(seed: int) -> Iterator[Labelled]:
    """What every criterion should find, and points without groups."""
    points, _ = make_blobs(500, 10, centers=5, cluster_std=2, random_state=seed)
    yield Labelled("five round groups", points, 5)
    random = np.random.default_rng(seed)
    yield Labelled("one Gaussian cloud", random.normal(size=(500, 10)) * np.linspace(2, 0.5, 10), 1)
    yield Labelled("one uniform box", random.uniform(size=(500, 10)), 1)


def stored(name: str, features: str, manifest: str) -> Callable[[int], Iterator[Labelled]]:
    """Subsets of the classes of a feature store, and all of them; 50 components each, whitened and not."""
    with h5py.File(features, "r", locking=False) as file:
        vectors, ids = file["features"][:], file["image_id"].asstr()[:]
    labels = pd.read_csv(manifest, dtype=str).set_index("image_id")["label"].reindex(ids).to_numpy()
    classes = sorted(set(labels))

    def subsets(seed: int) -> Iterator[Labelled]:
        for n_classes in sorted({2, 3, 4, 5, 6, len(classes)}):
            of_classes = np.isin(labels, chosen(classes, n_classes, seed))
            for whiten, how in ((False, "not whitened"), (True, "whitened")):
                yield Labelled(
                    f"{name}, {how}, {n_classes} classes", components(vectors[of_classes], 50, whiten), n_classes
                )

    return subsets


def chosen(classes: object, count: int, seed: int) -> np.ndarray:
    """Some of the classes; all of them if so many are asked for."""
    return np.random.default_rng([seed, count]).choice(list(classes), count, replace=False)  # type: ignore[call-overload]


def components(vectors: np.ndarray, count: int, whiten: bool) -> np.ndarray:
    """The first principal components, as a cell of the grid has them."""
    pca = fit_pca(vectors, max_components=count)
    scores = np.concatenate([rows for _, rows in pca.transform(vectors)])
    return reduced(scores, pca.explained_variance, count, whiten)[0]


def answers(data: Labelled, seed: int) -> dict[str, int | None]:
    """What each criterion recommends."""
    table = survey(data.points, KS, Options(n_init=10, n_references=10, n_resamples=10), seed)
    picked = table[table["recommended"]].set_index("criterion")["k"]
    found = {criterion: picked.get(criterion) for criterion in CRITERIA}
    bend = elbow.sag(np.array(KS), table[table["criterion"] == "elbow"]["value"].to_numpy())
    return {UNCHECKED: KS[bend.argmax()], **found, AGREED: standing_out(table)}


def main() -> None:
    """Print what was recommended, data set by data set, and how often it was right."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("stores", nargs="*", metavar="NAME=FEATURES.h5,MANIFEST.csv")
    given = parser.parse_args()
    stores = [(name, *paths.split(",")) for name, paths in (named.split("=") for named in given.stores)]
    sources = [tables, made, *(stored(*store) for store in stores)]
    rows = []
    for seed in range(given.seeds):
        for data in (labelled for source in sources for labelled in source(seed)):
            found = answers(data, seed)
            rows += [(data.name, data.n_classes, seed, criterion, k) for criterion, k in found.items()]
            print(f"<!-- {data.name}, seed {seed}: {found} -->", flush=True)
    results = pd.DataFrame(rows, columns=["data", "classes", "seed", "criterion", "k"])
    results["said"] = results["k"].map("{:.0f}".format).where(results["k"].notna(), "-")
    said = results.groupby(["data", "classes", "criterion"], sort=False)["said"].agg(" ".join).unstack(sort=False)
    print(said.reset_index().to_markdown(index=False))
    grouped = results[results["classes"] > 1]
    right = grouped["k"] == grouped["classes"]
    near = (grouped["k"] - grouped["classes"]).abs() <= 1
    silent = grouped["k"].isna()
    shares = (
        pd.DataFrame({"right": right, "within one": near, "no answer": silent}).groupby(grouped["criterion"]).mean()
    )
    shares["right when it answers"] = shares["right"] / (1 - shares["no answer"])
    alone = results[results["classes"] == 1]
    shares["groups where there are none"] = (alone["k"] > 1).groupby(alone["criterion"]).mean()
    print((100 * shares).round().to_markdown())


if __name__ == "__main__":
    main()
