"""Job scripts run without Snakemake, on stores of random points."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.workflow import ROOT
from workflow_scripts.io import store
from workflow_scripts.io.runs import Runs, write_runs

CELL = {
    "dataset": "random",
    "preprocess": "plain",
    "backbone": "net",
    "layer": "last",
    "subset": "all",
    "decomposition": "none",
    "reducer": "none",
    "n_components": None,
    "whiten": False,
    "clusterer": "it",
}
"""The choices of the cell that `write_data` makes the features of."""
GROUPS = 10


class _Named(dict[str, Any]):
    """Files or values as Snakemake gives them to a job: by name, by attribute and by position."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __getitem__(self, key: Any) -> Any:
        return list(self.values())[key] if isinstance(key, int) else super().__getitem__(key)


def run_job(
    name: str, files: Mapping[str, Any], output: Mapping[str, str], params: Mapping[str, Any], folder: str
) -> None:
    """Run the script of `jobs/` with these inputs, outputs and parameters; the log goes to `folder`."""
    wildcards = _Named({**CELL, "figure": "it", "study": "main"})
    snakemake = SimpleNamespace(
        input=_Named(files),
        output=_Named(output),
        params=_Named({"code": "", "seed": 0, **params}),
        wildcards=wildcards,
        log=[f"{folder}/{name}.log"],
        threads=1,
        resources=SimpleNamespace(studies="main"),
    )
    runpy.run_path(str(ROOT / "workflow_scripts" / "jobs" / f"{name}.py"), init_globals={"snakemake": snakemake})


def write_data(folder: str, n: int, width: int) -> dict[str, str]:
    """Write a manifest of `n` images in groups, and float32 features of `width` numbers; return the paths by name."""
    base = Path(folder) / f"{n}x{width}"
    files = {"manifest": f"{base}.csv", "features": f"{base}.h5", "points": f"{base}.h5"}
    if base.with_suffix(".h5").exists():
        return files
    random = np.random.default_rng(0)
    ids = [f"{number:08d}" for number in range(n)]
    groups = np.arange(n) % GROUPS
    rows = "".join(f"{image},{image}.png,group{group}\n" for image, group in zip(ids, groups, strict=True))
    Path(files["manifest"]).write_text(f"image_id,path,label\n{rows}")
    centers = 3 * random.normal(size=(GROUPS, width))
    with store.writing(files["features"], store.provenance("", store.manifest_digest(ids), {})) as file:
        file["image_id"] = np.array(ids, dtype="S")
        features = file.create_dataset("features", (n, width), "f4")
        for start in range(0, n, 1000):
            some = groups[start : start + 1000]
            features[start : start + 1000] = random.normal(size=(len(some), width)) + centers[some]
    return files


def write_scores(path: str, cell: Mapping[str, Any], k: int) -> None:
    """Write perfect scores of one clustering, for jobs that need a file of scores."""
    import pandas as pd  # not in jobs whose start is measured

    row = {**cell, "k": k, "n_clusters": k, "repeat": 0, "restart": 0, "inertia": 1.0, "split": None, "fold": None}
    columns = {**row, **dict.fromkeys(("accuracy_majority", "nmi_geometric", "ari", "silhouette"), 1.0)}
    pd.DataFrame([columns]).astype({"k": "Int64", "n_clusters": "Int64"}).to_parquet(path)


def write_partition(path: str, n: int, k: int, seed: int, repeats: int = 5) -> str:
    """Write `k` groups of `n` images, those of `write_data` with every tenth image in another; return the path."""
    if Path(path).exists():
        return path
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(n) % GROUPS % k, (repeats, 1))
    moved = random.random(labels.shape) < 0.1
    labels[moved] = random.integers(k, size=moved.sum())
    ids = np.array([f"{number:08d}" for number in range(n)])
    attributes = store.provenance("", store.manifest_digest(ids), {})
    write_runs(path, [(k, Runs.single(labels, inertia=random.random(repeats)))], ids, attributes)
    return path


def write_images(path: str, n: int, side: int) -> str:
    """Write a stack of `n` grey images of `side` x `side` pixels; return the path."""
    ids = [f"{number:08d}" for number in range(n)]
    with store.writing(path, store.provenance("", store.manifest_digest(ids), {})) as file:
        images = file.create_dataset("images", (n, side, side), "u1", chunks=(16, side, side))
        random = np.random.default_rng(0)
        for start in range(0, n, 256):
            images[start : start + 256] = random.integers(256, size=(min(256, n - start), side, side), dtype=np.uint8)
    return path
