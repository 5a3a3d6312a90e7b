"""What is known of the images besides what they show: how they look in numbers, how they were taken and stored."""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from workflow_scripts.errors import UserError
from workflow_scripts.io import store

OF_FILES = ("format", "width", "height", "mode", "bytes", "pages", "scale_um", "nm_per_pixel", "instrument")
"""Columns of the manifest that say how an image was taken or stored, and not what it shows."""
LEVELS = 3
"""Levels of folders that are looked at."""
AT_ONCE = 1 << 24
"""Bytes of the images that are measured at once."""


def appearance(images: np.ndarray) -> pd.DataFrame:
    """Measure brightness (mean), contrast (standard deviation) and sharpness of images.

    Sharpness is the logarithm of the variance of the Laplacian over that of the image (Pech-Pacheco et al. 2000, less
    its dependence on contrast); NaN for an image of one value.

    Parameters
    ----------
    images : (N, H, W) uint8, grey, or (N, H, W, 3).

    Returns
    -------
    DataFrame with N rows: `brightness`, `contrast` (both of 255), `sharpness`.
    """
    rows = []
    for image in images:
        grey = np.asarray(image, dtype=np.float64)
        grey = grey.mean(axis=2) if grey.ndim == 3 else grey
        variance = grey.var()
        with np.errstate(divide="ignore", invalid="ignore"):
            sharpness = np.log(ndimage.laplace(grey).var() / variance) if variance > 0 else np.nan
        rows.append((grey.mean(), np.sqrt(variance), sharpness))
    return pd.DataFrame(rows, columns=["brightness", "contrast", "sharpness"])


def facts_of_images(path: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return brightness, contrast and sharpness of the preprocessed images in the store `path`, rows as `manifest`."""
    with store.reading(path) as file:
        images, rows = file["images"], manifest["row"].to_numpy()
        batch = max(1, AT_ONCE // images[0].nbytes)
        parts = [appearance(_taken(images, rows[i : i + batch])) for i in range(0, len(rows), batch)]
    return pd.concat(parts, ignore_index=True)


def _taken(images: Any, rows: np.ndarray) -> np.ndarray:
    """Return rows of a stack on disk; those of a subset are some of them, in their order."""
    low, high = int(rows.min()), int(rows.max()) + 1
    return images[low:high][rows - low]


def facts_of_files(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return what a manifest says of the files, and the levels of their folders, the outermost first.

    The time at which an image was taken counts twice: by itself, and as its day, so that gaps within a day are none.
    """
    facts = {name: _numbers(manifest[name]) for name in OF_FILES if name in manifest}
    if "taken" in manifest:
        facts["time taken"] = pd.to_datetime(manifest["taken"], format="ISO8601", errors="coerce")
        facts["day taken"] = manifest["taken"].str[: len("2000-01-01")]
    parents = [PurePosixPath(path).parts[:-1] for path in manifest.get("parent", manifest["path"])]
    for level in range(LEVELS):
        names = [folders[level] if level < len(folders) else "" for folders in parents]
        facts[f"folder, level {level + 1}"] = pd.Series(names, index=manifest.index)
    return pd.DataFrame(facts).reset_index(drop=True)


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column of texts as numbers, missing where it is empty, if all that it holds are numbers."""
    numbers = pd.to_numeric(column.replace("", np.nan), errors="coerce")
    return numbers if (numbers.notna() | (column == "")).all() else column


def facts_of_table(path: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table that the user brings, rows as `manifest`; they go by `image_id` or by `path`.

    Raises `UserError` for a table without such a column, or with two rows of one image.
    """
    table = pd.read_csv(path)
    key = next((name for name in ("image_id", "path") if name in table), None)
    if key is None:
        raise UserError(f"{path}: found the columns {', '.join(table.columns)}, allowed: one of them image_id or path")
    if table[key].duplicated().any():
        twice = table.loc[table[key].duplicated(), key].iloc[0]
        raise UserError(f"{path}: found {twice} twice in {key}, allowed: a row an image")
    rest = table.set_index(table[key].astype(str)).drop(columns=["image_id", "path"], errors="ignore")
    return rest.reindex(manifest[key]).reset_index(drop=True)


def as_numbers(column: pd.Series) -> np.ndarray | None:
    """Return numbers, booleans and dates as float64 with NaN where missing; None for texts."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("int64").where(column.notna()).to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None
