"""Make the table of the scales of all images of a data set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.decisions import Decision, latest
from workflow_scripts.intake.facts import Memory
from workflow_scripts.intake.label_table import read_columns
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.scale_bars.metadata import texts_beside
from workflow_scripts.intake.scale_bars.read import Reading, Reason, read_scale
from workflow_scripts.io.parallel import ordered_map

COLUMNS = ("image_id", "path", *(field.name for field in fields(Reading)))
BY_HAND = ("scale_um", "nm_per_pixel")
"""Columns of the table of scales that people can set: the length that the bar stands for, and the size of a pixel."""


def read_scales(
    images: pd.DataFrame,
    folder: str | Path,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    memory: Memory[Reading] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Read the scale of each image; return a table with `COLUMNS` and the rows of `images`.

    Parameters
    ----------
    images : table with the columns `image_id` and `path`, relative to `folder`.
    max_pixels : largest allowed width times height of an image, pixels.
    workers : number of processes; the result does not depend on it.
    memory : readings of earlier runs; unchanged files are not read again.
    progress : called with (done, total) after each image that was read.
    """
    memory = memory or Memory({})
    entries = files_of(images, folder)
    unknown = [entry for entry in entries if entry not in memory.known]
    readings = dict(memory.known)
    read = partial(_read, folder=Path(folder), max_pixels=max_pixels)
    for done, (entry, reading) in enumerate(zip(unknown, ordered_map(read, unknown, workers, batch=4), strict=True), 1):
        readings[entry] = reading
        memory.add(entry, reading)
        if progress:
            progress(done, len(unknown))
    rows = pd.DataFrame([asdict(readings[entry]) for entry in entries])
    return pd.concat([images[["image_id", "path"]].reset_index(drop=True), rows], axis=1)[list(COLUMNS)]


def read_by_hand(files: Sequence[str], images: pd.DataFrame) -> dict[str, Decision]:
    """Return the scales that people set, such as those that the page `scales.html` exports.

    A key is the path of an image. If the name in the table belongs to no image, or to several, the key is this name. A
    decision has the values of the columns `BY_HAND`, as texts. The tables are read like tables of labels
    (`label_table.read_label_table`). If there are several decisions on an image, the latest counts. `images` has the
    columns `path` and `image_id`.
    """
    ids = dict(zip(images["path"], images["image_id"], strict=True))
    return latest(read_columns(Path(file), ids, BY_HAND) for file in files)


def corrected(table: pd.DataFrame, images: pd.DataFrame, by_hand: Mapping[str, Decision]) -> pd.DataFrame:
    """Return the table of scales, with the scales that people set (`read_by_hand`) in place of those that were read.

    A decision has the length of the bar and the size of a pixel; each of them may be empty. If both are, the image has
    no scale. `images` has the columns `path` and `width` (pixels). Raises `UserError` if a value is not empty and not a
    positive number.
    """
    widths = dict(zip(images["path"], images["width"].astype(float), strict=True))
    made = table.set_index("path", drop=False)
    for path in (path for path, decision in by_hand.items() if decision.cells and path in widths):
        cells = zip(BY_HAND, by_hand[path].cells, strict=True)
        scale, pixel = (_length(text, f"config: intake.scales: {name} of {path}") for name, text in cells)
        bar = 1e3 * scale / pixel
        if not abs(bar - made.at[path, "bar_px"]) <= 1:
            made.loc[path, ["bar_x", "bar_y"]] = np.nan  # a bar of another length was found
        made.loc[path, ["scale_um", "bar_px", "nm_per_pixel"]] = scale, bar, pixel
        made.loc[path, ["field_um", "confidence"]] = pixel * widths[path] / 1e3, 1
        made.loc[path, ["source", "reason"]] = "hand", "" if scale > 0 else str(Reason.BY_HAND)
    return made.reset_index(drop=True)


def _length(text: str, where: str) -> float:
    """Return the number that a text states, or NaN for an empty text; raise `UserError` if it is not positive."""
    try:
        number = float(text or "nan")
    except ValueError:
        number = 0.0
    if number <= 0 or number == float("inf"):
        raise UserError(f"{where}: found {text!r}, allowed: a number above 0, or nothing")
    return number


def files_of(images: pd.DataFrame, folder: str | Path) -> list[Entry]:
    """Return the path, the size and the time of change of each image file.

    If there is a text file beside an image, the size is that of both files, and the time is the later one.
    """
    return [_entry(Path(folder), path) for path in images["path"]]


def notes(table: pd.DataFrame) -> list[str]:
    """Return lines for the log that count the images with and without a scale.

    They say how many images have a scale bar of known length, by source. They also say how many images have no such
    bar but a known size of a pixel, and how many have neither, each by reason.
    """
    known, sized = table["scale_um"].notna(), table["nm_per_pixel"].notna() & table["scale_um"].isna()
    without = ~(known | sized)
    sources = table.loc[known, "source"].value_counts()
    lines = [f"{known.sum()} of {len(table)} images with a scale ({_counted(sources)})"]
    if sized.any():
        reasons = table.loc[sized, "reason"].value_counts()
        lines.append(f"{sized.sum()} with the size of a pixel only ({_counted(reasons)})")
    if without.any():
        lines.append(f"{without.sum()} without ({_counted(table.loc[without, 'reason'].value_counts())})")
    return lines


def _read(entry: Entry, folder: Path, max_pixels: int | None) -> Reading:
    return read_scale(folder / entry.path, max_pixels)


def _entry(folder: Path, path: str) -> Entry:
    files = [folder / path, *texts_beside(folder / path)]
    status = [file.stat() for file in files if file.is_file()]
    return Entry(path, sum(stat.st_size for stat in status), max((stat.st_mtime_ns for stat in status), default=0))


def _counted(counts: pd.Series) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
