"""Collect facts about images that are not what they show: brightness and sharpness, instrument, file and folder."""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.any_csv import read_rows
from workflow_scripts.io import store

OF_FILES = ("format", "width", "height", "mode", "bytes", "pages", "scale_um", "nm_per_pixel", "instrument")
"""Columns of the manifest that say how an image was taken or stored, and not what it shows."""
LEVELS = 3
"""Largest number of folder levels that become columns."""
AT_ONCE = 1 << 24
"""Largest size in bytes of the images that are measured together."""


def appearance(images: np.ndarray) -> pd.DataFrame:
    """Measure brightness (mean), contrast (standard deviation) and sharpness of images.

    Sharpness is log(variance of the Laplacian / variance of the image): the measure of Pech-Pacheco et al. (2000),
    without its dependence on contrast. It is NaN for an image with one value everywhere.

    Parameters
    ----------
    images : (N, H, W) uint8, grey, or (N, H, W, 3).

    Returns
    -------
    DataFrame with N rows: `brightness`, `contrast` (both in grey levels, 0 to 255), `sharpness`.
    """
    from scipy import ndimage  # the figure of nuisances imports this module and does not need it

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
    """Return the `appearance` of the preprocessed images in the store `path`, one row for each row of `manifest`."""
    with store.reading(path) as file:
        images, rows = file["images"], manifest["row"].to_numpy()
        batch = max(1, AT_ONCE // images[0].nbytes)
        parts = [appearance(_taken(images, rows[i : i + batch])) for i in range(0, len(rows), batch)]
    return pd.concat(parts, ignore_index=True)


def _taken(images: Any, rows: np.ndarray) -> np.ndarray:
    """Return the given rows of an array on disk. If they lie close together, they are read as one slice."""
    low, high = int(rows.min()), int(rows.max()) + 1
    if high - low > 2 * len(rows):
        return np.stack([images[row] for row in rows])
    return images[low:high][rows - low]


def facts_of_files(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return what a manifest says about the files of the images, one row for each image.

    There is one column for each level of folders, the outermost first. The time at which an image was taken gives two
    columns: the time, and the day alone, which is the same for all images of one day.
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
    """Return a column of texts as numbers if all texts are numbers or empty; an empty text becomes a missing value."""
    numbers = pd.to_numeric(column.replace("", np.nan), errors="coerce")
    return numbers if (numbers.notna() | (column == "")).all() else column


def facts_of_table(path: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table of the user, one row for each row of `manifest`.

    Rows are matched by the table's column `image_id` or `path`. Raises `UserError` if the table has neither column, or
    two rows for one image, or if no row names an image.
    """
    header, *rows = read_rows(Path(path))
    names = [name.strip() for name in header]
    table = pd.DataFrame([[*row, *[""] * len(names)][: len(names)] for row in rows], columns=names)
    key = next((name for name in ("image_id", "path") if name in table), None)
    if key is None:
        raise UserError(f"{path}: found the columns {', '.join(table.columns)}, allowed: one of them image_id or path")
    if table[key].duplicated().any():
        twice = table.loc[table[key].duplicated(), key].iloc[0]
        raise UserError(f"{path}: found {twice} twice in {key}, allowed: a row an image")
    if not table[key].isin(manifest[key]).any():
        first = manifest[key].iloc[0]
        raise UserError(f"{path}: found no {key} of an image, allowed: those of the manifest, such as {first!r}")
    rest = table.set_index(key).drop(columns=["image_id", "path"], errors="ignore")
    return rest.apply(_numbers).replace("", np.nan).reindex(manifest[key]).reset_index(drop=True)


def as_numbers(column: pd.Series) -> np.ndarray | None:
    """Return a column of numbers, booleans or dates as float64, NaN for missing values; None for a column of texts."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.astype("int64").where(column.notna()).to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return None
