"""Folders of image files for the tests of intake, and both jobs of intake run one after the other."""

import io
from pathlib import Path

import pandas as pd

from workflow_scripts.intake.manifest import label


def write_files(root, **files):
    """Write PNG files, from their contents by name; `__` in a name separates folders."""
    for name, data in files.items():
        path = Path(root, name.replace("__", "/") + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def through_csv(table):
    """Return the table after writing and reading it as CSV, as between the jobs of intake."""
    return pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)


def label_inspected(inspected, **rule):
    """Return the result of the label job for the tables of the intake job."""
    return label(through_csv(inspected.images), through_csv(inspected.set_aside), rule)
