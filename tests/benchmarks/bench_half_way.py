"""How low images that mix two steel images of different classes rank by margin and by agreement; prints Markdown.

`python -m tests.benchmarks.bench_half_way SHARED CACHE`

600 steel images and 60 mixtures; cells, repeats and the cache are those of `bench_trust`. A mixture is half-way between
the groups of its parents if the consensus puts it into the group of one, and has that of the other as its second group.
The group of a class is the one with most of its images.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import roc_auc_score

from tests.benchmarks.trust_features import REPEATS, LabelledSet, cells, features
from workflow_scripts.consensus.consensus import Consensus, consensus
from workflow_scripts.consensus.trust import cell_weights, trust

N_MIXTURES = 60
EVERY = 3
"""One of so many steel images is taken."""
NUMBERS_OF_GROUPS = (6, 7)


def mean_of_greys(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the mean of two images."""
    return (first + second) / 2


def halves(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the left half of one image beside the right half of the other."""
    middle = first.shape[1] // 2
    return np.hstack([first[:, :middle], second[:, middle:]])


def pairs(classes: np.ndarray) -> np.ndarray:
    """Return (`N_MIXTURES`, 2) rows of images; those of a pair have different classes."""
    rng = np.random.default_rng(1)
    firsts = rng.integers(len(classes), size=N_MIXTURES)
    return np.array([(first, rng.choice(np.flatnonzero(classes != classes[first]))) for first in firsts])


def mixed(paths: list[Path], parents: np.ndarray, folder: Path, mix: Callable[..., np.ndarray]) -> list[Path]:
    """Write the mixtures of pairs of images into a folder; return their paths."""
    folder.mkdir(exist_ok=True)
    written = [folder / f"{number:02d}.png" for number in range(len(parents))]
    for path, pair in zip(written, parents, strict=True):
        greys = [np.asarray(Image.open(paths[row]).convert("L"), dtype=float) for row in pair]
        Image.fromarray(np.round(mix(*greys)).astype(np.uint8)).save(path)
    return written


def vectors_by_kind(
    paths: list[Path], classes: np.ndarray, parents: np.ndarray, cache: Path
) -> Iterator[tuple[str, dict[tuple[str, str], np.ndarray]]]:
    """Yield each kind of mixture and, by preprocessing and layer, the vectors of steel images and then of mixtures."""

    def vectors_of(name: str, files: list[Path]) -> dict[tuple[str, str], np.ndarray]:
        return features(LabelledSet(name, files, np.full(len(files), "")), cache)

    steel = vectors_of("steel of mixtures", paths[::EVERY])
    for kind, mix in {"mean of the grey values": mean_of_greys, "half of each, side by side": halves}.items():
        vectors = vectors_of(mix.__name__, mixed(paths, parents, cache / mix.__name__, mix))
        yield kind, {key: np.concatenate([steel[key], vectors[key]]) for key in steel}
    one, other = (vectors_of(f"parents {side}", [paths[row] for row in parents[:, side]]) for side in (0, 1))
    yield "mean of the features", {key: np.concatenate([steel[key], (one[key] + other[key]) / 2]) for key in steel}


def half_way(result: Consensus, labels: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return which mixtures lie between the groups of the classes of their parents, (M,) bool.

    Parameters
    ----------
    labels : (N,) classes of the steel images, which come first in `result`.
    parents : (M, 2) classes of the two parents of each mixture.
    """
    group_of = {name: np.bincount(result.group[: len(labels)][labels == name]).argmax() for name in np.unique(labels)}
    of_parents = np.sort([[group_of[name] for name in pair] for pair in parents], axis=1)
    own = np.sort(np.column_stack([result.group, result.second])[len(labels) :], axis=1)
    return (own == of_parents).all(axis=1) & (own[:, 0] != own[:, 1])


def ranks(result: Consensus, labels: np.ndarray, between: np.ndarray) -> dict[str, float]:
    """Return ROC areas of low margin and low agreement for the mixtures, and for those that are half-way."""
    mixture = np.arange(len(result.group)) >= len(labels)
    kept = np.concatenate([np.ones(len(labels), dtype=bool), between])
    scores = {"half-way": between.mean()}
    for name, values in (("margin", result.margin), ("agreement", result.agreement)):
        scores[f"all, {name}"] = roc_auc_score(mixture, -values)
        scores[f"half-way, {name}"] = roc_auc_score(mixture[kept], -values[kept])
    return scores


def main(shared: Path, cache: Path) -> None:
    """Measure and print; every number is the mean of the repeats."""
    paths = sorted((shared / "data" / "neu").glob("*.jpg"))
    classes = np.array([path.stem.rsplit("_", 1)[0] for path in paths])
    labels, parents = classes[::EVERY], pairs(classes)
    rows = []
    for kind, vectors in vectors_by_kind(paths, classes, parents, cache):
        for k in NUMBERS_OF_GROUPS:
            of_set = cells(vectors, k)
            scores = []
            for repeat in range(REPEATS):
                partitions = of_set.repeats[:, repeat].astype(int)
                result = consensus(partitions, k, cell_weights(trust(partitions, of_set.choices, n_samples=1)))
                scores.append(ranks(result, labels, half_way(result, labels, classes[parents])))
            rows.append({"mixture": kind, "k": k, **pd.DataFrame(scores).mean()})
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".2f"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
