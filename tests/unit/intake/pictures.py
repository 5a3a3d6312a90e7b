"""Folders of pictures for the tests of the intake, and both of its jobs one after the other."""

import io
from pathlib import Path

import pandas as pd

from workflow_scripts.intake.manifest import label


def write_files(root, **files):
    """Write PNG files, contents by name; `__` in a name stands for a folder's end."""
    for name, data in files.items():
        path = Path(root, name.replace("__", "/") + ".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def through_csv(table):
    """Return the table as the label job reads what the intake job wrote."""
    return pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)


def label_inspected(inspected, **rule):
    """Return what the label job makes of the intake job's tables."""
    return label(through_csv(inspected.images), through_csv(inspected.set_aside), rule)
