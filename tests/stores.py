"""Stores of every kind, each written as its job writes it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_iris

from workflow_scripts.backbones.brought import bring
from workflow_scripts.backbones.descriptors import describe_all
from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.joined import join_layers
from workflow_scripts.intake import subsets
from workflow_scripts.io import store
from workflow_scripts.io.agreement import write_agreement
from workflow_scripts.io.runs import write_runs
from workflow_scripts.preprocess.stack import write_stack
from workflow_scripts.reduce import autoencoder, ica, kernel_pca, pca, tsne
from workflow_scripts.settings.backbones.descriptors import Histogram
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.clusterers.base import OfK
from workflow_scripts.settings.decompositions.autoencoder import Autoencoder
from workflow_scripts.settings.decompositions.components import Ica, KernelPca, Pca
from workflow_scripts.settings.decompositions.maps import Tsne

IRIS = load_iris().data
IDS = [f"{number:016x}" for number in range(len(IRIS))]
SMALL: dict[str, dict[str, Any]] = {
    "dec": {"widths": [8, 2], "batch_size": 32, "repeats": 1},
    "temi": {"widths": [8, 4], "n_heads": 2, "repeats": 1, "steps": 1},
    "turtle": {"steps": 5, "repeats": 1},
    "kmeans": {"n_init": 5, "repeats": 2},
    "dbscan": {"eps": 0.5, "min_samples": 4},
}


def silent(*_: Any) -> None:
    pass


def write_features(path: Path) -> None:
    with store.writing(path, store.provenance("c", store.manifest_digest(IDS), {})) as file:
        store.put(file, "image_id", np.array(IDS, dtype="S"))
        store.put(file, "features", IRIS.astype(np.float32))


def images_of(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (48, 48)).astype(np.uint8)).save(folder / f"{number}.png")
        rows.append({"path": f"{number}.png", "image_id": IDS[number], "width": 48, "height": 48})
    pd.DataFrame(rows).to_csv(folder / "images.csv", index=False)
    return folder / "images.csv"


def stack(folder: Path) -> None:
    table = images_of(folder)
    write_stack(
        str(folder / "stack.h5"), table=str(table), folder=str(folder), max_pixels=10**6,
        steps=[{"step": "grey"}], code="c", workers=1, progress=silent,
    )  # fmt: skip


def features(folder: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    backbone = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}
    extract(images, IDS[:4], backbone, {"fire9_avg": folder / "features.h5"}, {"settings": 1}, device="cpu")


def joined(folder: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    backbone = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}
    parts = {layer: folder / f"{layer}.h5" for layer in ("fire5_avg", "fire9_avg")}
    extract(images, IDS[:4], backbone, parts, store.provenance("c", "m", {}), device="cpu")
    join_layers([str(path) for path in parts.values()], "fire5_avg+fire9_avg", folder / "joined.h5", "c")


def brought(folder: Path) -> None:
    table, manifest = folder / "features.npz", folder / "manifest.csv"
    np.savez(table, names=np.array(IDS), numbers=IRIS)
    pd.DataFrame({"image_id": IDS, "path": IDS, "label": ""}).to_csv(manifest, index=False)
    bring(str(table), str(manifest), folder / "features.h5", {"code": "c", "settings": {}})


def described(folder: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
    settings = Histogram(descriptor="histogram").dump()
    describe_all(
        images, IDS[:4], settings, folder / "features.h5", store.provenance("c", "m", {}), workers=1, report=silent
    )


def subset(folder: Path) -> None:
    write_features(folder / "all.h5")
    pd.DataFrame({"image_id": IDS[3:9]}).to_csv(folder / "part.csv", index=False)
    subsets.select(str(folder / "all.h5"), str(folder / "part.csv"), str(folder / "part.h5"), "c")


def decomposition(folder: Path) -> None:
    write_features(folder / "all.h5")
    small = Autoencoder(widths=[4, 3, 2], phases=[{"g": 2}], batch_size=64)
    pca.decompose(str(folder / "all.h5"), str(folder / "pca.h5"), Pca().dump(), "c", silent)
    tsne.decompose(
        str(folder / "pca.h5"), str(folder / "tsne.h5"), Tsne(perplexity=5).dump() | {"seed": 0}, "c", silent
    )
    ica.decompose(str(folder / "all.h5"), str(folder / "ica.h5"), Ica(n_components=3).dump(), "c", silent)
    kernel_pca.decompose(str(folder / "all.h5"), str(folder / "kernel.h5"), KernelPca().dump(), "c", silent)
    autoencoder.decompose(str(folder / "all.h5"), str(folder / "ae.h5"), small.dump() | {"seed": 0}, "c", silent)


def agreement(folder: Path) -> None:
    cells = [{"layer": "fire5_avg"}, {"layer": "fire9_avg"}]
    write_agreement(str(folder / "agreement.h5"), cells, np.eye(2), np.array([4, 4]), store.provenance("c", "m", {}))


def clusters(method: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        model = Clusterer.registry[method]
        k = {"k": [2, 3]} if issubclass(model, OfK) else {}
        settings = model(**k, **SMALL.get(method, {})).dump()
        cluster = import_module(f"workflow_scripts.clusterers.{settings['method']}").cluster
        runs = cluster(IRIS, settings, 0, 1, silent)
        write_runs(
            str(folder / "clusters.h5"), runs, np.array(IDS), store.provenance("c", "m", {"clusterer": settings})
        )

    return make


KINDS: dict[str, Callable[[Path], None]] = {
    "stack": stack,
    "features": features,
    "joined": joined,
    "brought": brought,
    "described": described,
    "subset": subset,
    "decomposition": decomposition,
    "agreement": agreement,
    **{method: clusters(method) for method in Clusterer.registry if method != "consensus"},  # one partition, read
}
