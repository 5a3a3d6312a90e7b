"""One preprocessing variant of all images, as one HDF5 stack."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.io import store
from workflow_scripts.preprocess.pipeline import preprocess_all


def write_stack(
    path: str,
    *,
    table: str,
    folder: str,
    max_pixels: int,
    steps: Sequence[Mapping[str, Any]],
    code: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> None:
    """Preprocesses the images of the CSV `table` in its order and writes `images` (N, H, W) or (N, H, W, 3) uint8."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    pictures = [Path(folder) / name for name in rows["path"]]
    images = preprocess_all(pictures, steps, max_pixels=max_pixels, workers=workers, progress=progress)
    first = next(images)
    ids = list(rows["image_id"])
    attributes = store.provenance(code, store.manifest_digest(ids), {"steps": list(steps)})
    with store.writing(path, attributes) as file:
        store.put(file, "image_id", np.array(ids, dtype="S"))
        shape = (len(ids), *first.shape)
        stack = file.create_dataset("images", shape, np.uint8, chunks=(1, *first.shape), fletcher32=True)
        stack[0] = first
        for row, image in enumerate(images, 1):
            stack[row] = image
