"""Sort the images of a folder that grows, and divide them into batches."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.models.monitored_images import files_of


def in_order(images: pd.DataFrame, folder: Path, order: str) -> pd.DataFrame:
    """Return the images sorted by `order`: by `name`, with numbers in names sorted by value, or by `time`.

    If every image has a time at which it was taken (column `taken`), the images are sorted by this time. Otherwise they
    are sorted by the time of the last change of their files.
    """
    names = [by_numbers(path) for path in images["path"]]
    if order == "name":
        keys: list[tuple[object, object]] = [(0, name) for name in names]
    elif (images["taken"] != "").all():
        keys = list(zip(images["taken"], names, strict=True))
    else:
        keys = [((folder / file).stat().st_mtime, name) for file, name in zip(files_of(images), names, strict=True)]
    return images.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)


def by_numbers(path: str) -> list[object]:
    """Return a key to sort paths by: numbers in a path are compared by value, so that `a2` comes before `a10`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path)]


def in_batches(images: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return the images with one more column, `batch`: the number, from 1, of the batch that the image is in.

    A batch ends as soon as it has `size` files or more; the last one may have fewer. All images of a group are in one
    batch, because the mean of a part of a group varies more than that of a whole group. They are moved to the place of
    the first image of the group; otherwise the order stays. Without a column `group`, each image is a group of its own.
    """
    groups = pd.factorize(images["group"])[0] if "group" in images else np.arange(len(images))
    batches, n_files, batch = [], 0, 1
    for _, files in files_of(images).groupby(groups):
        batches += [batch] * len(files)
        n_files += files.nunique()
        if n_files >= size:
            n_files, batch = 0, batch + 1
    return images.iloc[np.argsort(groups, kind="stable")].reset_index(drop=True).assign(batch=batches)
