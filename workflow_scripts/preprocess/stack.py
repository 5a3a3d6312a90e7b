"""Write the store of all images after one variant of preprocessing."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.io import store
from workflow_scripts.io.memory import PREPROCESSING_BYTES, processes
from workflow_scripts.io.pixels import Part
from workflow_scripts.io.tables import read_csv
from workflow_scripts.preprocess.pipeline import module_of, preprocess_all

MOST_ENLARGED = 4
"""The largest factor by which images are enlarged without a note to the user."""


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
    """Preprocess all images and write them to the store `path`: `images` (N, H, W) or (N, H, W, 3) uint8.

    Parameters
    ----------
    table : path of `images.csv` or, if images are parts of files, of `regions.csv`; the store has the same order of
        rows.
    folder : the folder that paths are relative to.
    max_pixels, workers, progress : as for `preprocess_all`, but with fewer than `workers` processes if images are
        large.
    steps : the steps of the variant.
    code : digest of the code, for the store's attributes.
    """
    rows = read_csv(table)
    images, at_once = images_of(rows, folder), processes_for(rows, workers)
    results = preprocess_all(images, steps, max_pixels=max_pixels, workers=at_once, progress=progress)
    first = next(results)
    ids = list(rows["image_id"])
    attributes = store.provenance(code, store.manifest_digest(ids), {"steps": list(steps)})
    with store.writing(path, attributes) as file:
        store.put_image_ids(file, ids)
        shape = (len(ids), *first.shape)
        with store.filling(file, "images", shape, np.uint8, chunks=(1, *first.shape)) as stack:
            stack[0] = first
            for row, image in enumerate(results, 1):
                stack[row] = image


def processes_for(rows: pd.DataFrame, workers: int) -> int:
    """Return how many processes, at most `workers`, may preprocess the images of a table at once.

    The largest image decides. `rows` has the columns `width` and `height` of the images, in pixels.
    """
    largest = (rows["width"].astype(int) * rows["height"].astype(int)).max()
    return processes(workers, int(largest), PREPROCESSING_BYTES)


def images_of(rows: pd.DataFrame, folder: str | Path) -> list[Path | Part]:
    """Return the images of a table: for each row the path of a file, or a part of a file.

    `rows` are those of `images.csv`, `regions.csv` or a manifest. Images are parts of files (pages, tiles or boxes) if
    the table has a column `parent`. Paths in the table are relative to `folder`.
    """
    if "parent" not in rows:
        return [Path(folder, name) for name in rows["path"]]
    boxes = rows[["page", "x", "y", "width", "height"]].astype(int).itertuples(index=False)
    return [Part(Path(folder, name), *box) for name, box in zip(rows["parent"], boxes, strict=True)]


def enlargement(rows: pd.DataFrame, steps: Sequence[Mapping[str, Any]]) -> str | None:
    """Return a warning for the user if preprocessing enlarges an image more than `MOST_ENLARGED` times, otherwise None.

    `rows` has the columns `path`, `width` and `height` of the images, in pixels.
    """
    step = next((step for step in steps if hasattr(module_of(step), "factors")), None)
    if step is None:
        return None
    size = step["size"]
    factors = module_of(step).factors(rows["height"].astype(int), rows["width"].astype(int), size, step["fit"])
    n, most = int((factors > MOST_ENLARGED).sum()), factors.max()
    if not n:
        return None
    counted = f"{n} of {len(rows)} images more than {MOST_ENLARGED} times, up to {most:.3g} times"
    why = "most of what the network sees is interpolated, so try a smaller size"
    return f"{step['step']} to {size[0]} x {size[1]} enlarges {counted} ({rows['path'][factors.idxmax()]}): {why}"
