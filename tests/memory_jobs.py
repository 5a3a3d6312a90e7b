"""What the jobs hold at once, on random data of a given size: `test_memory` measures these functions."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import h5py
import numpy as np

from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import write_runs


def write_features(path: str, n: int, width: int) -> None:
    """Write a feature store of `n` images in ten groups, in blocks."""
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["format_version"], file.attrs["manifest"] = 1, ""
        file["image_id"] = np.array([f"{number:08d}" for number in range(n)], dtype="S")
        rows = file.create_dataset("features", (n, width), "f4")
        centers = random.normal(size=(10, width)) * 3
        for start in range(0, n, 1000):
            block = random.normal(size=(min(1000, n - start), width))
            rows[start : start + 1000] = block + centers[np.arange(len(block)) % 10]


def cluster(features: str, output: str, settings: Mapping[str, Any]) -> None:
    """Cluster features as they are, as the job does."""
    points = read_points(features, None, False)
    method = import_module(f"workflow_scripts.clusterers.{settings['method']}")
    runs = method.cluster(points.values, settings, 0, 1, lambda done, total: None)
    write_runs(output, runs, points.image_ids, {})
